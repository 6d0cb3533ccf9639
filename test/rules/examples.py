"""Requests and responses for the tests of the rules."""

from __future__ import annotations

import string
from typing import Any
from urllib.parse import parse_qs

from hypothesis import strategies as st

from dumper.rules.keys import Key
from dumper.rules.messages import Request, Response, StoredResponse, Unreadable
from dumper.rules.tags import path_tag

FACTS = ("scheme", "host", "path", "path_info", "language", "time_zone")
#: as RFC 9110 §5.6.2 has it
TCHAR = "!#$%&'*+-.^_`|~" + string.digits + string.ascii_letters
FINGERPRINT = "f" * 64
KEY = Key(path_tag("/page/"), FINGERPRINT[:32], FINGERPRINT)


def a_request(**facts: Any) -> Request:
    """A plain GET of ``/page/``, but for the facts given; its parameters and cookies are those of its fields."""
    path = facts.pop("path", "/page/")
    query, environ = facts.get("query", ""), facts.get("environ", {})
    return Request(
        **{
            "method": "GET",
            "scheme": "https",
            "host": "example.org",
            "path": path,
            "path_info": path,
            "query": "",
            "language": "en",
            "time_zone": "UTC",
            "environ": {},
            "parameters": lambda: parse_qs(query, keep_blank_values=True),
            "cookies": lambda: cookies_of(environ.get("HTTP_COOKIE", "")),
            **facts,
        }
    )


def cookies_of(field: str) -> dict[str, str]:
    """The cookies of a plain Cookie field."""
    pairs = (pair.partition("=") for pair in field.split("; ") if pair)
    return {name: value for name, _, value in pairs}


def unreadable() -> Any:
    """What cannot be read of a request."""
    raise Unreadable("it cannot be read")


def a_response(headers: dict[str, str] | None = None, **facts: Any) -> Response:
    """A plain page, but for the headers and facts given; complete, unless they say something else."""
    body = facts.get("body", b"page")
    return Response(
        **{
            "status": 200,
            "reason": "OK",
            "headers": headers or {},
            "body": body,
            "length": len(body or b""),
            "slots": None,
            "sets_cookie": False,
            "personal": None,
            "dimensions": frozenset(),
            "language": "en",
            "time_zone": "UTC",
            **facts,
        }
    )


def a_stored(headers: dict[str, str] | None = None, **facts: Any) -> StoredResponse:
    """A plain page as it lies in the store under ``KEY``, but for the headers and facts given."""
    return StoredResponse(
        **{
            "fingerprint": FINGERPRINT,
            "generations": {},
            "stored_at": 1_700_000_000.0,
            "expires_at": None,
            "status": 200,
            "reason": "OK",
            "headers": [[name, value] for name, value in (headers or {}).items()],
            "marks": {},
            "slots": None,
            "bodies": {"identity": b"page"},
            **facts,
        }
    )


#: The facts of requests, near enough to each other that pairs of them share most.
facts = st.fixed_dictionaries({name: st.text(alphabet="a1:/é", max_size=3) for name in FACTS})
#: what a server may hand over as the value of a field: any bytes, in latin-1
values = st.text(alphabet=st.characters(max_codepoint=255), max_size=30)
