"""What becomes of a request for which nothing true is stored: it renders, or waits until another one has.

Whoever renders has the turn. The others are served what was stored, once the entries as they stand then prove it true;
or, where that is allowed, what is stored and not true any more (RFC 5861).
"""

from __future__ import annotations

import time
from collections.abc import Collection

from dumper.crowd import Turn
from dumper.exceptions import StoreError
from dumper.exchange import NO_STORE, Exchange
from dumper.rules import policy, variants
from dumper.rules.dimensions import Dimension
from dumper.rules.messages import StoredResponse
from dumper.rules.status import Decision
from dumper.settlement import GOOD_PAGE, OVERTAKEN
from dumper.steps import Call, Steps
from dumper.stores.base import CLEARED, EXPIRED, HELD

#: What a view answers with that has failed (RFC 5861 §4).
ERRORS = frozenset({500, 502, 503, 504})
#: Why an answer was not stored, where the next one may be.
PASSING = frozenset({GOOD_PAGE, HELD, OVERTAKEN})
#: seconds that a turn counts where nobody waits for it
UNAWAITED = 5.0


class Waiting:
    """An exchange that was not answered, among others that ask for the same."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.settings = exchange.settings
        #: that of the exchange to render
        self._turn: Turn | None = None
        #: whether the others are served what is stored, though its lifetime has passed
        self._is_spared = False

    def wait(self) -> Steps[StoredResponse | None]:
        """What is to be served instead of an answer of the view; None where the view has to answer."""
        self._is_spared = is_spared = self._spared("while_revalidate") is not None
        patience = self.settings.collapse_timeout
        if not is_spared and (patience is None or self.exchange.is_doubtful):
            return None
        until = time.monotonic() + (0 if is_spared or self.exchange.is_nested else patience or 0)
        try:
            return (yield from self._waited(until))
        except StoreError:
            self.exchange.forbid(NO_STORE)
            return None

    def _waited(self, until: float) -> Steps[StoredResponse | None]:
        while self._may_share():
            own = Turn(
                self.exchange.search.place, self.settings.collapse_timeout or UNAWAITED, self.settings.hit_for_miss
            )
            turn: Turn | None = yield Call("turn", (own, until))
            if turn is own:
                self._turn = own
                if own.identity == self.exchange.search.identities.get(own.key):
                    return None  # nothing was stored since it was looked up
            elif turn is None or (turn.is_over and self._is_alone(turn.outcome)):
                return None
            elif not turn.is_over:
                spare = self._served("while_revalidate", "stale-while-revalidate")
                self.exchange.decision.collapsed = None if spare else False
                return spare
            stored = yield from self.exchange.again()
            if self._turn and (stored or not self._may_share()):
                yield from self.over()
            if stored or self._turn:
                return stored
        return None

    def rescued(self, status: int, gives_tokens: bool) -> StoredResponse | None:
        """What is to be served instead of the view's answer of ``status``; ``gives_tokens`` tells whether a page may
        be filled with a visitor's own. Its bodies are whole."""
        spare = self._spared("if_error") if status in ERRORS else None
        if spare is None or (spare.slots is not None and not gives_tokens) or spare.checked() is None:
            return None
        return self._served("if_error", "stale-if-error", status)

    def over(self) -> Steps[None]:
        """Let those go on that wait for this exchange, whatever has become of it."""
        turn, self._turn = self._turn, None
        if turn:
            yield Call("over", (turn, self._outcome()))

    def _outcome(self) -> Collection[Dimension] | None:
        """What those are told that wait, see :class:`~dumper.crowd.Turn`."""
        exchange, settled = self.exchange, self.exchange.settled
        if self._is_spared:
            return ()  # whatever it was: nobody waits, and one at a time tries again
        if settled is None:
            decision = exchange.decision
            is_found = decision.hit or decision.collapsed
            return () if exchange.is_open or is_found or decision.detail == NO_STORE else None
        if settled.page or settled.reason in PASSING:
            return ()
        # It is this visitor's own; others may share what they are given.
        return settled.dimensions if variants.unshared(settled.dimensions, exchange.request) else None

    def _may_share(self) -> bool:
        """Whether the answer to the exchange may be for others as well, for all that is known so far."""
        exchange = self.exchange
        is_missed = exchange.decision.forwarded in ("uri-miss", "vary-miss", "stale")
        return exchange.is_open and is_missed and not exchange.is_overtaken and policy.is_shareable(exchange.request)

    def _is_alone(self, outcome: Collection[Dimension] | None) -> bool:
        return outcome is None or variants.unshared(outcome, self.exchange.request) is not None

    def _spared(self, grace: str) -> StoredResponse | None:
        """What was found although it is not true any more, if the grace of that name covers it."""
        if not (self.exchange.is_open and self.exchange.spare):
            return None
        stored, reason = self.exchange.spare
        is_covered = -(stored.remaining(time.time()) or 0) < getattr(stored, grace)
        is_allowed = reason == EXPIRED or (self.settings.stale_after_change and reason != CLEARED)
        return stored if is_covered and is_allowed else None

    def _served(self, grace: str, detail: str, status: int | None = None) -> StoredResponse | None:
        stored = self._spared(grace)
        if stored:
            ttl = min(0, stored.remaining(time.time()) or 0)
            self.exchange.decision = Decision("stale" if status else None, detail, ttl=ttl, status=status)
        return stored
