"""From what was measured to tables."""

from __future__ import annotations

from dataclasses import dataclass, field

from test_project.bench import contenders
from test_project.bench.crowd import Outcome
from test_project.bench.processes import Figure, Figures
from test_project.bench.served import Rates

Row = tuple[str, ...]
NOTHING = "–"


@dataclass
class Found:
    """Each by name of the contender; a contender is missing where it was not measured."""

    hits: Figures = field(default_factory=dict)
    misses: Figures = field(default_factory=dict)
    saves: Figures = field(default_factory=dict)
    by_paths: Figures = field(default_factory=dict)
    by_tag: Figures = field(default_factory=dict)
    gunicorn: Rates = field(default_factory=dict)
    uvicorn: Rates = field(default_factory=dict)
    crowd: dict[str, Outcome] = field(default_factory=dict)

    @property
    def added(self) -> Figures:
        """What a miss costs more than the same view without a cache; nothing where that was not measured."""
        floor = self.misses.get(contenders.DEFAULT_FLOOR.name)
        if floor is None:
            return {}
        return {
            name: Figure(value - floor.value, commands)
            for name, (value, commands) in self.misses.items()
            if name != contenders.DEFAULT_FLOOR.name
        }


def percent_of_bare(rates: Rates) -> Rates:
    """100 is what the server does with an application that answers the same bytes and does nothing else."""
    bare = rates.get(contenders.BARE.name)
    return {name: 100 * rate / bare for name, rate in rates.items()} if bare else {}


def speed(found: Found) -> list[Row]:
    """A line a contender: hits, misses, and what a server makes of its hits."""
    head = ("", "a hit, µs", "× Django's pair", "commands", "a miss adds, µs", "commands", "gunicorn, %", "uvicorn, %")
    gunicorn, uvicorn = percent_of_bare(found.gunicorn), percent_of_bare(found.uvicorn)
    base = found.hits.get(contenders.BASELINE.name)
    rows: list[Row] = [head]
    for name, hit in found.hits.items():
        miss = found.added.get(name)
        rows.append(
            (
                name,
                _micros(hit.value),
                f"{base.value / hit.value:.2f}" if base else NOTHING,
                _count(hit.commands),
                _micros(miss.value) if miss else NOTHING,
                _count(miss.commands) if miss else NOTHING,
                percent(gunicorn.get(name)),
                percent(uvicorn.get(name)),
            )
        )
    return rows


def saves(found: Found) -> list[Row]:
    plain = found.saves.get(contenders.NO_CACHE.name)
    rows: list[Row] = [("a save", "µs", "µs more than without a cache", "commands")]
    for name, save in found.saves.items():
        more = f"{save.value - plain.value:+,.0f}" if plain else NOTHING
        rows.append((name, _micros(save.value), more, _count(save.commands)))
    return rows


def invalidations(found: Found, pages: int) -> list[Row]:
    rows: list[Row] = [("", f"{pages:,} paths, ms", "commands", f"a tag of {pages:,} pages, ms", "commands")]
    for name, paths in found.by_paths.items():
        tag = found.by_tag.get(name)
        rows.append(
            (
                name,
                f"{paths.value:,.0f}",
                _count(paths.commands),
                f"{tag.value:.1f}" if tag else NOTHING,
                _count(tag.commands) if tag else NOTHING,
            )
        )
    return rows


def crowd(found: Found, visitors: int) -> list[Row]:
    rows: list[Row] = [(f"{visitors} visitors of a cold page", "renders", "the slowest answer, ms")]
    rows += [(name, str(renders), f"{slowest:,.0f}") for name, (renders, slowest) in found.crowd.items()]
    return rows


def _micros(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.1f}"


def _count(commands: float | None) -> str:
    return NOTHING if commands is None else f"{commands:,.0f}"


def percent(share: float | None) -> str:
    return NOTHING if share is None else f"{share:.1f}" if share < 10 else f"{share:.0f}"
