"""The algorithm: what becomes of one request.

    lookup    read what is stored for it, and lease its tags: before anything is read that goes into a page
    seek      find the variant that it asks for, if it is still true
    serve     answer with that, unless it is in another language by now
    depend    lease one tag more, before the view reads what it stands for
    settle    once the view has answered: store that under the leases, in the dimensions that it was seen to read

Each is a generator of calls to the store (see :mod:`dumper.steps`): one body for sync and async code.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import replace
from urllib.parse import quote

from dumper.conf import Settings
from dumper.exceptions import StoreError
from dumper.rules import policy
from dumper.rules.headers import lowered
from dumper.rules.keys import Key, key_of
from dumper.rules.messages import Request, Response, StoredResponse
from dumper.rules.status import Decision
from dumper.rules.tags import Tag
from dumper.search import Found, Search, Unshared
from dumper.settlement import NOT_TAKEN, OVERTAKEN, Settled, Settlement
from dumper.steps import Call, Steps
from dumper.stores.base import Entries
from dumper.stores.leases import disproof, generations, held, leased

logger = logging.getLogger("dumper.middleware")

#: All that visitors are told of a store that fails; the log knows more.
NO_STORE = "the store does not answer"
BEFORE_FETCH = "answered before FetchFromCacheMiddleware"
IN_TRANSACTION = "inside a transaction"


class Exchange:
    """One request on its way past the store; ``decision`` tells what has become of it so far."""

    def __init__(self, request: Request, settings: Settings, key: Key | None = None) -> None:
        self.request = request
        self.settings = settings
        self.decision = Decision()
        self.search = Search(key or key_of(request, settings.query))
        #: what will answer it, once that was sought
        self._stored: StoredResponse | None = None
        self._is_sought = False
        #: of what was found, and what the view has named
        self._tags: set[Tag] = set()
        #: empty for a request that goes past the store
        self._leases: Entries = {}
        #: what they were at first, whatever has become of it since
        self._entries: Entries = {}
        #: whether it has come as far as the place where a hit would have been served
        self._is_missed = False
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
        request = self.request
        if reason := policy.bypass(request) or self.settings.excludes(request.path, request.path_info, request.query):
            self._forward("method" if reason == "method" else "bypass", reason)
        elif earlier and earlier.key == self.key and earlier._entries:
            self.search, self._leases = earlier.search, earlier._entries
        else:
            try:
                entries = yield from self.search.read(self.request.tags)
                self._leases = self._entries = yield from leased(entries)
            except StoreError:
                self._forward("bypass", NO_STORE)

    @classmethod
    def recalled(cls, found: Found, settings: Settings) -> Exchange:
        """An exchange that has looked up what an earlier one has found, and the store has confirmed just now."""
        exchange = cls(found.request, settings, found.key)
        exchange._stored, exchange._is_sought, exchange._leases = found.stored, True, found.entries
        exchange.search.dimensions = found.dimensions
        return exchange

    @property
    def key(self) -> Key:
        return self.search.key

    def found(self) -> Found:
        """What was sought and found, for a later exchange that asks for the same."""
        assert self._stored
        return self.search.found(self.request, self._stored)

    def forbid(self, reason: str) -> None:
        """Serve and store nothing in this exchange."""
        self._leases = {}
        self._forward("bypass", reason)

    def seek(self) -> Steps[bool]:
        """Whether it will be answered with a stored response, unless another language or time zone is chosen."""
        if self._leases:
            stored = yield from self._true(self._leases)
            self._stored, self._is_sought = stored and stored.checked(), True
            if stored and not self._stored:  # it is damaged
                self._forward("uri-miss", None)
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
            self.decision = Decision(forwarded=None, ttl=stored.remaining(time.time()))
            self._log("found")
        return stored

    def is_elsewhere(self, *chosen: str | bool) -> bool:
        """Whether these (see serve) are others than those in which it was looked up."""
        return chosen != (self.request.language, self.request.time_zone, self.request.language_negotiated)

    def again(self) -> Steps[StoredResponse | None]:
        """What another request has stored meanwhile, if that is true.

        The leases stay as they are: what was read since, in middleware, may go into the page.
        """
        forwarded = self.decision.forwarded
        try:
            entries = yield from self.search.read(self.request.tags)
        except StoreError:
            self.forbid(NO_STORE)
            return None
        known = generations(self._leases)
        self.is_overtaken = any(entry is None or not entry.admits(known.get(tag)) for tag, entry in entries.items())
        if stored := (yield from self._true(entries)):
            self.decision = Decision(forwarded, ttl=stored.remaining(time.time()), collapsed=True)
            self._log("found after a while")
        return stored

    def _true(self, entries: Entries) -> Steps[StoredResponse | None]:
        """What is stored for the request, if by ``entries`` it may be served."""
        self.spare = None
        try:
            stored = yield from self.search.find(self.request)
            reason = (yield from disproof(stored, entries)) if stored else None
        except (Unshared, StoreError) as error:
            self.forbid(str(error) if isinstance(error, Unshared) else NO_STORE)
            return None
        if stored is None:
            self._forward("vary-miss" if self.search.dimensions else "uri-miss", None)
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
        before = self.request
        self.request = replace(before, language=language, time_zone=time_zone, language_negotiated=language_negotiated)
        if (language, time_zone) != (before.language, before.time_zone):
            self.search = Search(key_of(self.request, self.settings.query))
            self._stored, self._is_sought = None, False
            try:
                yield from self.search.read(())
            except StoreError:
                self.forbid(NO_STORE)

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
        settled = Settled(None, BEFORE_FETCH, self.search.dimensions)
        if self._is_missed:
            settlement = Settlement(self.request, self.settings, self.key, self.search.dimensions, self._leases)
            settled = yield from settlement.settle(response)
        self.settled, decision = settled, self.decision
        decision.stored, decision.ttl, decision.detail = settled.page is not None, settled.lifetime, settled.reason
        self._log(f"did not store: {settled.reason}" if settled.reason else "stored")
        return settled.page

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
