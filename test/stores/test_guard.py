"""The guard: what becomes of a store's errors, and of tags that this process must not trust."""

import asyncio
import logging
from types import SimpleNamespace

import pytest
from django.test import override_settings

from dumper import conf
from dumper.exceptions import StoreError
from dumper.stores import make
from dumper.stores.base import Item
from dumper.stores.guard import Breaker, Guard, Withheld, withheld
from test.stores.helpers import PATH, SITE, TAGS, hold, key, lease, put, served

DELAY = 10


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


class Failing:
    """A real store between us and which the line is cut while ``error`` is set."""

    def __init__(self, store):
        self.store, self.error, self.calls = store, None, []

    def __getattr__(self, name):
        method = getattr(self.store, name)

        def call(*args):
            self.calls.append(name)
            if self.error:
                raise self.error
            return method(*args)

        return call


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def failing(tmp_path):
    backend = "django.core.cache.backends.locmem.LocMemCache"
    with override_settings(CACHES={"default": {"BACKEND": backend, "LOCATION": str(tmp_path)}}):
        yield Failing(make(conf.settings()))


@pytest.fixture
def guard(failing, clock):
    return Guard(failing, Breaker(DELAY, clock))


CALLS = {
    "read": (key(), TAGS),
    "entries": (TAGS,),
    "lease": (TAGS,),
    "write": ([Item(key(), b"page", None)], dict.fromkeys(TAGS, "g")),
    "hold": (TAGS, hold()),
    "release": (TAGS, "holder"),
    "sweep": (),
}
ASYNC = ["aread", "aentries", "alease", "awrite"]
every_call = pytest.mark.parametrize("name", [*CALLS, *ASYNC])


def call(guard, name):
    found = getattr(guard, name)(*CALLS[name[1:] if name in ASYNC else name])
    return asyncio.run(found) if name in ASYNC else found


@every_call
@pytest.mark.parametrize("error", [OSError("down"), ValueError(), KeyError("x"), StoreError("swallowed")], ids=repr)
def test_every_error_comes_out_as_a_store_error(guard, failing, name, error):
    failing.error = error
    with pytest.raises(StoreError) as caught:
        call(guard, name)
    assert str(caught.value)


@pytest.mark.parametrize("name", ["hold", "release"])
def test_a_change_is_told_even_to_a_store_that_has_just_failed(guard, failing, name):
    failing.error = OSError("down")
    with pytest.raises(StoreError, match="down"):
        guard.read(key(), TAGS)
    failing.error, failing.calls = None, []
    call(guard, name)
    assert failing.calls == [name]
    guard.read(key(), TAGS)


@pytest.mark.parametrize("name", [name for name in (*CALLS, *ASYNC) if name not in ("hold", "release")])
def test_after_a_failure_the_store_is_left_alone(guard, failing, name):
    failing.error = OSError("down")
    with pytest.raises(StoreError, match="down"):
        guard.read(key(), TAGS)
    failing.error, failing.calls = None, []
    with pytest.raises(StoreError, match="a moment ago"):
        call(guard, name)
    assert failing.calls == []


def test_after_the_delay_one_caller_tries_and_others_wait(guard, failing, clock):
    failing.error = OSError("down")
    with pytest.raises(StoreError):
        guard.lease(TAGS)
    clock.now += DELAY
    failing.calls = []
    for _ in range(3):
        with pytest.raises(StoreError):
            guard.lease(TAGS)
    assert failing.calls == ["lease"]
    clock.now += DELAY
    breaker = guard.breaker
    breaker.check()  # one is on its way, and has not come back
    with pytest.raises(StoreError):
        breaker.check()


def test_a_success_closes_the_breaker(guard, failing, clock):
    failing.error = OSError("down")
    with pytest.raises(StoreError):
        guard.lease(TAGS)
    failing.error = None
    clock.now += DELAY
    lease(guard)
    lease(guard)
    put(guard)


def test_an_outage_is_logged_once_and_so_is_its_end(guard, failing, clock, caplog):
    failing.error = OSError("down")
    for _ in range(3):
        with pytest.raises(StoreError):
            guard.lease(TAGS)
        clock.now += DELAY
    failing.error = None
    for _ in range(3):
        lease(guard)
    assert [(record.name, record.levelno) for record in caplog.records] == [
        ("dumper.store", logging.ERROR),
        ("dumper.store", logging.WARNING),
    ]
    assert "down" in caplog.text


@pytest.mark.parametrize("name", ["write", "awrite"])
def test_a_response_that_is_refused_does_not_open_the_breaker(guard, failing, name, caplog):
    failing.error = ValueError("too large")
    with pytest.raises(StoreError, match="too large"):
        call(guard, name)
    failing.error = None
    lease(guard)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_an_interrupt_is_no_failure_of_the_store(guard, failing):
    failing.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        guard.lease(TAGS)
    failing.error = None
    lease(guard)


@pytest.fixture
def withholder():
    owner = SimpleNamespace(tags={PATH})
    withheld.add(owner)
    yield owner
    withheld.remove(owner)


@pytest.mark.parametrize("tag", TAGS)
def test_a_withheld_tag_is_neither_served_nor_leased(guard, withholder, tag):
    withholder.tags = {}
    leases = put(guard)
    withholder.tags = {tag}
    assert served(guard, leases) is None
    for name in ("entries", "lease", "aentries", "alease"):
        entries = call(guard, name)
        assert [held for held in entries if entries[held].holds] == [tag]
    assert call(guard, "aread").entries == guard.read(key(), TAGS).entries == entries
    withholder.tags = {}
    assert served(guard, leases) == b"page"


@pytest.mark.parametrize("name", ["write", "awrite"])
def test_a_page_with_a_withheld_tag_is_not_written(guard, failing, withholder, name):
    failing.calls = []
    assert call(guard, name) is False
    assert failing.calls == []


def test_a_withheld_tag_without_an_entry_is_held(guard, withholder):
    assert guard.entries(TAGS)[SITE] is None
    assert guard.entries(TAGS)[PATH].holds
    assert guard.store.store.entries(TAGS)[PATH] is None


def test_what_is_withheld_by_two_is_withheld_until_both_are_gone():
    known = Withheld()
    one, other = SimpleNamespace(tags={PATH}), SimpleNamespace(tags={PATH, SITE})
    assert not known
    known.add(one)
    known.add(other)
    known.remove(one)
    assert PATH in known
    assert SITE in known
    assert list(known) == [other]
    known.remove(other)
    known.remove(other)
    assert PATH not in known
    assert not known
