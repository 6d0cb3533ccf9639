"""What the tests of the feed have in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

import redis

from dumper.near.feed import Feed
from test.servers import HOST

PREFIX = b"p:"
BOUND = 0.4


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """What ``condition`` answers, as soon as that is something."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.002)
    return found


class Watched(Feed):
    """A feed that keeps what it was told, and counts how often it connects."""

    def __init__(
        self, port: int = 0, bound: float = BOUND, kind: type[redis.Connection] = redis.Connection, **options: Any
    ) -> None:
        self.told: list[Collection[bytes] | None] = []
        self.tries = 0
        options = {"socket_timeout": 1, **({"host": HOST, "port": port} if port else {}), **options}

        def connect() -> redis.Connection:
            self.tries += 1
            connection = kind(protocol=3, **options)
            connection.connect()
            return connection

        super().__init__(connect, PREFIX, bound, self.hear)

    def __enter__(self) -> Watched:
        until(self.is_current)
        self.told.clear()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def hear(self, names: Collection[bytes] | None) -> None:
        self.told.append(names)

    @property
    def names(self) -> set[bytes]:
        return {name for names in self.told for name in names or ()}

    def hears(self, *names: bytes) -> None:
        """Wait until it was told of ``names``; not because it has lost its connection."""
        until(lambda: self.is_current() and self.names >= set(names))
        assert None not in self.told

    def loses_all(self) -> None:
        """Wait until everything is forgotten; at that moment it is not current."""

        def has_lost() -> bool:
            is_current = self.is_current()
            return None in self.told and not is_current

        until(has_lost)

    def comes_back(self) -> None:
        self.told.clear()
        until(self.is_current)
        assert None in self.told, "what was read meanwhile was under nobody's eyes"


def never_current(feed: Feed, seconds: float, after: float = 0) -> None:
    """Ask for ``seconds``; only questions of before ``after`` may be answered with yes."""
    began = time.monotonic()
    while (asked_at := time.monotonic()) < began + seconds:
        assert not feed.is_current() or asked_at <= after
        time.sleep(0.002)
