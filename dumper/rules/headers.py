"""Header fields, read as RFC 9110 and RFC 9111 write them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

# RFC 9111 §5.2: token [ "=" ( token / quoted-string ) ]; whatever is malformed is kept as a name of its own.
_DIRECTIVE = re.compile(r'([^\s=,;"]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;]*)))?')
# RFC 9110 §7.6.1 and RFC 9111 §3.1: fields of one connection.
HOP_BY_HOP = frozenset(
    """connection keep-alive proxy-authenticate proxy-authentication-info proxy-authorization proxy-connection
    te trailer transfer-encoding upgrade""".split()
)


def directives(value: str) -> dict[str, str]:
    """The directives of a Cache-Control field, names in lower case, values without quotes.

    Where one is there twice, the first counts (RFC 9111 §4.2.1).

    >>> directives('Private="set-cookie", MAX-AGE=60')
    {'private': 'set-cookie', 'max-age': '60'}
    """
    found: dict[str, str] = {}
    for name, quoted, token in _DIRECTIVE.findall(value):
        found.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or token)
    return found


def members(value: str) -> list[str]:
    """The members of a comma-separated field such as Vary, in lower case, without blanks.

    >>> members(" Accept-Language ,, cookie")
    ['accept-language', 'cookie']
    """
    return [member for part in value.split(",") if (member := part.strip().lower())]


def storable(fields: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """The fields that may be stored: none of one connection, nor any that Connection lists (RFC 9111 §3.1)."""
    listed = HOP_BY_HOP.union(*(members(value) for name, value in fields.items() if name.lower() == "connection"))
    return [(name, value) for name, value in fields.items() if name.lower() not in listed]
