"""What becomes of one request, on a real store in local memory: which calls are made, and what is decided."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace

import pytest
from django.core.cache import caches
from django.test import override_settings

from dumper import stores
from dumper.conf import settings
from dumper.exceptions import StoreError
from dumper.exchange import Exchange
from dumper.rules.messages import StoredResponse
from dumper.rules.tags import SITE, named_tag, path_tag
from dumper.steps import run
from dumper.stores.base import untrue
from dumper.stores.entries import Entry, Hold
from test.rules.examples import a_request, a_response

TAG = path_tag("/page/")


class Noted:
    """The store in use; notes the calls, and fails at those named."""

    def __init__(self) -> None:
        self.store = stores.current()
        self.calls: list[str] = []
        self.failing: set[str] = set()

    def __getattr__(self, name):
        def method(*args):
            self.calls.append(name)
            if name in self.failing:
                raise StoreError("it is down")
            return getattr(self.store, name)(*args)

        return method


@pytest.fixture
def noted():
    place = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "test.exchange"}
    with override_settings(CACHES={"default": place}):
        caches["default"].clear()
        yield Noted()
        caches["default"].clear()


class Visit:
    """One request on its way: looked up at once, then served and settled as the test says."""

    def __init__(self, noted: Noted, **facts) -> None:
        self.noted = noted
        self.request = a_request(**facts)
        self.exchange = Exchange(self.request, settings())
        noted.calls.clear()
        run(self.exchange.lookup(), noted)

    def serve(self, language="en", time_zone="UTC", negotiated=False) -> StoredResponse | None:
        return run(self.exchange.serve(language, time_zone, negotiated), self.noted)

    def missed(self) -> Visit:
        assert self.serve() is None
        return self

    def settle(self, headers=None, **facts) -> str:
        run(self.exchange.settle(a_response(headers, **facts)), self.noted)
        return str(self.exchange.decision)


def stored(noted, headers=None, **facts) -> None:
    visit = Visit(noted, **facts)
    assert visit.serve() is None
    assert "stored" in visit.settle(headers)


def test_a_first_request_reads_leases_and_writes(noted):
    visit = Visit(noted)
    assert noted.calls == ["read", "lease"]
    assert visit.serve() is None
    assert visit.exchange.is_open
    assert visit.settle() == "dumper; fwd=uri-miss; stored"
    assert noted.calls == ["read", "lease", "write"]


def test_a_second_request_reads_once_and_is_served(noted):
    stored(noted, {"X-Name": "größe", "Connection": "close, X-Hop", "X-Hop": "a"})
    visit = Visit(noted)
    found = visit.serve()
    assert found.bodies["identity"] == b"page"
    assert [tuple(field) for field in found.headers][:1] == [("X-Name", "größe")]
    assert found.generations.keys() == {TAG, SITE}
    assert noted.calls == ["read"]
    assert not visit.exchange.is_open
    assert str(visit.exchange.decision) == "dumper; hit"


def test_a_request_past_the_store_makes_no_call_at_all(noted):
    for facts in ({"method": "POST"}, {"path": "/admin/x/"}, {"host": None}):
        with override_settings(DUMPER_PATH_IGNORE_REGEX="^/admin/"):
            visit = Visit(noted, **facts)
        assert visit.serve() is None
        assert not visit.exchange.is_open
        assert noted.calls == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda known: known.release([TAG], "a"), 'dumper; fwd=stale; detail="invalidated"'),
        (lambda known: known.release([SITE], "a"), 'dumper; fwd=stale; detail="site invalidated"'),
        (lambda known: known.hold([TAG], Hold("a", time.time() + 60)), 'dumper; fwd=stale; detail="held by a change"'),
    ],
    ids=["its path is invalidated", "the site is invalidated", "its path is held"],
)
def test_what_is_no_longer_true_is_not_served(noted, change, status):
    stored(noted)
    data = caches["default"].get(name_of())
    change(noted.store)
    caches["default"].set(name_of(), data, None)  # as if it had been stored elsewhere
    visit = Visit(noted)
    assert visit.serve() is None
    assert str(visit.exchange.decision) == status


def name_of() -> str:
    return stores.current().store.response_name(Exchange(a_request(), settings()).key)


def test_what_was_answered_before_the_place_of_a_hit_is_not_stored(noted):
    assert Visit(noted).settle() == 'dumper; fwd=bypass; detail="answered before FetchFromCacheMiddleware"'


def test_a_change_between_the_look_up_and_the_store_keeps_a_page_from_being_stored(noted):
    visit = Visit(noted).missed()
    noted.store.release([TAG], "a")
    assert visit.settle() == 'dumper; fwd=uri-miss; detail="changed while it was rendered"'


def test_a_page_whose_path_is_held_is_neither_served_nor_stored(noted):
    noted.store.hold([TAG], Hold("a", time.time() + 60))
    visit = Visit(noted)
    assert visit.serve() is None
    assert visit.settle() == 'dumper; fwd=uri-miss; detail="held by a change"'
    assert "write" not in noted.calls


def test_a_hold_that_is_overdue_is_settled_at_the_look_up(noted):
    stored(noted)
    noted.store.hold([TAG], Hold("a", time.time() - 1))
    visit = Visit(noted)
    assert noted.calls == ["read", "lease"]
    assert visit.serve() is None
    assert "stored" in visit.settle()


def test_another_language_is_read_again_and_stored_under_its_own_key(noted):
    stored(noted)
    visit = Visit(noted)
    assert visit.serve(language="de", negotiated=True) is None
    assert noted.calls == ["read", "read"]
    assert visit.settle({"Vary": "Accept-Language"}, language="de") == "dumper; fwd=uri-miss; stored"
    assert Visit(noted).serve(language="de").bodies["identity"] == b"page"
    assert Visit(noted).serve(time_zone="Europe/Berlin") is None


@pytest.mark.parametrize("call", ["read", "lease"])
def test_a_store_that_fails_at_the_look_up_is_left_alone(noted, call):
    noted.failing = {call}
    visit = Visit(noted)
    assert visit.serve() is None
    assert not visit.exchange.is_open
    assert str(visit.exchange.decision) == 'dumper; fwd=bypass; detail="the store does not answer"'


def test_a_store_that_fails_later_is_left_alone_from_then_on(noted):
    visit, other = Visit(noted), Visit(noted).missed()
    noted.failing = {"read", "write"}
    assert visit.serve(language="de") is None
    assert not visit.exchange.is_open
    assert other.settle() == 'dumper; fwd=uri-miss; detail="the store did not take it"'


def test_what_was_forbidden_is_neither_served_nor_stored(noted):
    stored(noted)
    visit = Visit(noted)
    visit.exchange.forbid("inside a transaction")
    assert visit.serve() is None
    assert not visit.exchange.is_open
    assert str(visit.exchange.decision) == 'dumper; fwd=bypass; detail="inside a transaction"'


@pytest.mark.parametrize(
    ("headers", "timeout", "expected"),
    [
        ({}, None, "dumper; fwd=uri-miss; stored"),
        ({}, 60, "dumper; fwd=uri-miss; stored; ttl=60"),
        ({"Cache-Control": "max-age=5"}, 60, "dumper; fwd=uri-miss; stored; ttl=5"),
        ({"Cache-Control": "max-age=0"}, 60, 'dumper; fwd=uri-miss; detail="expired"'),
        ({"Cache-Control": "private"}, None, 'dumper; fwd=uri-miss; detail="private"'),
    ],
)
def test_a_page_is_stored_as_long_as_it_says(noted, headers, timeout, expected):
    with override_settings(DUMPER_TIMEOUT=timeout):
        visit = Visit(noted).missed()
    assert visit.settle(headers) == expected


def test_damaged_or_foreign_data_is_a_miss(noted):
    stored(noted)
    for garbage in (b"", b"DMPR", caches["default"].get(name_of())[:-1], "text", 1):
        caches["default"].set(name_of(), garbage, None)
        visit = Visit(noted)
        assert visit.serve() is None
        assert str(visit.exchange.decision) == "dumper; fwd=uri-miss"


def test_a_page_may_depend_on_more_tags_than_its_request(noted):
    visit = Visit(noted)
    other = named_tag("news")
    entries = noted.store.lease([TAG, SITE, other])
    generations = {tag: entry.generation for tag, entry in entries.items()}
    page = replace(PAGE, fingerprint=visit.exchange.key.fingerprint, generations=generations)
    caches["default"].set(name_of(), page.pack(), None)
    assert Visit(noted).serve() == page
    assert noted.calls == ["read", "entries"]
    noted.store.release([other], "a")
    assert Visit(noted).serve() is None


def test_of_two_leases_of_a_tag_at_once_the_older_counts(noted):
    visit, tag = Visit(noted).missed(), named_tag("news")
    first, second = visit.exchange.depend([tag]), visit.exchange.depend([tag])
    next(first), next(second)
    older = noted.store.lease([tag])
    finish(first, older)
    noted.store.release([tag], "a")
    finish(second, noted.store.lease([tag]))
    assert "stored" not in visit.settle()


def test_what_was_forbidden_stays_so_whatever_is_leased_meanwhile(noted):
    visit, tag = Visit(noted).missed(), named_tag("news")
    lease = visit.exchange.depend([tag])
    next(lease)
    visit.exchange.forbid("inside a transaction")
    finish(lease, noted.store.lease([tag]))
    assert not visit.exchange.is_open


def finish(steps, result) -> None:
    with suppress(StopIteration):
        steps.send(result)


PAGE = StoredResponse(
    fingerprint="f",
    generations={TAG: "g1"},
    stored_at=0,
    expires_at=None,
    status=200,
    reason="OK",
    headers=[],
    marks={},
    slots=None,
    bodies={"identity": b""},
)


@pytest.mark.parametrize(
    ("page", "entry", "reason"),
    [
        (PAGE, Entry("g1"), None),
        (PAGE, Entry("g2"), "invalidated"),
        (PAGE, None, "invalidated"),
        (PAGE, Entry("g1", {"a": 9e9}), "held by a change"),
        (replace(PAGE, expires_at=101), Entry("g1"), None),
        (replace(PAGE, expires_at=100), Entry("g1"), "expired"),
        (replace(PAGE, expires_at=101), Entry("g2"), "invalidated"),
    ],
)
def test_a_page_is_true_while_every_generation_stands_and_it_has_not_expired(page, entry, reason):
    assert untrue(page, {TAG: entry}, now=100) == reason
