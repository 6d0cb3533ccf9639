"""What a store has to do.

A store keeps two things: stored responses, and for each tag an :class:`~dumper.stores.entries.Entry`. The rules by
which these keep a page from ever being stale:

1. A stored response is served only if, for every tag it names, the entry *admits* the generation that it carries.
2. Entries are leased before anything is read that goes into a response: a missing one is added then.
3. A response whose tag was missing or held when it was leased is not stored.
4. A response is stored with the leased generations and, where the store can, only if they still stand.
5. Before a change is committed, every tag it touches is *held*; 6. after the commit it is *released*, which gives it a
   fresh generation. 7. So it is after a rollback. 8. A hold whose deadline has passed is released by whoever sees it.
9. Holding and releasing are read-modify-writes on one entry and have to be atomic.
10. Whatever writes an entry gives it a fresh generation, never one that it read.

So entries and responses may be evicted at any time: that costs a render and nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from asgiref.sync import sync_to_async

from dumper.rules.keys import Key
from dumper.rules.messages import StoredResponse
from dumper.rules.tags import Tag
from dumper.stores.entries import Entry, Hold

Entries = dict[Tag, Entry | None]


class Item(NamedTuple):
    """What is to be stored, and for how many seconds; None is forever."""

    key: Key
    data: bytes
    timeout: float | None


class Reading(NamedTuple):
    """What one look at the store found: a response's bytes, if any, and the entries of the tags asked for."""

    data: bytes | None
    entries: Entries


def untrue(stored: StoredResponse, entries: Entries, now: float) -> str | None:
    """Why ``stored`` must not be served; None where it may."""
    for tag, generation in stored.generations.items():
        entry = entries.get(tag)
        if entry is None or not entry.admits(generation):
            return "held by a change" if entry and entry.holds else "invalidated"
    return "expired" if stored.expires_at is not None and stored.expires_at <= now else None


class Store(ABC):
    """The contract. Whatever goes wrong is raised as it comes; :class:`~dumper.stores.guard.Guard` sees to it."""

    #: whether hold() and release() are atomic against all other processes that use this store
    atomic: ClassVar[bool] = False
    #: whether it works through the connections to Django's databases, in their transactions
    in_database: ClassVar[bool] = False
    #: whether the backend binds a connection to the thread that Django runs sync code in
    thread_sensitive: ClassVar[bool] = True

    @abstractmethod
    def read(self, key: Key, tags: Sequence[Tag]) -> Reading:
        """The response stored under ``key`` and the entries of ``tags``, in one round trip."""

    @abstractmethod
    def entries(self, tags: Collection[Tag]) -> Entries:
        """The entries of ``tags``; None for one that is missing or garbage."""

    @abstractmethod
    def lease(self, tags: Collection[Tag]) -> Entries:
        """The entries of ``tags``, after those missing were added for a while and those overdue were settled."""

    @abstractmethod
    def write(self, items: Sequence[Item], leases: Mapping[Tag, str]) -> bool:
        """Store ``items``, all of one path, and make the entries of ``leases`` last as long.

        Return whether they were stored: where the store can tell, only if the leased generations still stand. Of a path
        with more than DUMPER_MAX_VARIANTS, those stored first are removed.
        """

    @abstractmethod
    def hold(self, tags: Collection[Tag], hold: Hold) -> None:
        """Add ``hold`` to each of ``tags``: where the store can help it, neither eviction nor a timeout lifts it."""

    @abstractmethod
    def release(self, tags: Collection[Tag], holder: str) -> None:
        """Take the hold of ``holder``, if any, off each of ``tags``, and give each a fresh generation.

        Responses that depended on a path among ``tags`` are removed where the store can find them.
        """

    def sweep(self) -> None:
        """Remove what a cleared site has left behind, where the store keeps account of it."""
        return

    async def aread(self, key: Key, tags: Sequence[Tag]) -> Reading:
        reading: Reading = await self.off_loop(self.read, key, tags)
        return reading

    async def aentries(self, tags: Collection[Tag]) -> Entries:
        entries: Entries = await self.off_loop(self.entries, tags)
        return entries

    async def alease(self, tags: Collection[Tag]) -> Entries:
        entries: Entries = await self.off_loop(self.lease, tags)
        return entries

    async def awrite(self, items: Sequence[Item], leases: Mapping[Tag, str]) -> bool:
        stored: bool = await self.off_loop(self.write, items, leases)
        return stored

    async def off_loop(self, method: Callable[..., Any], *args: Any) -> Any:
        """Call a method that may block, without blocking the event loop."""
        return await sync_to_async(method, thread_sensitive=self.thread_sensitive)(*args)
