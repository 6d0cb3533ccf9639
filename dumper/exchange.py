"""The algorithm: what becomes of one request.

    lookup    read what is stored for it, and lease its tags: before anything is read that goes into a page
    serve     answer with the stored response, if it is still true
    settle    otherwise, once the view has answered: store that under the leases

Each is a generator of calls to the store (see :mod:`dumper.steps`): one body for sync and async code.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from urllib.parse import quote

from dumper.conf import Settings
from dumper.exceptions import StoreError
from dumper.rules import policy
from dumper.rules.headers import storable
from dumper.rules.keys import key_of
from dumper.rules.messages import Request, Response, StoredResponse
from dumper.rules.status import Decision
from dumper.rules.tags import Tag
from dumper.steps import Call, Steps
from dumper.stores.base import Entries

logger = logging.getLogger("dumper.middleware")

#: All that visitors are told of a store that fails; the log knows more.
NO_STORE = "the store does not answer"


class Exchange:
    """One request on its way past the store; ``decision`` tells what has become of it so far."""

    def __init__(self, request: Request, settings: Settings) -> None:
        self.request = request
        self.settings = settings
        self.decision = Decision()
        self._key = key_of(request)
        self._data: bytes | None = None
        #: empty for a request that goes past the store
        self._leases: Entries = {}
        #: the language and time zone that the view has left active, where it was asked
        self.rendered_in: tuple[str, str] | None = None

    def lookup(self) -> Steps[None]:
        """Read the stored response, and the generations of its tags; add those that are missing."""
        if reason := policy.bypass(self.request) or self._ignored():
            self._forward("method" if reason == "method" else "bypass", reason)
            return
        try:
            self._data, entries = yield Call("read", (self._key, self.request.tags))
            now = time.time()
            if absent := [tag for tag, entry in entries.items() if entry is None or entry.is_overdue(now)]:
                entries |= yield Call("lease", (absent,))
        except StoreError:
            self._forward("bypass", NO_STORE)
        else:
            self._leases = entries

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
            stored = StoredResponse.unpack(self._data, self._key.fingerprint)
            if stored is None:
                self._forward("uri-miss", None)
                return None
            entries = dict(self._leases)
            if others := [tag for tag in stored.generations if tag not in entries]:
                entries |= yield Call("entries", (others,))
        except StoreError:
            self.forbid(NO_STORE)
            return None
        if reason := untrue(stored, entries, time.time()):
            self._forward("stale", reason)
            return None
        self.decision = Decision(forwarded=None, ttl=stored.expires_at and stored.expires_at - time.time())
        self._log("found")
        return stored

    def _move(self, language: str, time_zone: str, language_negotiated: bool) -> Steps[None]:
        """Look for the page of another language or time zone, if these were chosen after the look-up."""
        is_elsewhere = (language, time_zone) != (self.request.language, self.request.time_zone)
        if is_elsewhere or language_negotiated:
            self.request = replace(
                self.request, language=language, time_zone=time_zone, language_negotiated=language_negotiated
            )
        if is_elsewhere:
            self._key = key_of(self.request)
            self._data, _ = yield Call("read", (self._key, ()))

    @property
    def is_open(self) -> bool:
        """Whether the answer of the view may yet be stored."""
        return bool(self._leases) and not self.decision.hit

    def settle(self, response: Response) -> Steps[None]:
        """Store what the view has answered, unless something speaks against it."""
        now = time.time()
        lifetime = policy.lifetime(response, self.settings.timeout, now)
        reason = policy.refusal(self.request, response) or self._unleased() or ("expired" if lifetime == 0 else None)
        if reason is None:
            try:
                data = self._packed(response, now, lifetime)
                self.decision.stored = yield Call("write", (self._key, self._generations(), data, lifetime))
                reason = None if self.decision.stored else "changed while it was rendered"
            except StoreError:
                reason = "the store did not take it"
            except (TypeError, ValueError, RecursionError):
                reason = "it cannot be written down"
        self.decision.ttl = lifetime if self.decision.stored else None
        self.decision.detail = reason
        self._log("stored" if self.decision.stored else f"did not store: {reason}")

    def _packed(self, response: Response, now: float, lifetime: float | None) -> bytes:
        return StoredResponse(
            fingerprint=self._key.fingerprint,
            generations=self._generations(),
            stored_at=now,
            expires_at=None if lifetime is None else now + lifetime,
            status=response.status,
            reason=response.reason,
            headers=storable(response.headers),
            marks=response.marks,
            body=response.body or b"",
        ).pack()

    def _generations(self) -> dict[Tag, str]:
        return {tag: entry.generation for tag, entry in self._leases.items() if entry}

    def _unleased(self) -> str | None:
        """Why a response must not be stored under the leases."""
        if all(entry and not entry.holds for entry in self._leases.values()):
            return None
        return "held by a change"

    def _ignored(self) -> str | None:
        pattern = self.settings.path_ignore_regex
        paths = {self.request.path, self.request.path_info}
        return "ignored path" if any(map(pattern.search, paths)) else None

    def _forward(self, reason: str, detail: str | None) -> None:
        self.decision = Decision(reason, detail)
        self._log(f"did not find: {detail or 'nothing is stored'}")

    def _log(self, what: str) -> None:
        if logger.isEnabledFor(logging.DEBUG):
            query = "?" + quote(self.request.query, safe="/?&=%+;:@,") if self.request.query else ""
            logger.debug("%s %s%s: %s", self.request.method, quote(self.request.path), query, what)


def untrue(stored: StoredResponse, entries: Entries, now: float) -> str | None:
    """Why ``stored`` must not be served; None where it may."""
    for tag, generation in stored.generations.items():
        entry = entries[tag]
        if entry is None or not entry.admits(generation):
            return "held by a change" if entry and entry.holds else "invalidated"
    return "expired" if stored.expires_at is not None and stored.expires_at <= now else None
