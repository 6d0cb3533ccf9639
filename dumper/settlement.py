"""What becomes of the answer of a view: it is stored, unless something speaks against it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import NamedTuple

from dumper.conf import Settings
from dumper.exceptions import StoreError
from dumper.rules import policy, variants
from dumper.rules.dimensions import Dimension, of_query
from dumper.rules.freshness import Grace, grace, lifetime
from dumper.rules.headers import lowered
from dumper.rules.keys import Key
from dumper.rules.messages import Request, Response, StoredResponse
from dumper.rules.pages import page_of
from dumper.steps import Call, Steps
from dumper.stores.base import EXPIRED, Entries, Item
from dumper.stores.leases import disproof, generations, held

Dimensions = frozenset[Dimension]
NOT_TAKEN = "the store did not take it"
OVERTAKEN = "changed while it was rendered"
GOOD_PAGE = "a good page is stored"


class Settled(NamedTuple):
    """What has become of it."""

    #: what was stored
    page: StoredResponse | None
    #: why it was not, in words
    reason: str | None
    #: in what the answer was found to differ from others under its key
    dimensions: Dimensions
    #: seconds; None is forever
    lifetime: float | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """Under what the answer to ``request`` is stored."""

    request: Request
    settings: Settings
    key: Key
    #: in what the pages under the key vary, as far as they are stored
    known: Dimensions
    leases: Entries

    def settle(self, response: Response) -> Steps[Settled]:
        """Store ``response``, if it may be."""
        found = policy.counted(policy.dimensions(self.request, response), self.settings.query)
        dimensions = policy.widened(self.known, found)
        lasting = self._lifetime(response, dimensions)
        reason = self._refusal(response, dimensions) or (EXPIRED if lasting == 0 else None)
        if reason is None:
            try:
                page = self._page(response, dimensions, lasting)
                reason = yield from self._write(page, dimensions, lasting)
            except StoreError:
                reason = NOT_TAKEN
            except (TypeError, ValueError, RecursionError):
                reason = "it cannot be written down"
        return Settled(None, reason, dimensions) if reason else Settled(page, None, dimensions, lasting)

    def _page(self, response: Response, dimensions: Dimensions, lasting: float | None) -> StoredResponse:
        key = variants.variant(self.key, dimensions, self.request)
        page = page_of(response, key, generations(self.leases), time.time(), lasting, self.settings.compression)
        default = Grace(self.settings.stale_while_revalidate or 0, self.settings.stale_if_error or 0)
        granted = grace(lowered(response.headers), default)
        return replace(page, while_revalidate=granted.while_revalidate, if_error=granted.if_error)

    def _write(self, page: StoredResponse, dimensions: Dimensions, lasting: float | None) -> Steps[str | None]:
        """Store ``page`` and, where it varies, in what; return why that was not done."""
        key = variants.variant(self.key, dimensions, self.request)
        found_at = variants.variant(self.key, self.known, self.request)
        for place in {key, found_at, self.key} if page.status >= 400 else ():
            data, _ = yield Call("read", (place, ()))
            found = StoredResponse.unpack(data, place.fingerprint)
            if found and found.status < 400 and not (yield from disproof(found, self.leases)):
                return GOOD_PAGE
        kept = None if lasting is None else lasting + max(page.while_revalidate, page.if_error)
        items = [Item(key, page.pack(), kept)]
        if dimensions:
            items.append(Item(self.key, variants.pack(self.key, dimensions), None))
        stored = yield Call("write", (items, generations(self.leases)))
        return None if stored else OVERTAKEN

    def _lifetime(self, response: Response, dimensions: Dimensions) -> float | None:
        default = self.settings.statuses.get(response.status) or self.settings.timeout
        is_of_query = self.settings.query != "observed" or of_query(dimensions)
        if self.request.query and is_of_query and self.settings.query_timeout is not None:
            default = min(default or self.settings.query_timeout, self.settings.query_timeout)
        return lifetime(lowered(response.headers), default, time.time())

    def _refusal(self, response: Response, dimensions: Dimensions) -> str | None:
        """Why ``response`` must not be stored."""
        return (
            policy.refusal(self.request, response, self.settings.statuses)
            or variants.unshared(dimensions, self.request)
            or policy.excess(response, dimensions, self.settings.max_body_size, self.settings.max_header_size)
            or held(self.leases)
        )
