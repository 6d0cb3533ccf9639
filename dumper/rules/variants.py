"""Variants: the pages of one key, told apart by the dimensions that one of them was seen to read, or names in Vary.

Under the key lies what these dimensions are; a page lies under the key that follows from their values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from dumper.rules.dimensions import COOKIES, Dimension
from dumper.rules.frames import framed, unframed
from dumper.rules.keys import Key, digest
from dumper.rules.messages import Request

_MAGIC = b"DMPV"


def unshared(dimensions: Iterable[Dimension], request: Request) -> str | None:
    """Why nobody else may share what ``request`` gets in these dimensions; None where others may."""
    for dimension in dimensions:
        kind, _, name = dimension.partition(":")
        if kind == "session" and name in request.cookies():
            return "session"
        if dimension == COOKIES and request.environ.get("HTTP_COOKIE"):
            return "cookies"
        if dimension == "meta:HTTP_AUTHORIZATION" and "HTTP_AUTHORIZATION" in request.environ:
            return "authorization"
        if kind == "meta" and not isinstance(request.environ.get(name, ""), (str, int)):
            return f"{name.lower()} is no text"  # an object of some other application's
    return None


def variant(key: Key, dimensions: Collection[Dimension], request: Request) -> Key:
    """The key, below ``key``, of the variant that ``request`` asks for; ``key`` itself where there is but one page."""
    if not dimensions:
        return key
    parts = [key.fingerprint]
    for dimension in sorted(dimensions):
        values = _values(dimension, request)
        parts += [dimension, str(len(values)), *values]
    fingerprint = digest(*parts)
    return Key(key.path, fingerprint[:32], fingerprint)


def _values(dimension: Dimension, request: Request) -> list[str]:
    """The values of ``dimension``: none where it is absent, which is not the same as empty (RFC 9111 §4.1)."""
    kind, _, name = dimension.partition(":")
    return _VALUES[kind](name, request)


def _one(values: Mapping[str, Any], name: str) -> list[str]:
    return [str(values[name])] if name in values else []


_VALUES: dict[str, Callable[[str, Request], list[str]]] = {
    "query": lambda name, request: list(request.parameters().get(name, ())) if name else [request.query],
    "query?": lambda name, request: [str(bool(request.parameters()))],
    "cookie?": lambda name, request: [str(bool(request.cookies()))],
    "cookie": lambda name, request: _one(request.cookies(), name) if name else _one(request.environ, "HTTP_COOKIE"),
    "session": lambda name, request: [],
    "meta": lambda name, request: _one(request.environ, name),
}


def pack(key: Key, dimensions: Collection[Dimension]) -> bytes:
    """The bytes that stand under ``key`` where its pages vary in ``dimensions``."""
    return framed(_MAGIC, [key.fingerprint, sorted(dimensions)])


def unpack(data: object, key: Key) -> frozenset[Dimension]:
    """The dimensions in ``data``; none where it is anything else."""
    match unframed(_MAGIC, data):
        case ([key.fingerprint, [*found]], _) if all(_is_known(dimension) for dimension in found):
            return frozenset(found)
    return frozenset()


def _is_known(dimension: object) -> bool:
    return isinstance(dimension, str) and dimension.partition(":")[0] in _VALUES
