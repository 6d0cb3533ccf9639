"""Writers, deliverers and the cache in front fail at random: in the end it was told of all that was committed, and of
nothing else. TORTURE_SECONDS says for how long on each database."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from test.mariadb import MariaDBServer
from test.outbox.weather import Weather
from test.servers import ROOT

SECONDS = float(os.environ.get("TORTURE_SECONDS", "15"))
ROLES = ["write"] * 3 + ["deliver"] * 2
#: Seconds that all may take to calm down.
CALM_SECONDS = 60 + 2 * SECONDS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 4 * SECONDS)]


class Crew:
    """The processes of one torture: killed at random, and replaced."""

    def __init__(self, directory: Path, **environ: str) -> None:
        self.journal = directory / "journal"
        self.errors = directory / "errors"
        self.environ = {**os.environ, **environ, "TORTURE_JOURNAL": str(self.journal)}
        self.environ.pop("DJANGO_SETTINGS_MODULE", None)
        self.processes: dict[subprocess.Popen[bytes], str] = {}
        self.kills = 0

    def start(self, role: str) -> None:
        with self.errors.open("ab") as errors:
            process = subprocess.Popen(
                self.command(role), cwd=ROOT, env=self.environ, stdout=subprocess.DEVNULL, stderr=errors
            )
        self.processes[process] = role

    def command(self, role: str) -> list[str]:
        return [sys.executable, "-m", "test.outbox.process", role]

    def run(self, role: str) -> bytes:
        """Have ``role`` done, to its end."""
        command = self.command(role)
        done = subprocess.run(command, cwd=ROOT, env=self.environ, capture_output=True, timeout=CALM_SECONDS)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def replace_one(self) -> None:
        """Kill whoever it hits, and replace all that are dead."""
        random.choice(list(self.processes)).kill()
        for process in list(self.processes):
            if process.poll() is not None:
                self.kills += 1
                assert process.returncode == -signal.SIGKILL, self.errors.read_text()[-4000:]
                self.start(self.processes.pop(process))

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes.clear()


def new_database(server: Any) -> None:
    """An empty one, called "torture"."""
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE DATABASE torture")


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database(request: Any, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite://{tmp_path}/torture.sqlite3"
    elif request.param == "postgresql":
        import psycopg

        server = request.getfixturevalue("postgres_server")
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS torture WITH (FORCE)")
            connection.execute("CREATE DATABASE torture")
        yield server.url.removesuffix("/postgres") + "/torture"
    else:
        with MariaDBServer() as server:
            new_database(server)
            yield server.url.removesuffix("/mysql") + "/torture"


@pytest.fixture
def new_crew(tmp_path: Path, redis_server: Any) -> Iterator[Callable[[str, Weather], Crew]]:
    crews = []

    def make(database: str, weather: Weather) -> Crew:
        redis_server.flush()
        environ = {"DATABASE": database, "REDIS": redis_server.url, "UPSTREAM": weather.url}
        crew = Crew(tmp_path, **{f"TORTURE_{name}": value for name, value in environ.items()})
        crews.append(crew)
        crew.run("create")
        return crew

    yield make
    for crew in crews:
        crew.end()


@pytest.mark.alone
def test_nothing_is_lost_and_nothing_is_told_that_was_rolled_back(
    database: str, new_crew: Any, record_property: Any, capsys: Any
) -> None:
    with Weather() as weather:
        crew = new_crew(database, weather)
        for role in ROLES:
            crew.start(role)
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            time.sleep(random.uniform(0.2, 1.2))
            weather.mood = random.choice(["refused", "done", None, None, None, None])
            crew.replace_one()
        crew.end()
        weather.mood = "done"
        crew.run("drain")
        truth = json.loads(crew.run("truth"))
        purged, faults = dict(weather.purged), Counter(weather.counts)
    committed = truth["committed"]
    lost = [path for path, at in committed.items() if purged.get(path, 0) < at]
    ends = Counter(crew.journal.read_text())
    figures = {
        "commits": ends["c"],
        "rollbacks": ends["r"],
        "database errors": ends["e"],
        "kills": crew.kills,
        **{f"purges {what}": count for what, count in faults.items()},
        "paths": len(committed),
        "lost": len(lost),
        "purged for nothing": len(purged.keys() - committed.keys()),
    }
    for name, value in figures.items():
        record_property(name, value)
    with capsys.disabled():
        print(f"\n{database.partition(':')[0]}: {', '.join(f'{name} {value}' for name, value in figures.items())}")
    assert not lost
    assert not purged.keys() - committed.keys()
    assert truth["left"] == 0
    assert ends["c"] > SECONDS
    assert ends["r"] > SECONDS / 4
    assert faults["done"] > len(committed)
    assert all(faults[what] for what in ("refused", "dropped", "lost"))
