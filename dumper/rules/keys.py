"""Cache keys: which requests may share a stored response."""

from __future__ import annotations

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


@lru_cache(maxsize=4096)
def tag_name(tag: Tag) -> str:
    """A short name of ``tag`` for use in a store's keys: 32 hexadecimal digits."""
    return digest(tag)[:32]


def key_of(request: Request) -> Key:
    """The key of ``request``: all that is known beforehand and may make a difference."""
    fingerprint = digest(
        request.method,
        request.scheme,
        request.host or "",
        request.path,
        request.path_info,
        request.query,
        request.language,
        request.time_zone,
    )
    return Key(path_tag(request.path_info), fingerprint[:32], fingerprint)
