"""A door never answers differently from the pair, whatever is asked of whatever view."""

from __future__ import annotations

import logging

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from dumper.rules.headers import members
from test.fuzz.site import Site, View, settings_at
from test.fuzz.visitors import (
    answers,
    anybody,
    anything,
    conditions,
    deeds,
    readers,
    reads,
    requests,
    servers,
    strangers,
)
from test.http.doors import DOORS, Answer

often = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
Requests = list[tuple[dict[str, str | None], dict[str, str]]]

#: what says when it was answered, what was made anew for whoever is served, and whose bytes it may be
OF_304 = {"cache-control", "content-location", "date", "etag", "expires", "last-modified", "vary"}
OWN = {"age", "set-cookie", "cache-status", "content-length", "etag"}


@pytest.fixture(scope="module", params=["off", "checked"])
def site(request):
    with override_settings(**settings_at("test.fuzz.doors"), DUMPER_NEAR_CACHE=request.param):
        logging.disable()  # of what visitors get wrong, there is much
        yield Site()
        logging.disable(logging.NOTSET)


def ask(way: str, given_fields: dict[str, str | None], server: dict[str, str]) -> Answer | type[Exception]:
    sent = {name: value for name, value in given_fields.items() if value is not None}
    query = server.get("QUERY_STRING", "")
    try:
        return DOORS[way]("/page/" + ("?" + query if query else ""), sent, server.get("REQUEST_METHOD", "GET"))
    except (UnicodeError, ValueError) as error:  # no server would let it pass
        return type(error)


def compare(site: Site, view: View, asked: Requests, pair: str, door: str) -> None:
    """Both are asked in turn, so that either meets what the other has stored."""
    site.serve(view)
    for given_fields, server in asked:
        ways = [door, pair, door, pair, door, pair]
        *_, by_door, by_pair = [ask(way, given_fields, server) for way in ways]
        if isinstance(by_door, type) or isinstance(by_pair, type):
            assert by_door == by_pair
            continue
        event(by_pair.headers.get("cache-status", "").partition(" detail")[0])
        assert by_door.status == by_pair.status
        assert last_member(by_door) == last_member(by_pair)
        assert shared(by_door) == shared(by_pair)
        if view.deed not in ("form", "token") and last_member(by_pair).startswith("hit"):
            assert by_door.body == by_pair.body
            assert by_door.headers.get("etag") == by_pair.headers.get("etag")


def shared(answer: Answer) -> dict[str, str | list[str]]:
    """The fields that have to be the same; Django's middleware writes Vary anew, in its own spelling."""
    # It also adds to a 304 what that need not have (RFC 9110 §15.4.5).
    counted = OF_304 if answer.status == 304 else answer.headers
    fields = {name: value for name, value in answer.headers.items() if name in counted and name not in OWN}
    return {**fields, "vary": members(answer.headers.get("vary", ""))}


def last_member(answer: Answer) -> str:
    """What this cache has decided, without how long it stays so."""
    said = answer.headers.get("cache-status", "").rpartition("dumper; ")[2]
    return "; ".join(part for part in said.split("; ") if not part.startswith("ttl="))


@pytest.mark.parametrize(
    ("pair", "door"), [("sync", "wsgi door"), pytest.param("async", "asgi door", marks=pytest.mark.slow)]
)
class TestBoth:
    @often
    @given(st.builds(View, reads=reads, deed=deeds), requests(readers, servers, most=3))
    def test_in_what_a_page_varies(self, site, pair, door, view, asked):
        compare(site, view, asked, pair, door)

    @often
    @given(st.builds(View, headers=answers, length=st.sampled_from([0, 500])), requests(conditions | strangers, most=3))
    def test_what_is_stored_and_what_is_not(self, site, pair, door, view, asked):
        compare(site, view, asked, pair, door)

    @often
    @given(anything, requests(anybody, servers))
    def test_whatever_comes(self, site, pair, door, view, asked):
        compare(site, view, asked, pair, door)
