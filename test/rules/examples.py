"""Requests and responses for the tests of the rules."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from dumper.rules.messages import Request, Response

FACTS = ("method", "scheme", "host", "path", "path_info", "query", "language", "time_zone")


def a_request(**facts: Any) -> Request:
    """A plain GET of ``/page/``, but for the facts given."""
    path = facts.pop("path", "/page/")
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
            **facts,
        }
    )


def a_response(headers: dict[str, str] | None = None, **facts: Any) -> Response:
    """A plain page, but for the headers and facts given."""
    return Response(
        **{
            "status": 200,
            "reason": "OK",
            "headers": headers or {},
            "body": b"page",
            "sets_cookie": False,
            "language": "en",
            "time_zone": "UTC",
            **facts,
        }
    )


#: The facts of requests, near enough to each other that pairs of them share most.
facts = st.fixed_dictionaries({name: st.text(alphabet="a1:/é", max_size=3) for name in FACTS})
