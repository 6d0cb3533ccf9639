"""The algorithm: what becomes of one request.

    lookup    read what is stored for it, and lease its tags: before anything is read that goes into a page
    serve     find the variant that it asks for, and answer with that, if it is still true
    depend    lease one tag more, before the view reads what it stands for
    settle    once the view has answered: store that under the leases, in the dimensions that it was seen to read

Each is a generator of calls to the store (see :mod:`dumper.steps`): one body for sync and async code.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import quote

from dumper.conf import Settings
from dumper.exceptions import StoreError
from dumper.rules import policy, variants
from dumper.rules.frames import identity_of
from dumper.rules.headers import lowered
from dumper.rules.keys import Key, key_of
from dumper.rules.messages import Request, Response, StoredResponse, Unreadable
from dumper.rules.status import Decision
from dumper.rules.tags import Tag
from dumper.settlement import NOT_TAKEN, OVERTAKEN, Dimensions, Settled, Settlement
from dumper.steps import Call, Steps
from dumper.stores.base import Entries, Reading, changed
from dumper.stores.entries import Entry
from dumper.stores.leases import disproof, generations, held, leased

logger = logging.getLogger("dumper.middleware")

#: All that visitors are told of a store that fails; the log knows more.
NO_STORE = "the store does not answer"
BEFORE_FETCH = "answered before FetchFromCacheMiddleware"
IN_TRANSACTION = "inside a transaction"


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


class Exchange:
    """One request on its way past the store; ``decision`` tells what has become of it so far."""

    def __init__(self, request: Request, settings: Settings, key: Key | None = None) -> None:
        self.request = request
        self.settings = settings
        self.decision = Decision()
        self.key = key or key_of(request, settings.query)
        self._data: bytes | None = None
        #: what tells what was found under each key from what else may lie there
        self.identities: dict[Key, bytes] = {}
        #: what was read at first
        self._reading: Reading | None = None
        #: what will answer it, once that was sought
        self._stored: StoredResponse | None = None
        self._is_sought = False
        #: in what the pages under the key vary, as far as they are stored
        self._dimensions: Dimensions = frozenset()
        #: of what was found, and what the view has named
        self._tags: set[Tag] = set()
        #: empty for a request that goes past the store
        self._leases: Entries = {}
        #: whether it has come as far as the place where a hit would have been served
        self._is_missed = False
        #: where the answer is looked for: under the key, or under that of a variant
        self.place = self.key
        #: what was found although it is not true any more, and why it is not
        self.spare: tuple[StoredResponse, str] | None = None
        #: whether something was changed after it was leased
        self.is_overtaken = False
        #: whether it came up while another one was answered
        self.is_nested = False
        #: what has become of the answer of the view
        self.settled: Settled | None = None

    def lookup(self, earlier: Exchange | None = None) -> Steps[None]:
        """Read the stored response, and the generations of its tags; add those that are missing.

        What an ``earlier`` exchange of the same request has read is not read again.
        """
        if reason := policy.bypass(self.request) or self._ignored():
            self._forward("method" if reason == "method" else "bypass", reason)
        elif earlier and earlier._reading and earlier.key == self.key:
            self._data, self._leases = self._reading = earlier._reading
            self.identities = earlier.identities
        else:
            try:
                self._data, entries = yield from self._read(self.key, self.request.tags)
                self._leases = yield from leased(entries)
                self._reading = Reading(self._data, self._leases)
            except StoreError:
                self._forward("bypass", NO_STORE)

    @classmethod
    def recalled(cls, found: Found, settings: Settings) -> Exchange:
        """An exchange that has looked up what an earlier one has found, and the store has confirmed just now."""
        exchange = cls(found.request, settings, found.key)
        exchange._stored, exchange._is_sought, exchange._dimensions = found.stored, True, found.dimensions
        exchange._leases = found.entries
        return exchange

    def restore(self, request: Request) -> None:
        """Go on with ``request`` itself, of which only a part may be left."""
        self.request = replace(request, language=self.request.language, time_zone=self.request.time_zone)

    def found(self) -> Found:
        """What was sought and found, for a later exchange that asks for the same."""
        assert self._stored
        entries: Entries = {tag: Entry(generation) for tag, generation in self._stored.generations.items()}
        return Found(self.request, self.key, self._stored, self._dimensions, self.identities, entries)

    def forbid(self, reason: str) -> None:
        """Serve and store nothing in this exchange."""
        self._leases = {}
        self._forward("bypass", reason)

    def seek(self) -> Steps[bool]:
        """Whether it will be answered with a stored response, unless another language or time zone is chosen."""
        if self._leases:
            stored = yield from self._true(self._leases)
            self._stored, self._is_sought = stored and stored.checked(), True
        return self._stored is not None

    def serve(self, language: str, time_zone: str, language_negotiated: bool) -> Steps[StoredResponse | None]:
        """The stored response, if it is still true, in the language and time zone that are active by now."""
        if not self._leases:
            return None
        self._is_missed = True
        if self.is_elsewhere(language, time_zone, language_negotiated):
            yield from self._move(language, time_zone, language_negotiated)
        if self._leases and not self._is_sought:
            self._stored = yield from self._true(self._leases)
        if stored := self._stored:
            self.decision = Decision(forwarded=None, ttl=remaining(stored))
            self._log("found")
        return stored

    def is_elsewhere(self, language: str, time_zone: str, language_negotiated: bool) -> bool:
        """Whether these are others than those in which it was looked up."""
        request = self.request
        return (language, time_zone, language_negotiated) != (
            request.language,
            request.time_zone,
            request.language_negotiated,
        )

    def again(self) -> Steps[StoredResponse | None]:
        """What another request has stored meanwhile, if that is true.

        The leases stay as they are: what was read since, in middleware, may go into the page.
        """
        forwarded = self.decision.forwarded
        try:
            self._data, entries = yield from self._read(self.key, self.request.tags)
        except StoreError:
            self.forbid(NO_STORE)
            return None
        self.is_overtaken = changed({tag: generations(self._leases)[tag] for tag in entries}, entries) is not None
        stored = yield from self._true(entries)
        if stored:
            self.decision = Decision(forwarded, ttl=remaining(stored), collapsed=True)
            self._log("found after a while")
        return stored

    def _true(self, entries: Entries) -> Steps[StoredResponse | None]:
        """What is stored for the request, if by ``entries`` it may be served."""
        self.spare = None
        try:
            stored = yield from self._find()
            if stored is None:
                return None
            reason = yield from disproof(stored, entries)
        except StoreError:
            self.forbid(NO_STORE)
            return None
        unwanted = self._unwanted(stored)
        if reason:
            self._forward("stale", reason)
            self.spare = None if unwanted else (stored, reason)
        elif unwanted:
            self._forward("request", unwanted)
        else:
            self._tags.update(stored.generations)
            return stored
        return None

    def _unwanted(self, stored: StoredResponse) -> str | None:
        """Why the request does not take ``stored``, whether it is true or not."""
        if self.settings.honour_no_cache and policy.is_renewal(self.request):
            return "no-cache in the request"
        if policy.is_authorized(self.request) and not policy.is_permitted(lowered(dict(stored.headers))):
            return "authorization"
        return None

    def _move(self, language: str, time_zone: str, language_negotiated: bool) -> Steps[None]:
        """Look for the page of another language or time zone, if these were chosen after the look-up."""
        is_elsewhere = (language, time_zone) != (self.request.language, self.request.time_zone)
        self.request = replace(
            self.request, language=language, time_zone=time_zone, language_negotiated=language_negotiated
        )
        if is_elsewhere:
            self.key = key_of(self.request, self.settings.query)
            self.identities, self._stored, self._is_sought = {}, None, False
            try:
                self._data, _ = yield from self._read(self.key, ())
            except StoreError:
                self.forbid(NO_STORE)

    def _read(self, key: Key, tags: Sequence[Tag]) -> Steps[Reading]:
        reading: Reading = yield Call("read", (key, tags))
        self.identities.pop(key, None)
        if identity := identity_of(reading.data):
            self.identities[key] = identity
        return reading

    def _find(self) -> Steps[StoredResponse | None]:
        """What is stored under the key or, where its pages vary, under the variant that the request asks for."""
        self.place = self.key
        stored = StoredResponse.unpack(self._data, self.key.fingerprint)
        if stored is None:
            self._dimensions = variants.unpack(self._data, self.key)
            if not self._dimensions:
                self._forward("uri-miss", None)
                return None
            if reason := variants.unshared(self._dimensions, self.request):
                self.forbid(reason)
                return None
            try:
                variant = variants.variant(self.key, self._dimensions, self.request)
            except Unreadable as error:
                self.forbid(str(error))
                return None
            self.place = variant
            data, _ = yield from self._read(variant, ())
            stored = StoredResponse.unpack(data, variant.fingerprint)
            if stored is None:
                self._forward("vary-miss", None)
        return stored

    @property
    def is_open(self) -> bool:
        """Whether the answer of the view may yet be stored."""
        return bool(self._leases) and not self.decision.served

    def depend(self, tags: Collection[Tag]) -> Steps[None]:
        """Make the page depend on ``tags`` as well, of which nothing may have been read so far."""
        self._tags.update(tags)  # caches in front may keep what this one does not
        if not self.is_open:
            return
        try:
            if new := [tag for tag in tags if tag not in self._leases]:
                found = yield Call("lease", (new,))
                if self.is_open:  # or another task has forbidden it meanwhile
                    self._leases = found | self._leases  # who has leased first has read what is older
        except StoreError:
            self.forbid(NO_STORE)

    def settle(self, response: Response) -> Steps[StoredResponse | None]:
        """Store what the view has answered, unless something speaks against it; return what was stored."""
        if self._is_missed:
            settlement = Settlement(self.request, self.settings, self.key, self._dimensions, self._leases)
            settled = yield from settlement.settle(response)
        else:
            settled = Settled(None, BEFORE_FETCH, self._dimensions)
        self.settled = settled
        self.decision.stored = settled.page is not None
        self.decision.ttl = settled.lifetime
        self.decision.detail = settled.reason
        self._log(f"did not store: {settled.reason}" if settled.reason else "stored")
        return settled.page

    def _ignored(self) -> str | None:
        request = self.request
        if len(request.path) + len(request.query) > self.settings.max_url_length:
            return "url too long"
        return "ignored path" if self.settings.ignores(request.path, request.path_info) else None

    def _forward(self, reason: str, detail: str | None) -> None:
        self.decision = Decision(reason, detail)
        self._log(f"did not find: {detail or 'nothing is stored'}")

    def _log(self, what: str) -> None:
        if logger.isEnabledFor(logging.DEBUG):
            query = "?" + quote(self.request.query, safe="/?&=%+;:@,") if self.request.query else ""
            logger.debug("%s %s%s: %s", self.request.method, quote(self.request.path), query, what)

    def __str__(self) -> str:
        """As a member of a Cache-Status field."""
        if not self.settings.explain:
            return str(self.decision)
        return self.decision.explained(self.key.name, sorted({*self._leases, *self._tags}))

    @property
    def tags(self) -> frozenset[Tag]:
        """All that the response is known to depend on."""
        return frozenset((*self.request.tags, *self._leases, *self._tags))

    @property
    def is_doubtful(self) -> bool:
        """Whether the response may be older than a change, or show one that is not committed."""
        is_unproven = self.decision.detail in (OVERTAKEN, IN_TRANSACTION, NO_STORE, NOT_TAKEN)
        return is_unproven or bool(held(self._leases)) or self.decision.stale


def remaining(stored: StoredResponse) -> float | None:
    """Seconds that ``stored`` stays fresh; None is forever."""
    return None if stored.expires_at is None else stored.expires_at - time.time()
