"""What the tests of the stores have in common."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.sync import async_to_sync

from dumper.rules.keys import Key, digest
from dumper.rules.tags import SITE, Tag, path_tag
from dumper.stores.base import Item, Store
from dumper.stores.entries import Hold

PATH = path_tag("/page/")
TAGS = (PATH, SITE)


def key(path: str = "/page/", query: str = "") -> Key:
    fingerprint = digest(path, query)
    return Key(path_tag(path), fingerprint[:32], fingerprint)


PAGE = key()


def hold(holder: str = "holder", seconds: float = 600) -> Hold:
    return Hold(holder, time.time() + seconds)


def lease(store: Store, tags: Collection[Tag] = TAGS) -> dict[Tag, str]:
    """The generations that a page may be stored under: each tag has one, and none is held."""
    entries = store.lease(tags)
    assert entries.keys() == set(tags)
    assert all(entry and entry.admits(entry.generation) for entry in entries.values()), entries
    return {tag: entry.generation for tag, entry in entries.items()}


def admitted(store: Store, leases: dict[Tag, str]) -> bool:
    """Whether a page under ``leases`` is true (rule 1)."""
    entries = store.entries(leases)
    return all((entry := entries[tag]) is not None and entry.admits(leases[tag]) for tag in leases)


def served(store: Store, leases: dict[Tag, str], key: Key = PAGE) -> bytes | None:
    """What a look-up answers with, if the page that is stored is one under ``leases``."""
    data, entries = store.read(key, tuple(leases))
    true = all((entry := entries[tag]) is not None and entry.admits(leases[tag]) for tag in leases)
    return data if true else None


def put(store: Store, data: bytes = b"page", key: Key = PAGE, timeout: float | None = None) -> dict[Tag, str]:
    """Store ``data``; return the generations that it is stored under."""
    leases = lease(store, (key.path, SITE))
    assert store.write([Item(key, data, timeout)], leases)
    assert served(store, leases, key) == data
    return leases


def on_loop(store: Store, run: Any = lambda method, *args: async_to_sync(method)(*args)) -> Store:
    """``store`` with sync methods that call the async ones: by default on a loop of its own for each call."""

    class OnLoop(type(store)):  # type: ignore[misc]
        def __init__(self) -> None:
            self.__dict__.update(store.__dict__)

    for name in ("read", "confirm", "entries", "lease", "write", "claim", "unclaim"):
        method = getattr(store, "a" + name)
        setattr(OnLoop, name, lambda self, *args, method=method: run(method, *args))
    return OnLoop()


@contextmanager
def one_loop() -> Iterator[Callable[..., Any]]:
    """What runs ``method(*args)`` on one loop, which ends as that of :func:`asyncio.run` does."""
    loop = asyncio.new_event_loop()
    try:
        yield lambda method, *args: loop.run_until_complete(method(*args))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
