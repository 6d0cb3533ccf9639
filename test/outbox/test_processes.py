"""Real processes, a real Redis that is out of reach for a while, and a real cache in front."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dumper.upstreams.dispatch import EXIT_SECONDS
from test.outbox.weather import Weather
from test.servers import ROOT, RedisServer

pytestmark = pytest.mark.slow


class Process:
    """See test/outbox/process.py."""

    def __init__(self, environ: dict[str, str], *role: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "test.outbox.process", *role],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
            env={**os.environ, **environ},
        )

    def ask(self, words: str) -> Any:
        """What it answers; None if it was killed."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def seconds_to_end(self, number: int = 0) -> float:
        """How long it takes to end by itself, after its input or by a signal."""
        began = time.monotonic()
        if number:
            self.process.send_signal(number)
        else:
            assert self.process.stdin
            self.process.stdin.close()
        assert self.process.wait(30) == 0
        return time.monotonic() - began

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """One that a test may stop."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def weather() -> Iterator[Weather]:
    with Weather() as weather:
        weather.mood = "done"
        yield weather


Start = Callable[..., Process]


@pytest.fixture
def start(redis: RedisServer, weather: Weather, tmp_path: Path) -> Iterator[Start]:
    environ = {
        "TORTURE_DATABASE": f"sqlite://{tmp_path}/site.sqlite3",
        "TORTURE_REDIS": redis.url,
        "TORTURE_UPSTREAM": weather.url,
        "TORTURE_AGAIN_AFTER": "60",
    }
    processes = []

    def start(role: str = "talk") -> Process:
        processes.append(Process(environ, role))
        return processes[-1]

    assert start("create").seconds_to_end() < 20
    yield start
    for process in processes:
        process.end()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("is_lost", [False, True], ids=["out of reach", "killed"])
def test_what_the_store_was_not_told_is_not_served_by_another_process_either(
    is_lost: bool, start: Start, redis: RedisServer, weather: Weather
) -> None:
    """The writer cannot reach the store, and is killed; the store comes back as it was, or empty."""
    reader, writer = start(), start()
    assert writer.ask("save a 1") == "saved"
    reader.ask("get a")
    assert reader.ask("get a") == ["1", "dumper; hit"]
    redis.stop(kill=True) if is_lost else redis.pause()
    assert writer.ask("save a 2 kill") is None
    redis.start() if is_lost else redis.resume()
    time.sleep(1.1)  # for so long the reader trusts the store
    late = start()
    for process in (reader, late):
        assert process.ask("get a")[0] == "2"
    wait_for(lambda: late.ask("get a") == ["2", "dumper; hit"])
    assert reader.ask("get a")[0] == "2"
    wait_for(lambda: "/a/2/" in weather.purged)


def test_a_purge_that_a_killed_process_has_left_is_made_by_the_next_that_serves_a_page(
    start: Start, weather: Weather
) -> None:
    assert start().ask("save a 1 kill") is None
    assert not weather.purged
    assert start().ask("get a")[0] == "1"
    wait_for(lambda: weather.purged.keys() == {"/a/", "/a/1/"})


@pytest.mark.alone
@pytest.mark.parametrize("mood", ["done", "refused", "hung"])
def test_a_process_ends_at_once_whatever_it_has_left_to_deliver(mood: str, start: Start, weather: Weather) -> None:
    """Each purge is to be made once more after a minute, which another process will see to."""
    weather.mood = mood
    process = start()
    assert process.ask("save a 1") == "saved"
    wait_for(lambda: bool(weather.calls))
    assert process.seconds_to_end() < EXIT_SECONDS - 0.2


@pytest.mark.alone
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_delivers_what_others_have_left_until_it_is_told_to_stop(
    number: int, start: Start, weather: Weather
) -> None:
    worker = start("deliver")
    assert start().ask("save a 1 kill") is None
    wait_for(lambda: weather.purged.keys() == {"/a/", "/a/1/"})
    assert start().ask("save b 1 kill") is None
    wait_for(lambda: "/b/1/" in weather.purged)
    assert worker.seconds_to_end(number) < EXIT_SECONDS - 0.2
