"""What stands where in MIDDLEWARE."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.utils.module_loading import import_string


def positions(middleware: type) -> list[int]:
    """Where ``middleware``, or a class derived from it, stands in MIDDLEWARE."""
    return list(_positions(tuple(settings.MIDDLEWARE), middleware))


def is_above(middleware: type, other: type) -> bool:
    """Whether ``middleware`` comes before ``other``, so that it sees the answers that come from there."""
    above, below = positions(middleware), positions(other)
    return bool(above and below) and above[0] < below[0]


@lru_cache(maxsize=256)
def _positions(paths: tuple[str, ...], middleware: type) -> tuple[int, ...]:
    found = [_imported(path) for path in paths]
    return tuple(
        index for index, other in enumerate(found) if isinstance(other, type) and issubclass(other, middleware)
    )


def _imported(path: str) -> object:
    """What ``path`` names; None if it cannot be imported, which Django tells at the first request."""
    try:
        return import_string(path)
    except ImportError:
        return None
