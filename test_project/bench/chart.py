"""A chart of bars as SVG, readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

from test_project.bench.contenders import BARE, BASELINE, DOORS, NO_CACHE, OLD, PAIRS
from test_project.bench.report import Found, percent, percent_of_bare

CHART = Path(__file__).resolve().parent.parent.parent / "docs" / "speed.svg"
#: who is shown, and whether as one of ours
SHOWN = {
    BARE.name: False,
    **{door.name: True for door in reversed(DOORS.values())},
    PAIRS["django-redis"].name: True,
    BASELINE.name: False,
    OLD.name: False,
    NO_CACHE.name: False,
}
WIDTH, LABELS, LINE, BAR = 760, 300, 22, 14
STYLE = """text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.ours { fill: #0a7d55 } .others { fill: #8c959f }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .ours { fill: #3fb98a } .others { fill: #6e7681 } }"""


def chart(found: Found) -> str:
    """Requests a second behind each server, in % of a bare application."""
    panels = {
        "WSGI, behind gunicorn": percent_of_bare(found.gunicorn),
        "ASGI, behind uvicorn": percent_of_bare(found.uvicorn),
    }
    return svg({f"Hits a second on django-redis, % of a bare app: {title}": shares for title, shares in panels.items()})


def svg(panels: Mapping[str, Mapping[str, float]]) -> str:
    """A panel a title, of bars from 0 to 100 %, or to the longest."""
    unit = (WIDTH - LABELS - 50) / max([100, *(share for shares in panels.values() for share in shares.values())])
    lines: list[str] = []
    y = 0
    for title, shares in panels.items():
        y += LINE
        lines.append(f'<text class="title" x="0" y="{y}">{escape(title)}</text>')
        for name in (name for name in SHOWN if name in shares):
            lines += _bar(name, shares[name], unit, y + LINE - BAR)
            y += LINE
        y += LINE
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img">'
    return "\n".join([head, "<title>Requests a second</title>", f"<style>{STYLE}</style>", *lines, "</svg>", ""])


def label(name: str) -> str:
    return name.removeprefix("floor: ").replace(", django-redis", "")


def _bar(name: str, share: float, unit: float, y: float) -> list[str]:
    length = share * unit
    middle = y + BAR - 3
    side = "ours" if SHOWN[name] else "others"
    return [
        f'<text x="{LABELS - 8}" y="{middle}" text-anchor="end">{escape(label(name))}</text>',
        f'<rect class="{side}" x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR}"/>',
        f'<text x="{LABELS + length + 6:.1f}" y="{middle}">{percent(share)}</text>',
    ]
