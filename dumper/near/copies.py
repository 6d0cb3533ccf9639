"""Copies of stored responses in this process: bounded in bytes, the least recently used go first."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Collection, Hashable
from sys import getsizeof
from threading import Lock
from typing import Any

from dumper.rules.keys import Key
from dumper.search import Found
from dumper.stores.base import Proof

Signature = tuple[Hashable, ...]
#: As many requests are remembered by their signatures for each copy: visitors can make up any number of them.
MOST_SIGNATURES = 64
#: What the structures around a copy, and around a signature, take, in bytes.
_OVERHEAD = 4_000
#: The same for each tag that a copy depends on, and for each name that it is found by.
_OF_A_TAG = 400
_OF_A_NAME = 400


class Copy:
    """A stored response, what has to be so in the store for it to be true, and who was answered with it."""

    __slots__ = ("changes", "entries", "head", "key", "names", "proof", "signatures", "size", "stored", "trusted")

    def __init__(self, key: Key, found: Found, proof: Proof, names: Collection[bytes]) -> None:
        self.key = key
        self.stored = stored = found.stored
        #: of many tags they are large: who is answered with it has the same
        self.entries = found.entries
        self.proof = proof
        #: under which names the store keeps what is proven; none where it does not tell of changes
        self.names = names
        #: what is remembered for it, and how many bytes that takes; how many its header fields take, once for each
        self.signatures: dict[Signature, int] = {}
        self.head = sum(len(field) + len(value) for field, value in stored.headers)
        self.size = (
            _OVERHEAD
            + self.head
            + sum(map(len, stored.bodies.values()))
            + _OF_A_TAG * len(proof.generations)
            + _OF_A_NAME * len(names)
        )
        #: how often one of these names was said to have changed
        self.changes = 0
        #: the reign (see Near) and the number of changes at which the store has confirmed it
        self.trusted: tuple[int, int] | None = None


class Answered:
    """How requests of one signature are answered."""

    __slots__ = ("copy", "found", "prepared")

    def __init__(self, found: Found, copy: Copy) -> None:
        self.found = found
        self.copy = copy
        #: what a door has made of it
        self.prepared: Any = None

    @property
    def is_over(self) -> bool:
        """Whether its lifetime has passed."""
        expires_at = self.copy.stored.expires_at
        return expires_at is not None and expires_at <= time.time()


class Copies:
    """What is remembered, by signatures. Reads take no lock."""

    def __init__(self, most: int) -> None:
        #: the names of more variables, where the pages vary in them: then the values follow the signature
        self.answers: dict[Signature, Answered | tuple[str, ...]] = {}
        self.size = 0
        self.most = most
        self._copies: OrderedDict[Key, Copy] = OrderedDict()
        self._by_name: dict[bytes, set[Copy]] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._copies)

    def of(self, key: Key) -> Copy | None:
        """The copy of what is stored under ``key``."""
        return self._copies.get(key)

    def named(self, names: Collection[bytes]) -> list[Copy]:
        """The copies that depend on what the store keeps under ``names``."""
        with self._lock:
            return [copy for name in names for copy in self._by_name.get(name, ())]

    def use(self, copy: Copy) -> None:
        """Count ``copy`` as used."""
        with self._lock:
            if self._copies.get(copy.key) is copy:
                self._copies.move_to_end(copy.key)

    def add(self, copy: Copy) -> None:
        """Keep ``copy`` in place of what was there, if there is room for it."""
        with self._lock:
            self._drop(copy.key)
            if copy.size > self.most:
                return  # all others would have to go, and then it as well
            self._copies[copy.key] = copy
            self.size += copy.size
            for name in copy.names:
                self._by_name.setdefault(name, set()).add(copy)
            self._shrink()

    def remember(self, signature: Signature, answer: Answered | tuple[str, ...], copy: Copy) -> None:
        """Answer requests of ``signature`` so, as long as ``copy`` is kept."""
        size = _OVERHEAD + copy.head + sum(map(_size, signature))
        with self._lock:
            if self._copies.get(copy.key) is not copy:
                return
            self.answers[signature] = answer
            self._count(copy, size - copy.signatures.pop(signature, 0))
            copy.signatures[signature] = size
            if len(copy.signatures) > MOST_SIGNATURES:
                oldest = next(iter(copy.signatures))
                self._count(copy, -copy.signatures.pop(oldest))
                self.answers.pop(oldest, None)
            self._shrink()

    def _count(self, copy: Copy, size: int) -> None:
        copy.size += size
        self.size += size

    def _shrink(self) -> None:
        while self.size > self.most:
            self._drop(next(iter(self._copies)))

    def _drop(self, key: Key) -> None:
        copy = self._copies.pop(key, None)
        if copy is None:
            return
        self.size -= copy.size
        for signature in copy.signatures:
            self.answers.pop(signature, None)
        for name in copy.names:
            self._by_name[name].discard(copy)
            if not self._by_name[name]:
                del self._by_name[name]


def _size(part: Hashable) -> int:
    """What a part of a signature takes; header fields as ASGI has them are kept as text as well."""
    return getsizeof(part) + (2 * sum(map(getsizeof, part)) if isinstance(part, tuple) else 0)
