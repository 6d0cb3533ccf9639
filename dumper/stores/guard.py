"""The store as this process sees it.

:class:`Guard` stands between the algorithm and a store and adds what no backend knows: that the store failed a moment
ago and is better left alone, and which tags this process must not trust, because of changes that the store has not been
told of yet (*withheld*).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from asgiref.sync import sync_to_async

from dumper.exceptions import StoreError
from dumper.rules.keys import Key
from dumper.rules.tags import Tag
from dumper.stores.base import Entries, Item, Proof, Reading, Store
from dumper.stores.entries import Entry, Hold
from dumper.stores.errors import named, refused, store_errors
from dumper.stores.turns import Turns

logger = logging.getLogger("dumper.store")


class Withholder(Protocol):
    """Who knows of changes that the store has not been told of."""

    @property
    def tags(self) -> Collection[Tag]: ...


class Source(Protocol):
    """Who has to be asked now and then which tags are to be withheld."""

    def start(self) -> None: ...
    def is_due(self) -> bool: ...
    def refresh(self) -> None: ...
    def expire(self) -> None: ...


class Withheld:
    """All withholders of this process. Looked at on every request, changed seldom.

    There is no lock: a finalizer may remove one at any moment, in the middle of add() as well.
    """

    def __init__(self) -> None:
        self._owners: dict[int, Withholder] = {}
        #: who knows what other processes have changed and the store was not told of
        self.source: Source | None = None

    def add(self, owner: Withholder) -> None:
        self._owners[id(owner)] = owner

    def remove(self, owner: Withholder) -> None:
        self._owners.pop(id(owner), None)

    def __bool__(self) -> bool:
        return bool(self._owners)

    def __contains__(self, tag: Tag) -> bool:
        return any(tag in owner.tags for owner in self)

    def __iter__(self) -> Iterator[Withholder]:
        return iter(self._owners.copy().values())


withheld = Withheld()


class Breaker:
    """Leaves a store that has failed alone for ``delay`` seconds, then lets one caller try."""

    def __init__(self, delay: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._delay = delay
        self._clock = clock
        self._lock = threading.Lock()
        self._closed = True
        self._retry_at = 0.0
        self._reporting = Reporting(self)

    def check(self) -> None:
        """Raises StoreError where the store is to be left alone."""
        if self._closed:
            return
        with self._lock:
            if self._clock() < self._retry_at:
                raise StoreError("the store failed a moment ago")
            self._retry_at = self._clock() + self._delay  # others wait for the outcome

    def failed(self, error: Exception) -> None:
        with self._lock:
            if self._closed:
                logger.error("The store does not answer, pages are rendered without it: %s", named(error))
            self._closed = False
            self._retry_at = self._clock() + self._delay
        if withheld.source:
            withheld.source.expire()

    def succeeded(self) -> None:
        if not self._closed:
            with self._lock:
                self._closed = True
            logger.warning("The store answers again.")

    def watch(self) -> AbstractContextManager[None]:
        """Turn whatever goes wrong with the store inside into a StoreError; leave it alone if it has just failed."""
        self.check()
        return self._reporting

    def report(self) -> AbstractContextManager[None]:
        """The same for what must not be left out: other processes go by what the store says of a change."""
        return self._reporting


class Reporting(AbstractContextManager[None]):
    """Tells a breaker what became of what was done inside."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if error is None:
            self._breaker.succeeded()
        elif isinstance(error, Exception):
            self._breaker.failed(error)
            raise StoreError(named(error)) from error


class Guard(Turns):
    """A store behind a breaker, without the tags that are withheld. Its methods raise StoreError and nothing else."""

    def __init__(self, store: Store, breaker: Breaker) -> None:
        super().__init__(store, breaker.watch)
        self.breaker = breaker
        #: who is to know at once of what this process has changed
        self.on_change: Callable[[Collection[Tag]], None] = unobserved

    def read(self, key: Key, tags: Sequence[Tag]) -> Reading:
        if withheld.source and withheld.source.is_due():
            withheld.source.refresh()
        before = withheld_of(tags)
        with self.breaker.watch():
            reading = self.store.read(key, tags)
        return Reading(reading.data, known_here(reading.entries, before))

    async def aread(self, key: Key, tags: Sequence[Tag]) -> Reading:
        if withheld.source and withheld.source.is_due():
            await sync_to_async(withheld.source.refresh)()
        before = withheld_of(tags)
        with self.breaker.watch():
            reading = await self.store.aread(key, tags)
        return Reading(reading.data, known_here(reading.entries, before))

    def confirm(self, proof: Proof) -> bool:
        if withheld.source and withheld.source.is_due():
            withheld.source.refresh()
        with self.breaker.watch():
            return not any_withheld(proof.generations) and self.store.confirm(proof)

    async def aconfirm(self, proof: Proof) -> bool:
        if withheld.source and withheld.source.is_due():
            await sync_to_async(withheld.source.refresh)()
        with self.breaker.watch():
            return not any_withheld(proof.generations) and await self.store.aconfirm(proof)

    def entries(self, tags: Collection[Tag]) -> Entries:
        before = withheld_of(tags)
        with self.breaker.watch():
            return known_here(self.store.entries(tags), before)

    async def aentries(self, tags: Collection[Tag]) -> Entries:
        before = withheld_of(tags)
        with self.breaker.watch():
            return known_here(await self.store.aentries(tags), before)

    def lease(self, tags: Collection[Tag]) -> Entries:
        before = withheld_of(tags)
        with self.breaker.watch():
            return known_here(self.store.lease(tags), before)

    async def alease(self, tags: Collection[Tag]) -> Entries:
        before = withheld_of(tags)
        with self.breaker.watch():
            return known_here(await self.store.alease(tags), before)

    def write(self, items: Sequence[Item], leases: Mapping[Tag, str]) -> bool:
        self.breaker.check()
        with store_errors(refused), self.telling([items[0].key.path]):
            return not any_withheld(leases) and self.noted(items, self.store.write(items, leases))

    async def awrite(self, items: Sequence[Item], leases: Mapping[Tag, str]) -> bool:
        self.breaker.check()
        with store_errors(refused), self.telling([items[0].key.path]):
            return not any_withheld(leases) and self.noted(items, await self.store.awrite(items, leases))

    @property
    def in_database(self) -> bool:
        return self.store.in_database

    def hold(self, tags: Collection[Tag], hold: Hold) -> None:
        with self.breaker.report(), self.telling(tags):
            self.store.hold(tags, hold)

    def release(self, tags: Collection[Tag], holder: str) -> None:
        with self.breaker.report(), self.telling(tags):
            self.store.release(tags, holder)

    @contextmanager
    def telling(self, tags: Collection[Tag]) -> Iterator[None]:
        """Whatever comes of what is done inside: it may have got through."""
        try:
            yield
        finally:
            self.on_change(tags)

    def sweep(self) -> None:
        with self.breaker.watch():
            self.store.sweep()


def unobserved(tags: Collection[Tag]) -> None:
    """Nobody is to know."""


def any_withheld(tags: Collection[Tag]) -> bool:
    return bool(withheld) and any(tag in withheld for tag in tags)


def withheld_of(tags: Collection[Tag]) -> frozenset[Tag]:
    return frozenset(tag for tag in tags if tag in withheld) if withheld else frozenset()


def known_here(entries: Entries, before: frozenset[Tag]) -> Entries:
    """``entries``, with a hold on each tag that is withheld or was ``before`` they were read, released since then."""
    hidden = before | withheld_of(entries)
    if not hidden:
        return entries
    return {tag: (entry or Entry()).withheld() if tag in hidden else entry for tag, entry in entries.items()}
