"""A stored response, as one request is answered with it: whole, compressed, or with 304 (Not Modified)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dumper.rules.codings import best, weakened
from dumper.rules.forms import fill
from dumper.rules.freshness import seconds
from dumper.rules.headers import IDENTITY, TARGETED, lowered
from dumper.rules.messages import Request, StoredResponse
from dumper.rules.validators import is_conditional, is_not_modified

#: What a 304 has of the fields of the response (RFC 9110 §15.4.5), and what tells how old that is (RFC 9111 §5.1).
_OF_304 = frozenset({"cache-control", "content-location", "date", "etag", "expires", "last-modified", "vary", "age"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes


def answer(stored: StoredResponse, request: Request, token: Callable[[], str], age: float | None) -> Answer:
    """``stored`` for ``request``; ``token()`` makes this visitor's own token, where the page needs one.

    ``age`` is in seconds since it was stored, when it may have been of some age already (RFC 9111 §4.2.3); None for
    what has just been made. Raises ValueError where the stored bytes are damaged.
    """
    headers = {name: value for name, value in stored.headers if name.lower() != TARGETED.lower()}
    coding = best(request.environ.get("HTTP_ACCEPT_ENCODING"), stored.bodies)
    body = stored.bodies[coding]
    if coding != IDENTITY:
        headers["Content-Encoding"] = coding
        headers |= {name: weakened(value) for name, value in headers.items() if name.lower() == "etag"}
    if age is not None:
        before = next((name for name in headers if name.lower() == "age"), "Age")
        headers[before] = str(max(0, int(age)) + seconds(headers.get(before, "0").strip()))
    if stored.slots is not None:
        body = fill(body, stored.slots, token().encode())
    elif (
        stored.status == 200 and is_conditional(request.environ) and is_not_modified(request.environ, lowered(headers))
    ):
        kept = {name: value for name, value in headers.items() if name.lower() in _OF_304}
        return Answer(304, "Not Modified", kept, b"")
    if request.method == "HEAD":
        return Answer(stored.status, stored.reason, headers | {"Content-Length": str(len(body))}, b"")
    return Answer(stored.status, stored.reason, headers, body)
