"""A store on any Django cache alias.

It keeps the rules of the contract as far as the backend lets it: a Django cache has no atomic read-modify-write, so two
changes that touch one page in the same instant may undo each other's hold. A system check says so.
"""

from __future__ import annotations

import pickle
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.core.cache import BaseCache, caches
from django.core.cache.backends.dummy import DummyCache

from dumper.conf import Settings
from dumper.crowd import VAIN
from dumper.exceptions import StoreError
from dumper.rules.frames import identity_of
from dumper.rules.keys import Key, tag_name
from dumper.rules.tags import Tag
from dumper.stores.base import Claimed, Entries, Item, Reading, Store
from dumper.stores.entries import Entry, Hold

#: What the backends' own serializers raise when they meet garbage.
GARBAGE = (
    pickle.UnpicklingError,
    zlib.error,
    ValueError,
    TypeError,
    EOFError,
    LookupError,
    AttributeError,
    ImportError,
    OverflowError,
    MemoryError,
    RecursionError,
)


class DjangoStore(Store):
    """Entries and responses as values of a Django cache."""

    def __init__(self, settings: Settings) -> None:
        self.alias = settings.cache_alias
        self.prefix = settings.key_prefix
        self.lease_timeout = settings.lease_timeout
        self.max_stored = settings.max_variants + 1  # and what tells in what they vary

    @property
    def cache(self) -> BaseCache:
        """This thread's or task's own instance: many backends must not be shared."""
        return caches[self.alias]

    def lock(self) -> AbstractContextManager[Any]:
        """What makes a read-modify-write atomic. A cache in general has nothing of the kind."""
        return nullcontext()

    def read(self, key: Key, tags: Sequence[Tag]) -> Reading:
        name = self.response_name(key)
        # Some backends ask for key after key: the entries first, so that none is newer than the response.
        found = self.get_many([*map(self.entry_name, tags), name])
        return Reading(found.get(name), self.parsed(tags, found))

    def entries(self, tags: Collection[Tag]) -> Entries:
        return self.parsed(tags, self.get_many(map(self.entry_name, tags)))

    def lease(self, tags: Collection[Tag]) -> Entries:
        now = time.time()
        with self.lock():
            for tag, entry in self.entries(tags).items():
                if entry is None:
                    self.add(tag)
                elif entry.is_overdue(now):
                    self.put({tag: entry.settled(now)})
            return self.entries(tags)

    def write(self, items: Sequence[Item], leases: Mapping[Tag, str]) -> bool:
        path = items[0].key.path
        with self.lock():
            found = self.get_many([*map(self.entry_name, leases), self.index_name(path)])
            standing = self.parsed(leases, found)
            if not all((entry := standing[tag]) and entry.admits(generation) for tag, generation in leases.items()):
                return False
            for tag in leases:
                # What it returns says little: Redis has nothing to do, and says so, for an entry that lasts already.
                self.cache.touch(self.entry_name(tag), None)
            for item in items:
                self.set_many({self.response_name(item.key): item.data}, item.timeout)
            self.index(path, found.get(self.index_name(path), b""), [item.key.name for item in items])
        self.cache.delete_many([self.claim_name(item.key) for item in items])
        return True

    def claim(self, key: Key, holder: str, seconds: float) -> Claimed:
        name = self.claim_name(key)
        if not self.in_form(self.cache.add, name, holder.encode(), seconds):
            found = self.get_many([name]).get(name, b"").decode("ascii", "replace")
            if found not in ("", holder):
                return Claimed(found, None)
            self.set_many({name: holder.encode()}, seconds)
        stored = self.response_name(key)
        return Claimed(holder, identity_of(self.get_many([stored]).get(stored)))

    def unclaim(self, key: Key, holder: str, vain_for: float | None) -> None:
        name = self.claim_name(key)
        if vain_for is not None:
            self.set_many({name: VAIN.encode()}, vain_for)
        elif self.get_many([name]).get(name) == holder.encode():
            self.cache.delete(name)

    def index(self, path: Tag, known: bytes, written: Sequence[str]) -> None:
        """Note what was ``written`` for ``path`` behind all that is ``known``; remove what is one too many.

        Two processes at once may each lose the other's note: the backends that this store is for have limits too.
        """
        names = [name for name in known.decode("ascii", "replace").split() if name not in written]
        names += written
        if len(names) > 1:
            gone, kept = names[: -self.max_stored], names[-self.max_stored :]
            self.set_many({self.index_name(path): " ".join(kept).encode()}, None)
            self.cache.delete_many([self.response_name(Key(path, name, "")) for name in gone])

    def hold(self, tags: Collection[Tag], hold: Hold) -> None:
        now = time.time()
        self.change(tags, lambda entry: entry.held(hold, now))

    def release(self, tags: Collection[Tag], holder: str) -> None:
        now = time.time()
        self.change(tags, lambda entry: entry.released(holder, now))

    def change(self, tags: Collection[Tag], changed: Callable[[Entry], Entry]) -> None:
        """Write ``changed(entry)`` for each of ``tags``.

        Raises StoreError where the cache did not take it: some backends swallow their errors.
        """
        with self.lock():
            before = self.entries(tags)
            self.put({tag: changed(entry or Entry()) for tag, entry in before.items()})
            after = self.entries(tags)
        if tags and not self.took(before, after):
            raise StoreError(f"the cache {self.alias!r} did not take what was written to it")

    def took(self, before: Entries, after: Entries) -> bool:
        """Whether a change was written, as far as can be told: single entries may be evicted in the meantime."""
        if not any(after.values()):
            return isinstance(self.cache, DummyCache)
        return not any(entry is not None and entry == after[tag] for tag, entry in before.items())

    def put(self, entries: Mapping[Tag, Entry]) -> None:
        """Write entries. A held one lasts, its deadlines are in it; others pass unless a response makes them last."""
        for lasting, timeout in ((True, None), (False, self.lease_timeout)):
            chosen = {tag: entry for tag, entry in entries.items() if bool(entry.holds) == lasting}
            self.set_many({self.entry_name(tag): bytes(entry) for tag, entry in chosen.items()}, timeout)

    def add(self, tag: Tag) -> None:
        """Add an entry for ``tag`` unless another process was faster."""
        name, value = self.entry_name(tag), bytes(Entry())
        added = self.in_form(self.cache.add, name, value, self.lease_timeout)
        if not added and self.entries([tag])[tag] is None:
            self.set_many({name: value}, self.lease_timeout)  # it was garbage that was in the way

    def get_many(self, names: Iterable[str]) -> dict[str, bytes]:
        names = list(names)
        try:
            found = self.cache.get_many(names)
        except GARBAGE:
            found = {name: self.get(name) for name in names}
        return {name: as_bytes(value) for name, value in found.items() if value is not None}

    def get(self, name: str) -> object:
        try:
            return self.cache.get(name)
        except GARBAGE:
            self.cache.delete(name)
            return None

    def set_many(self, values: Mapping[str, bytes], timeout: float | None) -> None:
        if values and self.in_form(self.cache.set_many, values, timeout):
            raise StoreError(f"the cache {self.alias!r} did not take all that was written to it")

    @staticmethod
    def in_form(method: Callable[..., Any], *args: Any) -> Any:
        """Call ``method`` with bytes or, where the alias has a serializer that knows no bytes (JSON), with text."""
        try:
            return method(*args)
        except TypeError:
            return method(*map(as_text, args))

    def parsed(self, tags: Iterable[Tag], found: Mapping[str, bytes]) -> Entries:
        return {tag: Entry.parse(found.get(self.entry_name(tag))) for tag in tags}

    def entry_name(self, tag: Tag) -> str:
        return f"{self.prefix}t.{tag_name(tag)}"

    def response_name(self, key: Key) -> str:
        return f"{self.prefix}r.{key.name}"

    def claim_name(self, key: Key) -> str:
        return f"{self.prefix}c.{key.name}"

    def index_name(self, path: Tag) -> str:
        return f"{self.prefix}v.{tag_name(path)}"


def as_bytes(value: object) -> bytes:
    """Our bytes from what a serializer has made of them; what never was ours comes out as garbage."""
    if isinstance(value, str):
        return value.encode("latin-1", "replace")
    return value if isinstance(value, bytes) else b""


def as_text(value: Any) -> Any:
    """``value`` with its bytes written as text, one character a byte."""
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    return value.decode("latin-1") if isinstance(value, bytes) else value
