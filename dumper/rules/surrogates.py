"""Tags as the caches in front of us are told of them: short, opaque keys in a response field (RFC 9875 and its kin)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache

from dumper.rules.keys import digest
from dumper.rules.tags import Tag

#: What parts the keys in each field that is known.
_SEPARATORS = {"cache-tag": ",", "edge-cache-tag": ",", "cache-groups": ", "}


@lru_cache(maxsize=8192)
def surrogate_key(tag: Tag, site: str) -> str:
    """16 hexadecimal digits that stand for ``tag`` of ``site``, whose edge may keep pages of other sites as well."""
    return digest(site, tag)[:16]


def joined(name: str, keys: Iterable[str]) -> str:
    """``keys`` in the form of the field ``name``: parted by blanks, by commas, or as a list of strings (RFC 9651).

    >>> joined("Cache-Groups", ["a1", "b2"])
    '"a1", "b2"'
    """
    if name.lower() == "cdn-tag":  # to Bunny all of it is one tag, which a purge finds with wildcards
        return "".join(f"~{key}" for key in keys) + "~"
    if name.lower() == "cache-groups":
        keys = (f'"{key}"' for key in keys)
    return _SEPARATORS.get(name.lower(), " ").join(keys)


def keys_of(tags: Collection[Tag], site: str) -> list[str]:
    """The keys of ``tags``, each once, in an order of their own that gives nothing away."""
    return sorted({surrogate_key(tag, site) for tag in tags})
