"""Tables, and their place in the README."""

from __future__ import annotations

import datetime
import os
import platform
import re
from pathlib import Path

README = Path(__file__).resolve().parent.parent.parent / "README.rst"


def table(rows: list[tuple[str, ...]]) -> str:
    """``rows``, the first of them headings, as a reStructuredText table."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    line = " ".join("=" * width for width in widths)
    texts = [" ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([line, texts[0], line, *texts[1:], line])


def facts(*more: str) -> str:
    """When and on what it was measured."""
    import django

    now = datetime.datetime.now(tz=datetime.timezone.utc)
    machine = f"{os.cpu_count()} cores ({platform.machine()})"
    return ", ".join(
        [f"{now:%B %Y}", machine, f"Python {platform.python_version()}", f"Django {django.__version__}", *more]
    )


def write_into_readme(name: str, text: str) -> None:
    """Replace what stands between the comments ``name`` and its end."""
    place = rf"(?s)(\.\. {name}\n\n).*?(\.\. {name} end)"
    README.write_text(re.sub(place, lambda match: f"{match[1]}{text}\n\n{match[2]}", README.read_text()))
