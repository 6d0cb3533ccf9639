"""Whatever happens in whatever order: a near copy is never served where the store would serve something else."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import RequestFactory, override_settings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from dumper import conf, near, stores
from dumper.exchange import Exchange
from dumper.middleware.messages import request_from
from dumper.rules.headers import IDENTITY
from dumper.rules.keys import Key
from dumper.rules.messages import StoredResponse
from dumper.rules.tags import SITE, path_tag
from dumper.steps import run
from dumper.stores.base import Item, Store
from dumper.stores.entries import Hold
from test.http import urls
from test.http.doors import DOORS
from test.near.feeds import until
from test.near.sites import asked, site

PATHS = ("/a/", "/b/")
TAGS = (*map(path_tag, PATHS), SITE)
WAYS = ("wsgi door", "sync", "asgi door")
paths = st.sampled_from(PATHS)
tags = st.sampled_from(TAGS)
CLOCK = time.time


class NearTheStore(RuleBasedStateMachine):
    """What may happen. A store of the same place, that this process's near cache knows nothing of, is another's."""

    near_hits = 0

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0
        self.clock = patch("time.time", lambda: CLOCK() + self.passed)
        self.clock.start()
        near.current().forget(None)
        near.current().copies.__init__(conf.settings().near_cache_size)  # type: ignore[misc]
        self.other: Store = stores.make(conf.settings())
        self.empty()
        urls.views.clear()
        urls.views[""] = urls.page(shows=lambda request: request.COOKIES.get("a"))
        urls.views["/b/"] = urls.page({"Cache-Control": "max-age=100"}, shows=lambda request: request.headers.get("b"))

    def empty(self) -> None:
        from django.core.cache import caches

        caches["default"].clear()

    def settle(self) -> None:
        """Wait until this process has been told of all that was changed elsewhere."""

    def stored_for(self, path: str, fields: dict[str, str]) -> bytes | None:
        """What the store alone would serve."""
        variables = {"HTTP_" + name.upper(): value for name, value in fields.items()}
        request = WSGIRequest(RequestFactory().get(path, **variables).environ)
        exchange = Exchange(request_from(request), conf.settings())
        run(exchange.lookup(), self.other)
        if not run(exchange.seek(), self.other):
            return None
        return exchange.found().stored.bodies[IDENTITY]

    @rule(path=paths, way=st.sampled_from(WAYS), value=st.sampled_from(["1", "2", None]), times=st.integers(1, 4))
    def somebody_asks(self, path: str, way: str, value: str | None, times: int) -> None:
        fields = {} if value is None else {"Cookie": f"a={value}", "b": value}
        for _ in range(times):
            self.settle()
            expected = self.stored_for(path, fields)
            with asked() as names:
                answer = DOORS[way](path, fields)
            if expected is None:
                assert not answer.is_hit, (answer, names)
            else:
                assert answer.body == expected
            shown = answer.body.decode().split()[0]
            assert shown == str(value)
            type(self).near_hits += answer.is_hit and "read" not in names

    @rule(tag=tags)
    def another_changes(self, tag: Any) -> None:
        self.other.release([tag], "another")

    @rule(tag=tags)
    def it_is_changed_here(self, tag: Any) -> None:
        stores.current().release([tag], "here")

    @rule(tag=tags, is_released=st.booleans())
    def another_holds(self, tag: Any, is_released: bool) -> None:
        self.other.hold([tag], Hold("another", time.time() + 50))
        if is_released:
            self.other.release([tag], "another")

    @rule(seconds=st.sampled_from([1, 40, 60, 120]))
    def time_passes(self, seconds: int) -> None:
        self.passed += seconds

    @rule(number=st.integers(0, 5))
    def another_stores_what_it_has_rendered(self, number: int) -> None:
        if known := self.known():
            key, stored = known[number % len(known)]
            bodies = {
                IDENTITY: stored.bodies[IDENTITY].split()[0] + b" rendered elsewhere %f" % (time.time() + CLOCK())
            }
            other = replace(stored, bodies=bodies, stored_at=time.time())
            self.other.write([Item(key, other.pack(), None)], stored.generations)

    @rule(number=st.integers(0, 5))
    def a_page_is_removed(self, number: int) -> None:
        if known := self.known():
            key, stored = known[number % len(known)]
            self.other.write([Item(key, b"garbage", None)], stored.generations)

    @rule()
    def all_is_lost(self) -> None:
        self.empty()

    def known(self) -> list[tuple[Key, StoredResponse]]:
        return [(key, copy.stored) for key, copy in near.current().copies._copies.items()]

    def teardown(self) -> None:
        self.clock.stop()


class ToldOf(NearTheStore):
    """Redis tells of changes; whoever asks does so after the news has come."""

    def settle(self) -> None:
        cache, told = near.current(), []
        mark = self.other.prefix.encode() + b"mark"

        def forget(names: Any) -> None:
            told.extend(names or ())
            cache.forget(names)

        with patch.object(cache._feed._link, "_forget", forget):
            until(lambda: self.other.client.set(mark, 1) and cache._feed.is_current() and mark in told)


def explore(machine: type[NearTheStore], examples: int) -> None:
    machine.near_hits = 0
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert machine.near_hits > examples // 4, "hardly any near copy was served"


@pytest.mark.parametrize("size", [33_554_432, 50_000], ids=["all of it", "little"])
def test_in_local_memory(size):
    place = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "test.near"}
    with site(CACHES={"default": place}, DUMPER_NEAR_CACHE_SIZE=size, DUMPER_COLLAPSE_TIMEOUT=None):
        explore(NearTheStore, 100)


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "machine"), [("checked", NearTheStore), ("pushed", ToldOf)])
def test_in_redis(redis_server, mode, machine):
    place = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": redis_server.url}
    with site(CACHES={"default": place}, DUMPER_NEAR_CACHE=mode), override_settings(DUMPER_COLLAPSE_TIMEOUT=None):
        if mode == "pushed":
            until(lambda: near.current()._feed.is_current())
        explore(machine, 30)
