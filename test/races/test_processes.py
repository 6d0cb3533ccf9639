"""Races and kills among real processes, on real databases and a real Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from test.races import STEPS
from test.servers import ROOT

DATABASES = ("sqlite", "READ_COMMITTED", "REPEATABLE_READ")
BACKENDS = ("django_redis.cache.RedisCache", "django.core.cache.backends.redis.RedisCache")


class Process:
    """One process of the site; see test/races/process.py."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "test.races.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **environ},
        )

    def send(self, *words: str) -> None:
        assert self.process.stdin
        self.process.stdin.write("\t".join(words) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        """What it says; None if it was killed."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def ask(self, *words: str) -> Any:
        self.send(*words)
        return self.answer()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()


class Site:
    """A database, a store, and processes that share them."""

    def __init__(self, **environ: str) -> None:
        self.environ = environ
        self.processes: list[Process] = []

    def start(self) -> Process:
        self.processes.append(Process(self.environ))
        return self.processes[-1]

    def end(self) -> None:
        for process in self.processes:
            process.end()


@pytest.fixture
def new_site(redis_server: Any, postgres_server: Any, tmp_path: Path) -> Iterator[Callable[[str, str], Site]]:
    """Makes a site on an empty database and an empty Redis."""
    sites = []

    def make(database: str, backend: str) -> Site:
        redis_server.flush()
        if database == "sqlite":
            url = f"sqlite://{tmp_path}/race.sqlite3"
        else:
            with_new_tables(postgres_server.url)
            url = f"{postgres_server.url}#{database}"
        site = Site(RACE_DATABASE=url, RACE_BACKEND=backend, RACE_REDIS=redis_server.url)
        sites.append(site)
        assert site.start().ask("create") == "created"
        return site

    yield make
    for site in sites:
        site.end()


def with_new_tables(url: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS race_scoop")


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("database", DATABASES)
def test_a_slow_view_that_read_old_data_does_not_leave_it_behind(database: str, backend: str, new_site: Any) -> None:
    """It finishes after the change was committed: the next request is fresh, and so is the one after."""
    site = new_site(database, backend)
    reader, writer = site.start(), site.start()
    assert reader.ask("get", "slow") == "rendering"
    assert writer.ask("save", "1", "never") == "saved"
    assert reader.ask("go on")[0] == 0
    reader.send("get", "slow")
    assert reader.answer() == "rendering", "what was rendered before the change is not served"
    assert reader.ask("go on")[0] == 1
    assert writer.ask("get", "slow") == [1, "dumper; hit"], "now it is stored"


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("database", ["sqlite", "READ_COMMITTED"])
def test_a_writer_killed_at_any_step_leaves_nothing_stale(step: str, database: str, new_site: Any) -> None:
    """Neither at once nor later; and the page is stored again after the deadline at the latest."""
    site = new_site(database, BACKENDS[0])
    reader, writer = site.start(), site.start()
    reader.ask("get")
    assert reader.ask("get") == [0, "dumper; hit"]
    assert writer.ask("save", "1", step) is None
    killed_at = time.monotonic()
    is_committed = step in ("after the commit", "during the release", "after the release")
    answers = [reader.ask("get")]
    while answers[-1][1] != "dumper; hit":
        assert time.monotonic() < killed_at + 10
        time.sleep(0.1)
        answers.append(reader.ask("get"))
    assert {value for value, _ in answers} == {int(is_committed)}
