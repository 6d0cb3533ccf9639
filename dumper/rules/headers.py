"""Header fields, read as RFC 9110 and RFC 9111 write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# RFC 9111 §5.2: token [ "=" ( token / quoted-string ) ]; whatever is malformed is kept as a name of its own.
_DIRECTIVE = re.compile(r'\s*([^\s=,;"]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"?|[^\s,]*))?[^,]*,?')
# RFC 9110 §7.6.1 and RFC 9111 §3.1: fields of one connection.
HOP_BY_HOP = frozenset(
    """connection keep-alive proxy-authenticate proxy-authentication-info proxy-authorization proxy-connection
    te trailer transfer-encoding upgrade""".split()
)


def directives(value: str) -> dict[str, str]:
    """The directives of a Cache-Control field, names in lower case, values without quotes.

    >>> directives('Private="set-cookie", MAX-AGE=60')
    {'private': 'set-cookie', 'max-age': '60'}
    """
    found = {}
    for match in _DIRECTIVE.finditer(value):
        argument = match[2] or ""
        found[match[1].lower()] = re.sub(r"\\(.)", r"\1", argument.strip('"'))
    return found


def members(value: str) -> list[str]:
    """The members of a comma-separated field such as Vary, in lower case, without blanks.

    >>> members(" Accept-Language ,, cookie")
    ['accept-language', 'cookie']
    """
    return [member for part in value.split(",") if (member := part.strip().lower())]


def storable(fields: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """The fields that may be stored: none of one connection, nor any that Connection lists (RFC 9111 §3.1)."""
    listed = HOP_BY_HOP.union(*(members(value) for name, value in fields.items() if name.lower() == "connection"))
    return [(name, value) for name, value in fields.items() if name.lower() not in listed]
