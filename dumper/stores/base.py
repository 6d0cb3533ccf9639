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
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from asgiref.sync import sync_to_async

from dumper.rules.frames import identity_of
from dumper.rules.keys import Key
from dumper.rules.messages import StoredResponse
from dumper.rules.tags import SITE, Tag
from dumper.stores.entries import Entry, Hold

Entries = dict[Tag, Entry | None]
#: why a response is not true any more
EXPIRED, HELD, INVALIDATED, CLEARED = "expired", "held by a change", "invalidated", "site invalidated"


class Item(NamedTuple):
    """What is to be stored, and for how many seconds; None is forever."""

    key: Key
    data: bytes
    timeout: float | None


class Claimed(NamedTuple):
    """Who renders what is stored under a key, as far as the store knows."""

    #: who has claimed it; :data:`~dumper.crowd.VAIN` where nobody is to wait for it
    holder: str
    #: what tells what is stored there by now; None where that is nothing, and for who does not hold it
    identity: bytes | None


class Reading(NamedTuple):
    """What one look at the store found: a response's bytes, if any, and the entries of the tags asked for."""

    data: bytes | None
    entries: Entries


@dataclass(slots=True)
class Proof:
    """What has to be so in the store for a copy of a stored response to be true."""

    #: the generation of each tag that it depends on, none of them held
    generations: Mapping[Tag, str]
    #: the first bytes (:data:`~dumper.rules.frames.IDENTITY`) of all that was read on the way to it, by its key
    identities: Mapping[Key, bytes]
    #: what the store that has confirmed it before has made of it for the next time
    prepared: Any = field(default=None, init=False, repr=False, compare=False)


def untrue(stored: StoredResponse, entries: Entries, now: float) -> str | None:
    """Why ``stored`` must not be served; None where it may."""
    return changed(stored.generations, entries) or (
        EXPIRED if stored.expires_at is not None and stored.expires_at <= now else None
    )


def changed(generations: Mapping[Tag, str], entries: Entries) -> str | None:
    """Why a response of ``generations`` is not true any more; None where it is."""
    for tag in sorted(generations, key=SITE.__ne__):  # what is true of the whole site comes first
        entry = entries.get(tag)
        if entry is None or not entry.admits(generations[tag]):
            if entry and entry.holds:
                return HELD
            return CLEARED if tag == SITE else INVALIDATED
    return None


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

    def confirm(self, proof: Proof) -> bool:
        """Whether all of ``proof`` is so, in one round trip where the store can."""
        return all(
            identity_of(found.data) == identity and changed(proof.generations, found.entries) is None
            for key, identity in proof.identities.items()
            for found in [self.read(key, tuple(proof.generations))]
        )

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
        with more than DUMPER_MAX_VARIANTS, those stored first are removed. What is stored is claimed no more.
        """

    @abstractmethod
    def claim(self, key: Key, holder: str, seconds: float) -> Claimed:
        """Claim for ``holder`` to render what is stored under ``key``, once more for ``seconds`` if it has done so
        already, unless another one has; return who has."""

    @abstractmethod
    def unclaim(self, key: Key, holder: str, vain_for: float | None) -> None:
        """Take back what ``holder`` has claimed, if it still does; for ``vain_for`` seconds nobody is to claim it."""

    @abstractmethod
    def hold(self, tags: Collection[Tag], hold: Hold) -> None:
        """Add ``hold`` to each of ``tags``: where the store can help it, neither eviction nor a timeout lifts it."""

    @abstractmethod
    def release(self, tags: Collection[Tag], holder: str) -> None:
        """Take the hold of ``holder``, if any, off each of ``tags``, and give each a fresh generation.

        Responses that depended on a path among ``tags`` are removed where the store can find them.
        """

    def names(self, tags: Iterable[Tag], keys: Iterable[Key]) -> Collection[bytes]:
        """Under which names entries and responses are kept, where the store can tell of changes to what is there."""
        return ()

    def listener(self) -> tuple[Callable[[], Any], bytes] | None:
        """What makes a connection that can be told of changes, and how all names begin; None where nobody tells."""
        return None

    def sweep(self) -> None:
        """Remove what a cleared site has left behind, where the store keeps account of it."""
        return

    async def aconfirm(self, proof: Proof) -> bool:
        confirmed: bool = await self.off_loop(self.confirm, proof)
        return confirmed

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

    async def aclaim(self, key: Key, holder: str, seconds: float) -> Claimed:
        claimed: Claimed = await self.off_loop(self.claim, key, holder, seconds)
        return claimed

    async def aunclaim(self, key: Key, holder: str, vain_for: float | None) -> None:
        await self.off_loop(self.unclaim, key, holder, vain_for)

    async def off_loop(self, method: Callable[..., Any], *args: Any) -> Any:
        """Call a method that may block, without blocking the event loop."""
        return await sync_to_async(method, thread_sensitive=self.thread_sensitive)(*args)
