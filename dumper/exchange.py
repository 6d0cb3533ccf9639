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
from collections.abc import Collection
from dataclasses import replace
from urllib.parse import quote

from dumper.conf import Settings
from dumper.exceptions import StoreError
from dumper.rules import policy, variants
from dumper.rules.dimensions import Dimension, of_query
from dumper.rules.freshness import lifetime
from dumper.rules.headers import lowered
from dumper.rules.keys import Key, key_of
from dumper.rules.messages import Request, Response, StoredResponse, Unreadable
from dumper.rules.pages import page_of
from dumper.rules.status import Decision
from dumper.rules.tags import Tag
from dumper.steps import Call, Steps
from dumper.stores.base import Entries, Item
from dumper.stores.leases import disproof, leased

logger = logging.getLogger("dumper.middleware")

Dimensions = frozenset[Dimension]
#: All that visitors are told of a store that fails; the log knows more.
NO_STORE = "the store does not answer"
NOT_TAKEN = "the store did not take it"
OVERTAKEN = "changed while it was rendered"
IN_TRANSACTION = "inside a transaction"


class Exchange:
    """One request on its way past the store; ``decision`` tells what has become of it so far."""

    def __init__(self, request: Request, settings: Settings) -> None:
        self.request = request
        self.settings = settings
        self.decision = Decision()
        self.key = key_of(request, settings.query)
        self._data: bytes | None = None
        #: in what the pages under the key vary, as far as they are stored
        self._dimensions: Dimensions = frozenset()
        #: of what was found, and what the view has named
        self._tags: set[Tag] = set()
        #: empty for a request that goes past the store
        self._leases: Entries = {}
        #: whether it has come as far as the place where a hit would have been served
        self._is_missed = False

    def lookup(self) -> Steps[None]:
        """Read the stored response, and the generations of its tags; add those that are missing."""
        if reason := policy.bypass(self.request) or self._ignored():
            self._forward("method" if reason == "method" else "bypass", reason)
            return
        try:
            self._data, entries = yield Call("read", (self.key, self.request.tags))
            self._leases = yield from leased(entries)
        except StoreError:
            self._forward("bypass", NO_STORE)

    def forbid(self, reason: str) -> None:
        """Serve and store nothing in this exchange."""
        self._leases = {}
        self._forward("bypass", reason)

    def serve(self, language: str, time_zone: str, language_negotiated: bool) -> Steps[StoredResponse | None]:
        """The stored response, if it is still true, in the language and time zone that are active by now."""
        if not self._leases:
            return None
        try:
            yield from self._move(language, time_zone, language_negotiated)
            stored = yield from self._find()
            if stored is None:
                return None
            reason = yield from disproof(stored, self._leases)
        except StoreError:
            self.forbid(NO_STORE)
            return None
        if reason:
            self._forward("stale", reason)
        elif self.settings.honour_no_cache and policy.is_renewal(self.request):
            self._forward("request", "no-cache in the request")
        elif policy.is_authorized(self.request) and not policy.is_permitted(lowered(dict(stored.headers))):
            self._forward("request", "authorization")
        else:
            self.decision = Decision(forwarded=None, ttl=stored.expires_at and stored.expires_at - time.time())
            self._log("found")
            self._tags.update(stored.generations)
            return stored
        return None

    def _move(self, language: str, time_zone: str, language_negotiated: bool) -> Steps[None]:
        """Look for the page of another language or time zone, if these were chosen after the look-up."""
        self._is_missed = True
        is_elsewhere = (language, time_zone) != (self.request.language, self.request.time_zone)
        if is_elsewhere or language_negotiated:
            self.request = replace(
                self.request, language=language, time_zone=time_zone, language_negotiated=language_negotiated
            )
        if is_elsewhere:
            self.key = key_of(self.request, self.settings.query)
            self._data, _ = yield Call("read", (self.key, ()))

    def _find(self) -> Steps[StoredResponse | None]:
        """What is stored under the key or, where its pages vary, under the variant that the request asks for."""
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
            data, _ = yield Call("read", (variant, ()))
            stored = StoredResponse.unpack(data, variant.fingerprint)
            if stored is None:
                self._forward("vary-miss", None)
        return stored

    @property
    def is_open(self) -> bool:
        """Whether the answer of the view may yet be stored."""
        return bool(self._leases) and not self.decision.hit

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
        page = None
        dimensions = policy.widened(
            self._dimensions, policy.counted(policy.dimensions(self.request, response), self.settings.query)
        )
        lifetime = self._lifetime(response, dimensions)
        reason = self._refusal(response, dimensions) or ("expired" if lifetime == 0 else None)
        if reason is None:
            try:
                key = variants.variant(self.key, dimensions, self.request)
                made = page_of(response, key, self._generations(), time.time(), lifetime, self.settings.compression)
                reason = yield from self._write(key, made, lifetime, dimensions)
                page = None if reason else made
            except StoreError:
                reason = NOT_TAKEN
            except (TypeError, ValueError, RecursionError):
                reason = "it cannot be written down"
        self.decision.stored = page is not None
        self.decision.ttl = lifetime if page else None
        self.decision.detail = reason
        self._log("stored" if page else f"did not store: {reason}")
        return page

    def _write(
        self, key: Key, page: StoredResponse, lifetime: float | None, dimensions: Dimensions
    ) -> Steps[str | None]:
        """Store ``page`` and, where it varies, in what; return why that was not done."""
        found_at = variants.variant(self.key, self._dimensions, self.request)
        for place in {key, found_at, self.key} if page.status >= 400 else ():
            data, _ = yield Call("read", (place, ()))
            found = StoredResponse.unpack(data, place.fingerprint)
            if found and found.status < 400 and not (yield from disproof(found, self._leases)):
                return "a good page is stored"
        items = [Item(key, page.pack(), lifetime)]
        if dimensions:
            items.append(Item(self.key, variants.pack(self.key, dimensions), None))
        stored = yield Call("write", (items, self._generations()))
        return None if stored else OVERTAKEN

    def _lifetime(self, response: Response, dimensions: Dimensions) -> float | None:
        default = self.settings.statuses.get(response.status) or self.settings.timeout
        is_of_query = self.settings.query != "observed" or of_query(dimensions)
        if self.request.query and is_of_query and self.settings.query_timeout is not None:
            default = min(default or self.settings.query_timeout, self.settings.query_timeout)
        return lifetime(lowered(response.headers), default, time.time())

    def _refusal(self, response: Response, dimensions: Dimensions) -> str | None:
        """Why ``response`` must not be stored."""
        if not self._is_missed:
            return "answered before FetchFromCacheMiddleware"
        return (
            policy.refusal(self.request, response, self.settings.statuses)
            or variants.unshared(dimensions, self.request)
            or policy.excess(response, dimensions, self.settings.max_body_size, self.settings.max_header_size)
            or self._unleased()
        )

    def _unleased(self) -> str | None:
        """Why nothing must be stored under the leases."""
        return None if all(entry and not entry.holds for entry in self._leases.values()) else "held by a change"

    def _generations(self) -> dict[Tag, str]:
        return {tag: entry.generation for tag, entry in self._leases.items() if entry}

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
        return bool(self._unleased()) or self.decision.detail in (OVERTAKEN, IN_TRANSACTION, NO_STORE, NOT_TAKEN)
