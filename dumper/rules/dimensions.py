"""Dimensions: in what the pages of one key may differ. Each is a string:

``query``       the whole query string, as it was sent
``query?``      whether there is any parameter
``query:a``     all values of the parameter ``a``
``cookie?``     whether there is any cookie
``cookie:a``    the cookie ``a``
``cookie``      no cookie at all: who sends any goes past the store
``session:a``   no session, so no cookie ``a``: who has one goes past the store
``meta:A``      what ``request.META["A"]`` says, thus ``meta:HTTP_ACCEPT`` a header field
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NewType

from dumper.rules.headers import is_token

Dimension = NewType("Dimension", str)

QUERY = Dimension("query")
ANY_QUERY = Dimension("query?")
COOKIES = Dimension("cookie")
ANY_COOKIE = Dimension("cookie?")
#: header fields whose variables have plain names (RFC 3875 §4.1.2, §4.1.3)
_UNPREFIXED = ("CONTENT_LENGTH", "CONTENT_TYPE")


def parameter(name: str) -> Dimension:
    """The values of one parameter of the query string."""
    return Dimension("query:" + name)


def cookie(name: str) -> Dimension:
    """The value of one cookie."""
    return Dimension("cookie:" + name)


def session(cookie_name: str) -> Dimension:
    """That the visitor has no session."""
    return Dimension("session:" + cookie_name)


def meta(name: str) -> Dimension:
    """A header field, or another variable of the server, by its CGI name (RFC 3875 §4.1)."""
    return COOKIES if name == "HTTP_COOKIE" else Dimension("meta:" + name)


def field(name: str) -> Dimension:
    """A header field by the name that Vary gives it."""
    variable = name.upper().replace("-", "_")
    return meta(variable if variable in _UNPREFIXED else "HTTP_" + variable)


def of_query(dimensions: Iterable[Dimension]) -> bool:
    """Whether one of ``dimensions`` is of the query string."""
    return any(dimension.startswith("query") for dimension in dimensions)


def variables(dimensions: Iterable[Dimension]) -> tuple[str, ...]:
    """The CGI variables (RFC 3875 §4.1) that ``dimensions`` are read from."""
    names = set()
    for dimension in dimensions:
        kind, _, name = dimension.partition(":")
        names.add(name if kind == "meta" else "QUERY_STRING" if kind.startswith("query") else "HTTP_COOKIE")
    return tuple(sorted(names))


def vary_names(dimensions: Iterable[Dimension]) -> list[str]:
    """The header fields that ``dimensions`` are read from, as Vary names them."""
    names = set()
    for dimension in dimensions:
        kind, _, name = dimension.partition(":")
        if kind in ("cookie", "cookie?", "session"):
            names.add("Cookie")
        elif kind == "meta" and name.startswith("HTTP_") and is_token(name):
            names.add(name.removeprefix("HTTP_").replace("_", "-").title())
    return sorted(names)
