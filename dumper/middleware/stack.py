"""What stands where in MIDDLEWARE."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.middleware.locale import LocaleMiddleware
from django.utils.module_loading import import_string


def positions(middleware: type) -> list[int]:
    """Where ``middleware``, or a class derived from it, stands in MIDDLEWARE."""
    return list(_positions(tuple(settings.MIDDLEWARE), middleware))


def is_above(middleware: type, other: type) -> bool:
    """Whether ``middleware`` comes before ``other``, so that it sees the answers that come from there."""
    above, below = positions(middleware), positions(other)
    return bool(above and below) and above[0] < below[0]


#: those seen to choose a language or a time zone before FetchFromCacheMiddleware
_choosing: set[tuple[str, ...]] = set()


def is_choosing() -> bool:
    """Whether middleware chooses a language or a time zone for each request, so that what is stored for another
    language says nothing of this one's."""
    return bool(positions(LocaleMiddleware)) or tuple(settings.MIDDLEWARE) in _choosing


def is_fixed() -> bool:
    """Whether it is known that none does so."""
    return _is_fixed(tuple(settings.MIDDLEWARE))


@lru_cache(maxsize=64)
def _is_fixed(paths: tuple[str, ...]) -> bool:
    known = [path for path in paths if path.startswith(("django.", "dumper."))]
    return len(known) == len(paths) and not _positions(paths, LocaleMiddleware)


def note_choosing() -> None:
    """The middleware as it is set now was seen to do so."""
    _choosing.add(tuple(settings.MIDDLEWARE))


@lru_cache(maxsize=256)
def _positions(paths: tuple[str, ...], middleware: type) -> tuple[int, ...]:
    return tuple(
        index for index, other in enumerate(members(paths)) if isinstance(other, type) and issubclass(other, middleware)
    )


@lru_cache(maxsize=64)
def members(paths: tuple[str, ...]) -> tuple[object, ...]:
    """The classes and functions that ``paths`` name, such as those in MIDDLEWARE."""
    return tuple(map(_imported, paths))


def _imported(path: str) -> object:
    """What ``path`` names; None if it cannot be imported, which Django tells at the first request."""
    try:
        return import_string(path)
    except ImportError:
        return None
