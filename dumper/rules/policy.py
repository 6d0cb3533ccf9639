"""May it be looked up? May it be stored, and if not, why not?

A reason is a short text in words; it goes into the log and into Cache-Status. In doubt, forward.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from dumper.rules.dimensions import COOKIES, Dimension, field, of_query
from dumper.rules.headers import control, directives, is_token, lowered, members
from dumper.rules.messages import Request, Response

CHOSEN_LATER = "language or time zone chosen after the look-up"
#: Of what a page may depend in its request; each look-up of a variant goes through them.
MOST_DIMENSIONS = 50
#: Methods that change nothing (RFC 9110 §9.2.1).
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
_UNSTORABLE = ("no-store", "private", "no-cache")
#: What lets a shared cache store the response to a request with Authorization (RFC 9111 §3.5).
_PERMISSIONS = ("public", "must-revalidate", "s-maxage")
# RFC 3875 §4.1.1 and §4.1.11: some servers keep the field to themselves, and hand on what it says.
_AUTHENTICATED = ("HTTP_PROXY_AUTHORIZATION", "REMOTE_USER", "AUTH_TYPE")
_OVERRIDES = ("HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_X_HTTP_METHOD", "HTTP_X_METHOD_OVERRIDE")
# RFC 9110 §13.1.1 and §13.1.4: these are for the origin.
_PRECONDITIONS = ("HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE")


def bypass(request: Request) -> str | None:
    """Why ``request`` is not looked up and its response not stored; None where it is."""
    environ = request.environ
    if request.method not in ("GET", "HEAD"):
        return "method"
    if request.host is None:
        return "host not allowed"
    if any(environ.get(name) for name in _AUTHENTICATED):
        return "authorization"
    if "HTTP_RANGE" in environ:
        return "range"
    if any(name in environ for name in _PRECONDITIONS):
        return "precondition"
    if environ.get("CONTENT_LENGTH") not in (None, "", "0", 0) or "HTTP_TRANSFER_ENCODING" in environ:
        return "request body"
    if "charset" in str(environ.get("CONTENT_TYPE", "")).lower():
        return "charset"  # in which Django would read the query string
    if any(name in environ for name in _OVERRIDES):
        return "method override"
    if "\ufffd" in request.path:
        # Bytes that are no UTF-8: the servers decode them each in its own way, so that paths could meet.
        return "path not in UTF-8"
    return None


def is_renewal(request: Request) -> bool:
    """Whether ``request`` asks for a page made anew (RFC 9111 §5.2.1.4, §5.4), as a browser's forced reload does."""
    asked = directives(request.environ.get("HTTP_CACHE_CONTROL", ""))
    if asked:
        return "no-cache" in asked or asked.get("max-age") == "0"
    return "no-cache" in directives(request.environ.get("HTTP_PRAGMA", ""))


def is_authorized(request: Request) -> bool:
    """Whether ``request`` says on whose behalf it comes."""
    return "HTTP_AUTHORIZATION" in request.environ


def is_shareable(request: Request) -> bool:
    """Whether the answer to ``request`` may be stored, whatever it will be."""
    is_stored = "no-store" not in directives(request.environ.get("HTTP_CACHE_CONTROL", ""))
    return request.method == "GET" and is_stored and not is_authorized(request)


def is_permitted(fields: Mapping[str, str]) -> bool:
    """Whether a response with ``fields`` may be stored for, and served to, requests with Authorization.

    RFC 9111 §3.5; the names of ``fields`` are in lower case.
    """
    return any(name in control(fields) for name in _PERMISSIONS)


def refusal(request: Request, response: Response, statuses: Collection[int]) -> str | None:
    """Why ``response`` must not be stored; None where it may be (the safe subset of RFC 9111 §3)."""
    fields = lowered(response.headers)
    if request.method != "GET":
        return f"the answer to a {request.method}"
    if response.status not in statuses:
        return f"status {response.status}"
    if response.body is None or not _is_complete(fields, response.length):
        return "not complete"
    if response.personal:
        return response.personal
    if response.sets_cookie or "set-cookie" in fields:
        return "set-cookie"
    if "content-range" in fields:
        return "content-range"
    return _forbidden(request, fields) or _mismatch(request, response, fields)


def _is_complete(fields: Mapping[str, str], length: int) -> bool:
    """Whether a body of ``length`` bytes is all that the response promises (RFC 9111 §3.3)."""
    promised = fields.get("content-length", "").strip()
    return not promised or promised == str(length)


def _forbidden(request: Request, fields: Mapping[str, str]) -> str | None:
    """What the fields of the request or of the response say against it."""
    if "no-store" in directives(request.environ.get("HTTP_CACHE_CONTROL", "")):
        return "no-store in the request"
    asked = control(fields)
    for name in _UNSTORABLE:
        if name in asked:
            return name
    if not asked and "no-cache" in directives(fields.get("pragma", "")):
        return "pragma"
    if is_authorized(request) and not is_permitted(fields):
        return "authorization"
    for name in members(fields.get("vary", "")):
        if name == "*" or not is_token(name):
            return f"vary {name}"
    return None


def _mismatch(request: Request, response: Response, fields: Mapping[str, str]) -> str | None:
    """What makes the response unfit for other visitors, although nobody says so."""
    if any("'nonce-" in value.lower() for name, value in fields.items() if name.startswith("content-security-policy")):
        return "nonce"
    if (response.language, response.time_zone) != (request.language, request.time_zone):
        return CHOSEN_LATER
    return None


def dimensions(request: Request, response: Response) -> frozenset[Dimension]:
    """In what ``response`` differs from others of its key: what was read, and what Vary names (RFC 9111 §4.1)."""
    fields = lowered(response.headers)
    found = set(response.dimensions)
    for name in members(fields.get("vary", "")):
        if name == "cookie":
            # Django says so for a session, a token or a cookie. If none of them was read, somebody else knows why.
            is_read = response.slots is not None or any(item.startswith(("cookie", "session")) for item in found)
            if not (is_read or response.is_vary_explained):
                found.add(COOKIES)
        elif not _is_answered(name, request, fields):
            found.add(field(name))
    return frozenset(found)


def counted(found: frozenset[Dimension], query: str | Sequence[str]) -> frozenset[Dimension]:
    """Those of ``found`` that are not part of the key already, where ``query`` says what is (DUMPER_QUERY)."""
    if query == "observed":
        return found
    return frozenset(dimension for dimension in found if not of_query([dimension]))


def widened(known: frozenset[Dimension], found: frozenset[Dimension]) -> frozenset[Dimension]:
    """``found`` and those of the pages stored already; where that is too much, these are given up."""
    return known | found if len(known | found) <= MOST_DIMENSIONS else found


def _is_answered(name: str, request: Request, fields: Mapping[str, str]) -> bool:
    """Whether the key, or the choice of a coding, stands for the request's field ``name``."""
    if name == "accept-language":
        return request.language_negotiated
    if name == "accept-encoding":
        return "content-encoding" not in fields
    return name == "host" and request.environ.get("HTTP_HOST") == request.host


def excess(response: Response, found: Collection[Dimension], most_body: int, most_headers: int) -> str | None:
    """What is too much of it, in bytes or in number; None where nothing is."""
    if len(response.body or b"") > most_body:
        return "body too large"
    if sum(len(name) + len(value) for name, value in response.headers.items()) > most_headers:
        return "header too large"
    return "too many dimensions" if len(found) > MOST_DIMENSIONS else None
