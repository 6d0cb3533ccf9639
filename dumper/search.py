"""Where a request finds what is stored for it: under its key or, where its pages vary, under that of a variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dumper.rules import variants
from dumper.rules.dimensions import Dimension
from dumper.rules.frames import identity_of
from dumper.rules.keys import Key
from dumper.rules.messages import Request, StoredResponse, Unreadable
from dumper.rules.tags import Tag
from dumper.steps import Call, Steps
from dumper.stores.base import Entries, Reading
from dumper.stores.entries import Entry

Dimensions = frozenset[Dimension]


class Unshared(Exception):
    """What is stored is for others only; the text says why."""


class Found(NamedTuple):
    """What has answered a request, and will answer others that ask for the same."""

    request: Request
    #: of the request, and what told the variants apart that lie below it
    key: Key
    stored: StoredResponse
    dimensions: Dimensions
    #: see Proof
    identities: Mapping[Key, bytes]
    entries: Entries


class Search:
    """What was read for one key so far."""

    def __init__(self, key: Key) -> None:
        self.key = key
        #: where the answer is looked for: under the key, or under that of a variant
        self.place = key
        #: in what the pages under the key vary, as far as they are stored
        self.dimensions: Dimensions = frozenset()
        #: what tells what was found under each key from what else may lie there
        self.identities: dict[Key, bytes] = {}
        #: what was read at first
        self.reading: Reading | None = None

    def read(self, tags: Sequence[Tag]) -> Steps[Entries]:
        """Read what lies under the key, and the entries of ``tags``. Raises StoreError."""
        self.reading = yield from self._read(self.key, tags)
        return self.reading.entries

    def find(self, request: Request) -> Steps[StoredResponse | None]:
        """What is stored for ``request``, true or not. Raises Unshared and StoreError."""
        self.place = self.key
        data = self.reading and self.reading.data
        if stored := StoredResponse.unpack(data, self.key.fingerprint):
            return stored
        self.dimensions = variants.unpack(data, self.key)
        if not self.dimensions:
            return None
        if reason := variants.unshared(self.dimensions, request):
            raise Unshared(reason)
        try:
            self.place = variants.variant(self.key, self.dimensions, request)
        except Unreadable as error:
            raise Unshared(str(error)) from error
        reading = yield from self._read(self.place, ())
        return StoredResponse.unpack(reading.data, self.place.fingerprint)

    def found(self, request: Request, stored: StoredResponse) -> Found:
        """What was found for ``request``, and is true."""
        entries: Entries = {tag: Entry(generation) for tag, generation in stored.generations.items()}
        return Found(request, self.key, stored, self.dimensions, self.identities, entries)

    def _read(self, key: Key, tags: Sequence[Tag]) -> Steps[Reading]:
        reading: Reading = yield Call("read", (key, tags))
        self.identities.pop(key, None)
        if identity := identity_of(reading.data):
            self.identities[key] = identity
        return reading
