"""From a path to the target of a purge (RFC 9112 §3.2.1), and whether a request came for just that."""

from __future__ import annotations

import re
from urllib.parse import quote

from dumper.rules.tags import UNQUOTED

#: What servers take at least (RFC 9110 §4.1).
MOST_BYTES = 8000
# Where caches, proxies and servers differ in what they make of it; "%" because some decode "%25" twice.
_DOUBTFUL = re.compile(r"//|/\.{1,2}(/|$)|[\x00-\x1f\x7f\\%?#]")
_HOST = re.compile(
    r"([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*\])(:[0-9]{1,5})?",
)


def target_of(path: str) -> str | None:
    """The one spelling of the decoded ``path`` that is purged, as ``reverse()`` writes it; None where none is safe.

    >>> target_of("/café/")
    '/caf%C3%A9/'
    """
    if not path.startswith("/") or _DOUBTFUL.search(path):
        return None
    try:
        target = quote(path, safe=UNQUOTED)
    except UnicodeEncodeError:
        return None
    return target if len(target) <= MOST_BYTES else None


def is_canonical(requested: str | None, path: str) -> bool:
    """Whether ``requested``, the target as it came in, is the spelling of ``path`` that is purged, without a query."""
    return requested is not None and requested == target_of(path)


def is_host(text: str) -> bool:
    """Whether ``text`` may stand in a Host field: a name or an address, in ASCII, perhaps with a port."""
    return bool(_HOST.fullmatch(text))
