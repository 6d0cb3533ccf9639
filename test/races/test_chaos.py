"""Everything at once, for a while: readers, writers, and a Redis that loses keys, holds garbage, dies, comes back."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import connections, transaction
from django.test import RequestFactory, override_settings

import dumper
from dumper.backlog import backlog
from dumper.middleware import FetchFromCacheMiddleware, UpdateCacheMiddleware
from test.races.world import DATABASES, PATH, close, connect, database, numbers, view

SECONDS = 10


@pytest.fixture
def _databases(tmp_path: Path, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        for name in DATABASES:
            connections.settings[name] = database(tmp_path / f"{name}.sqlite3")
            connections.settings[name]["OPTIONS"] = {"init_command": "PRAGMA journal_mode=wal", "timeout": 20}
            connect(name).execute("CREATE TABLE number (value integer)")
            connect(name).execute("INSERT INTO number VALUES (0)")
        yield
        close()
        for name in DATABASES:
            del connections.settings[name]


class Chaos:
    """Threads that each do one thing again and again until time is up; the first error ends them all."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.ask = UpdateCacheMiddleware(FetchFromCacheMiddleware(view))
        self.hits = self.answers = 0
        self.errors: list[BaseException] = []
        self.until = time.monotonic() + SECONDS

    def run(self, *acts: Callable[[random.Random], None]) -> None:
        threads = [threading.Thread(target=self._repeat, args=(act, seed)) for seed, act in enumerate(acts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.errors:
            raise self.errors[0]

    def _repeat(self, act: Callable[[random.Random], None], seed: int) -> None:
        dice = random.Random(seed)
        try:
            while time.monotonic() < self.until and not self.errors:
                act(dice)
        except BaseException as error:
            self.errors.append(error)
        finally:
            close()

    def read(self, dice: random.Random) -> None:
        committed = numbers()
        response = self.ask(RequestFactory().get(PATH, {"variant": dice.randrange(3)}))
        shown = json.loads(response.content)
        self.answers += 1
        self.hits += "; hit" in response["Cache-Status"]
        assert all(one >= other for one, other in zip(shown, committed, strict=True)), (committed, shown)

    def writer(self, name: str) -> Callable[[random.Random], None]:
        def write(dice: random.Random) -> None:
            with transaction.atomic(name):
                connect(name).execute("UPDATE number SET value = value + 1")
                dumper.invalidate_paths([PATH], using=name)
                transaction.set_rollback(dice.random() < 0.2, name)
            time.sleep(dice.random() / 20)

        return write

    def damage(self, dice: random.Random) -> None:
        """Redis loses a key, or all, or finds garbage in one, or is killed, or stops for a moment."""
        time.sleep(dice.random() / 10)
        client = redis.Redis.from_url(self.server.url, socket_timeout=5)
        try:
            keys = sorted(client.keys())
            what = dice.randrange(40)
            if what == 0:
                self.server.stop(kill=True)
                time.sleep(dice.random())
                self.server.start()
            elif what == 1:
                self.server.pause()
                time.sleep(dice.random())
                self.server.resume()
            elif what < 6:
                client.flushall()
            elif keys and what < 25:
                client.delete(dice.choice(keys))
            elif keys:
                client.set(dice.choice(keys), dice.choice((b"", b"1 ", b"1 g -=1", b"DMPR\xff", dice.randbytes(99))))
        finally:
            client.close()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["django_redis.cache.RedisCache", "django.core.cache.backends.redis.RedisCache"])
@pytest.mark.usefixtures("_databases")
def test_whatever_becomes_of_redis_no_page_is_stale(backend: str, redis_server: Any) -> None:
    """Nor is there an error; and afterwards pages are stored again."""
    redis_server.flush()
    caches = {"default": {"BACKEND": backend, "LOCATION": redis_server.url}}
    with override_settings(CACHES=caches, DUMPER_STORE_TIMEOUT=0.1, DUMPER_RETRY_DELAY=0.1):
        chaos = Chaos(redis_server)
        chaos.run(chaos.read, chaos.read, chaos.read, *map(chaos.writer, DATABASES), chaos.damage)
        assert chaos.hits > 100, (chaos.hits, chaos.answers)
        hits, deadline = chaos.hits, time.monotonic() + 10
        while chaos.hits == hits:
            assert time.monotonic() < deadline
            time.sleep(0.2)
            chaos.read(random.Random(0))
        assert not len(backlog)
