"""A small world on real parts: two SQLite databases, a store, and the page that shows a number from each.

Readers ask for the page through the middleware pair; writers add one to a number and say that the page depends on it.
All stop at every step of the way.
"""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

import dumper
from dumper.conf import settings
from dumper.middleware import FetchFromCacheMiddleware, UpdateCacheMiddleware
from dumper.stores.entries import Entry
from dumper.stores.guard import Breaker, Guard
from test.races.actors import Actor, WithheldApart, pause

DATABASES = ("left", "right")
PATH = "/numbers/"


class Stale(AssertionError):
    """A request that began after a commit was answered with what was rendered before it."""


class Stepped:
    """Put before a store class: each operation is a step of its own."""

    def read(self, *args: Any) -> Any:
        pause("read")
        return super().read(*args)  # type: ignore[misc]

    def lease(self, *args: Any) -> Any:
        pause("lease")
        return super().lease(*args)  # type: ignore[misc]

    def write(self, *args: Any) -> Any:
        pause("write")
        return super().write(*args)  # type: ignore[misc]

    def hold(self, *args: Any) -> Any:
        pause("hold")
        super().hold(*args)  # type: ignore[misc]

    def release(self, *args: Any) -> Any:
        pause("release")
        super().release(*args)  # type: ignore[misc]


class Patient(Guard):
    """To wait for another request is a step, after which it may be over or not."""

    def pause(self, turn: Any, seconds: float) -> None:
        pause("wait")


class World:
    """All that takes part in an interleaving."""

    def __init__(self, store: Any, folder: Path) -> None:
        self.store = store
        self.readers: list[Actor] = []
        self.writers: dict[str, Actor] = {}
        self.answers = 0
        self.hits = 0
        self._offset = 0.0
        real = time.time
        withheld = WithheldApart()
        self._exit = ExitStack()
        for target, new in {
            "time.time": lambda: real() + self._offset,
            "dumper.stores._current": Patient(store, Breaker(settings().retry_delay)),
            "dumper.stores.guard.withheld": withheld,
            "dumper.transactions.withheld": withheld,
            "dumper.backlog.withheld": withheld,
        }.items():
            self._exit.enter_context(patch(target, new))
        for name in DATABASES:
            connections.settings[name] = database(folder / f"{name}.sqlite3")
            connect(name).execute("DROP TABLE IF EXISTS number")
            connect(name).execute("CREATE TABLE number (value integer)")
            connect(name).execute("INSERT INTO number VALUES (0)")
        self._ask = UpdateCacheMiddleware(FetchFromCacheMiddleware(view))

    def read(self) -> None:
        """A request begins."""
        self.readers.append(Actor(self._request))

    def _request(self) -> None:
        committed = numbers()
        response = self._ask(RequestFactory().get(PATH))
        shown = json.loads(response.content)
        self.answers += 1
        self.hits += "; hit" in response["Cache-Status"]
        close()
        if any(one < other for one, other in zip(shown, committed, strict=True)):
            raise Stale(f"{committed} was committed before the request began, {shown} was answered")

    def write(self, name: str, *, commits: bool) -> None:
        """A transaction begins on one of the databases, unless one is open there."""
        if name not in self.writers or self.writers[name].at == "end":
            self.writers[name] = Actor(lambda: change(name, commits))

    @property
    def is_committing(self) -> bool:
        """Whether somebody alive is between its hold and its release: there, only there, the store must not forget."""
        return any(writer.at in ("commit", "release") and not writer.is_killed for writer in self.writers.values())

    def wait_for_deadlines(self) -> None:
        self._offset += settings().hold_timeout + 1

    def close(self) -> None:
        """Let all come to their end, then ask once more."""
        try:
            for actor in (*self.writers.values(), *self.readers):
                actor.finish()
            self.read()
            self.readers[-1].finish()
        finally:
            for actor in (*self.writers.values(), *self.readers):
                actor.is_killed = True
                actor.finish()
            close()
            for name in DATABASES:
                del connections.settings[name]
            self._exit.close()


def view(request: HttpRequest) -> HttpResponse:
    pause("render")
    response = HttpResponse(json.dumps(numbers()))
    pause("rendered")
    return response


def change(name: str, commits: bool) -> None:
    connection = connections[name]
    commit = connection.commit

    def stepped_commit() -> None:
        pause("commit")
        commit()

    connection.commit = stepped_commit
    try:
        with transaction.atomic(name):
            connect(name).execute("UPDATE number SET value = value + 1")
            dumper.invalidate_paths([PATH], using=name)
            pause("written")
            if not commits:
                transaction.set_rollback(True, name)
    finally:
        if connection.connection is not None:
            connection.connection.close()  # as the operating system does for a killed process
            connection.connection = None


def numbers() -> list[int]:
    """What is committed in the databases."""
    return [connect(name).execute("SELECT value FROM number").fetchone()[0] for name in DATABASES]


def connect(name: str) -> Any:
    return connections[name].cursor()


def close() -> None:
    for name in DATABASES:
        connections[name].close()
        del connections[name]  # or it would be used again for the next world


def database(path: Path) -> dict[str, Any]:
    """The settings of a SQLite database of its own."""
    return {**connections.settings["default"], "ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "TEST": {}}


def is_held(data: bytes | None) -> bool:
    entry = Entry.parse(data)
    return entry is not None and bool(entry.holds)
