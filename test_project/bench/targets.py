"""The ratios that the work on speed is after, as measured."""

from __future__ import annotations

from collections.abc import Mapping

from test_project.bench.contenders import (
    ALIASES,
    BARE,
    BASELINE,
    DEFAULT_FLOOR,
    DJANGOS,
    DOORS,
    NO_CACHE,
    OLD,
    PAIRS,
    PLAIN,
)
from test_project.bench.processes import Figures
from test_project.bench.report import NOTHING, Found, Row

_HEADS = (BASELINE, PAIRS["django-redis"], DOORS["checked"], DOORS["pushed"])
#: who stands in a ratio, in process and behind servers
IN_PROCESS = {
    one.name for one in (*DJANGOS.values(), *PAIRS.values(), *_HEADS, PLAIN, OLD, NO_CACHE, DEFAULT_FLOOR, BARE)
}
SERVED = {one.name for one in (*_HEADS, NO_CACHE, BARE)}


def targets(found: Found) -> list[Row]:
    hits, added, paths = _values(found.hits), _values(found.added), _values(found.by_paths)
    pair, checked, pushed = (one.name for one in (PAIRS["django-redis"], DOORS["checked"], DOORS["pushed"]))
    tag = found.by_tag.get(pair)
    commands = tag and tag.commands
    return [
        ("ratio", "measured"),
        ("a hit, Django's pair ÷ dumper's pair in its place, CPU", _ratio(hits, BASELINE.name, pair)),
        ("a hit, Django's pair ÷ dumper's door, near cache checked, CPU", _ratio(hits, BASELINE.name, checked)),
        *(
            (f"behind {server}, dumper's door, near cache {mode} ÷ bare app", _ratio(rates, door, BARE.name))
            for server, rates in (("gunicorn", found.gunicorn), ("uvicorn", found.uvicorn))
            for mode, door in (("checked", checked), ("pushed", pushed))
        ),
        *(
            (f"a miss, dumper's pair ÷ Django's pair, {name}", _ratio(added, PAIRS[name].name, DJANGOS[name].name))
            for name in ALIASES
        ),
        (f"a miss, {PLAIN.name} ÷ Django's pair", _ratio(added, PLAIN.name, BASELINE.name)),
        ("invalidation by paths, one delete a key ÷ dumper", _ratio(paths, OLD.name, pair)),
        ("invalidation of a tag, commands", NOTHING if commands is None else f"{commands:.0f}"),
    ]


def _values(figures: Figures) -> dict[str, float]:
    return {name: figure.value for name, figure in figures.items()}


def _ratio(values: Mapping[str, float], dividend: str, divisor: str) -> str:
    return f"{values[dividend] / values[divisor]:.2f}" if {dividend, divisor} <= values.keys() else NOTHING
