"""Header fields, read as RFC 9110 and RFC 9111 write them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

#: The field by which a view speaks to this cache alone (RFC 9213); it never leaves the site.
TARGETED = "Dumper-Cache-Control"
#: The coding of what is not encoded at all (RFC 9110 §8.4.1).
IDENTITY = "identity"

# RFC 9111 §5.2: token [ "=" ( token / quoted-string ) ]; whatever is malformed is kept as a name of its own.
_DIRECTIVE = re.compile(r'([^\s=,;"]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;]*)))?')
# RFC 9110 §5.6.2
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# RFC 9110 §7.6.1 and RFC 9111 §3.1: fields of one connection.
HOP_BY_HOP = frozenset(
    """connection keep-alive proxy-authenticate proxy-authentication-info proxy-authorization proxy-connection
    te trailer transfer-encoding upgrade""".split()
)
#: Fields that are made anew whenever a stored response is served.
REMADE = frozenset({"content-length", "date"})


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


def lowered(fields: Mapping[str, str]) -> dict[str, str]:
    """``fields`` by their names in lower case."""
    return {name.lower(): value for name, value in fields.items()}


def control(fields: Mapping[str, str]) -> dict[str, str]:
    """The directives in force for this cache: those for it alone or, where there are none, Cache-Control's.

    Where the former are garbled, those of both. ``fields`` have names in lower case.
    """
    own = directives(fields.get(TARGETED.lower(), ""))
    return own if is_targeted(fields) else directives(fields.get("cache-control", "")) | own


def is_targeted(fields: Mapping[str, str]) -> bool:
    """Whether there are directives for this cache alone (RFC 9213 §2.2)."""
    names = directives(fields.get(TARGETED.lower(), ""))
    return bool(names) and all(map(is_token, names))


def members(value: str) -> list[str]:
    """The members of a comma-separated field such as Vary, in lower case, without blanks.

    >>> members(" Accept-Language ,, cookie")
    ['accept-language', 'cookie']
    """
    return [member for part in value.split(",") if (member := part.strip().lower())]


def is_token(text: str) -> bool:
    """Whether ``text`` may be the name of a field (RFC 9110 §5.6.2)."""
    return bool(_TOKEN.fullmatch(text))


def qualities(value: str) -> dict[str, float]:
    """The members of a field such as Accept-Encoding with their weights (RFC 9110 §12.4.2); 0 for one that is garbled.

    >>> qualities("gzip, br;q=0.5")
    {'gzip': 1.0, 'br': 0.5}
    """
    found: dict[str, float] = {}
    for member in members(value):
        name, *parameters = (part.strip() for part in member.split(";"))
        weight = next((part[2:].strip() for part in parameters if part.startswith("q=")), "1")
        found.setdefault(name, float(weight) if re.fullmatch(r"0(\.\d{0,3})?|1(\.0{0,3})?", weight, re.ASCII) else 0.0)
    return found


def storable(fields: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """The fields that are stored: none of one connection, nor that Connection lists (RFC 9111 §3.1), none remade."""
    listed = HOP_BY_HOP.union(*(members(value) for name, value in fields.items() if name.lower() == "connection"))
    return [(name, value) for name, value in fields.items() if name.lower() not in listed | REMADE]
