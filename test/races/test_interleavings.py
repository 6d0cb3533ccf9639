"""Thousands of interleavings of requests, transactions, crashes and lost keys: no answer is ever stale.

And every rule is needed: with any of them turned off, a stale answer turns up.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.cache import caches
from django.test import override_settings
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from dumper.conf import settings as dumper_settings
from dumper.stores.locmem import LocMemStore
from dumper.stores.redis import RedisStore, primary
from test.races.mutants import MUTANTS
from test.races.world import DATABASES, Stale, Stepped, World, is_held

GARBAGE = (b"", b"\x00", b"1 ", b"1 g -=1", b"DMPR\xff")
SMALL = st.integers(0, 7)


class Interleavings(RuleBasedStateMachine):
    """What may happen, in any order. Subclasses say where pages are stored."""

    hits = 0

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(self.make_store(), Path(self.folder.name))

    def make_store(self) -> Any: ...

    def keys(self) -> dict[Any, bytes]: ...

    def put(self, key: Any, value: bytes | None) -> None: ...

    @rule()
    def a_request_begins(self) -> None:
        self.world.read()

    @rule()
    def a_request_is_answered(self) -> None:
        self.world.read()
        self.world.readers[-1].finish()

    @rule(name=st.sampled_from(DATABASES), commits=st.sampled_from((True, True, True, False)))
    def a_transaction_begins(self, name: str, commits: bool) -> None:
        self.world.write(name, commits=commits)

    @rule(name=st.sampled_from(DATABASES), at=st.sampled_from(("between", "commit", "release", "end")))
    def a_transaction_comes_as_far_as(self, name: str, at: str) -> None:
        self.world.write(name, commits=True)
        while self.world.writers[name].at not in (at, "end"):
            self.world.writers[name].step()

    @precondition(lambda self: self.world.readers)
    @rule(choice=SMALL, steps=st.integers(1, 6))
    def a_request_goes_on(self, choice: int, steps: int) -> None:
        for _ in range(steps):
            self.world.readers[-1 - choice % min(3, len(self.world.readers))].step()

    @precondition(lambda self: self.world.writers)
    @rule(choice=SMALL, steps=st.integers(1, 2))
    def a_transaction_goes_on(self, choice: int, steps: int) -> None:
        writers = list(self.world.writers.values())
        for _ in range(steps):
            writers[choice % len(writers)].step()

    @precondition(lambda self: self.world.writers)
    @rule(choice=SMALL)
    def a_writer_is_killed(self, choice: int) -> None:
        writers = list(self.world.writers.values())
        writers[choice % len(writers)].kill()

    @rule(choice=SMALL, value=st.sampled_from((None, None, *GARBAGE)))
    def a_key_is_lost_or_damaged(self, choice: int, value: bytes | None) -> None:
        spared = self.world.is_committing
        keys = [key for key, data in self.keys().items() if not (spared and is_held(data))]
        if keys:
            self.put(keys[choice % len(keys)], value)

    @precondition(lambda self: not self.world.is_committing)
    @rule()
    def all_keys_are_lost(self) -> None:
        for key in self.keys():
            self.put(key, None)

    @precondition(lambda self: not self.world.is_committing)
    @rule()
    def deadlines_pass(self) -> None:
        self.world.wait_for_deadlines()

    def teardown(self) -> None:
        with self.folder:
            self.world.close()
        type(self).hits += self.world.hits


class OnLocMem(Interleavings):
    class Store(Stepped, LocMemStore):
        pass

    def make_store(self) -> LocMemStore:
        caches["default"].clear()
        return self.Store(dumper_settings())

    def keys(self) -> dict[str, bytes]:
        names = [name.partition(":1:")[2] for name in sorted(caches["default"]._cache)]
        return {name: value if isinstance(value := caches["default"].get(name), bytes) else b"" for name in names}

    def put(self, key: str, value: bytes | None) -> None:
        caches["default"].delete(key) if value is None else caches["default"].set(key, value, None)


class OnRedis(Interleavings):
    class Store(Stepped, RedisStore):
        pass

    def make_store(self) -> RedisStore:
        cache = caches["default"]
        client = primary(cache)
        assert client
        client.flushall()
        return self.Store(dumper_settings(), cache, client)

    def keys(self) -> dict[bytes, bytes]:
        client = self.world.store.client
        return {key: client.get(key) if client.type(key) == b"string" else b"" for key in sorted(client.keys())}

    def put(self, key: bytes, value: bytes | None) -> None:
        client = self.world.store.client
        client.delete(key) if value is None else client.set(key, value)


def explore(machine: type[Interleavings], examples: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            report_multiple_bugs=False,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )


def overlap(first: str, last: str) -> None:
    """Two transactions on their way at once, a page stored when one is done, and asked for when the other is."""
    machine = OnLocMem()
    try:
        for name in DATABASES:
            machine.a_transaction_comes_as_far_as(name, "commit")
        machine.world.writers[first].finish()
        machine.a_request_is_answered()
        machine.world.writers[last].step()
        machine.a_request_is_answered()
    finally:
        machine.teardown()


def look_for_staleness() -> None:
    overlap(*DATABASES)
    overlap(*DATABASES[::-1])
    explore(OnLocMem, 3000)


@pytest.mark.parametrize("order", [DATABASES, DATABASES[::-1]])
def test_two_transactions_at_once_leave_nothing_stale(order: tuple[str, str]) -> None:
    """The interleavings that chance is slow to find."""
    overlap(*order)


@pytest.fixture(autouse=True)
def _databases(django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.mark.slow
def test_no_interleaving_is_stale_on_locmem() -> None:
    """Requests, transactions, kills, lost and damaged keys, deadlines: in any order."""
    explore(OnLocMem, 300)
    assert OnLocMem.hits > 300  # or nothing would have been put to the test


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["django_redis.cache.RedisCache", "django.core.cache.backends.redis.RedisCache"])
def test_no_interleaving_is_stale_on_redis(backend: str, redis_server: Any) -> None:
    """The same, with the entries changed by Lua scripts."""
    with override_settings(CACHES={"default": {"BACKEND": backend, "LOCATION": redis_server.url}}):
        explore(OnRedis, 150)
    assert OnRedis.hits > 150


@pytest.mark.slow
@pytest.mark.parametrize("rule", MUTANTS)
def test_each_rule_is_needed(rule: str) -> None:
    """Without it a stale answer turns up."""
    with ExitStack() as stack:
        for name, replacement in MUTANTS[rule].items():
            stack.enter_context(patch(name, replacement))
        with pytest.raises(Stale):
            look_for_staleness()
