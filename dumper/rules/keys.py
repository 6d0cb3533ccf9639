"""Cache keys: which requests may share a stored response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from dumper.rules.tags import Tag, path_tag

if TYPE_CHECKING:
    from dumper.rules.messages import Request


@dataclass(frozen=True, slots=True)
class Key:
    """Where a response is stored: with its path, under a name; ``fingerprint`` tells it from any other."""

    path: Tag
    name: str
    fingerprint: str


def digest(*parts: str) -> str:
    """64 hexadecimal digits (BLAKE2b-256) of ``parts``, each with its length, so that none runs into the next."""
    hashed = blake2b(digest_size=32)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hashed.update(b"%d:%b" % (len(data), data))
    return hashed.hexdigest()


def digest_of_bytes(data: bytes) -> str:
    """64 hexadecimal digits (BLAKE2b-256) of ``data``."""
    return blake2b(data, digest_size=32).hexdigest()


@lru_cache(maxsize=4096)
def tag_name(tag: Tag) -> str:
    """A short name of ``tag`` for use in a store's keys: 32 hexadecimal digits."""
    return digest(tag)[:32]


def key_of(request: Request, query: str | Sequence[str]) -> Key:
    """The key of ``request``: all that is known beforehand and may make a difference.

    ``query`` says what counts of the query string: ``observed`` is nothing so far, ``exact`` is all; else the names of
    parameters. GET and HEAD have one key (RFC 9110 §9.3.2).
    """
    fingerprint = digest(
        request.scheme,
        request.host or "",
        request.path,
        request.path_info,
        request.language,
        request.time_zone,
        *_of_query(request, query),
    )
    return Key(path_tag(request.path_info), fingerprint[:32], fingerprint)


def _of_query(request: Request, query: str | Sequence[str]) -> list[str]:
    if query == "observed":
        return []
    if not isinstance(query, str):
        try:
            parameters = request.parameters()
        except ValueError:  # nobody can read it; then at least nobody shares it
            return ["exact", request.query]
        lists = [(name, parameters[name]) for name in query if name in parameters]
        return ["names", *(part for name, values in lists for part in (name, str(len(values)), *values))]
    return ["exact", request.query]
