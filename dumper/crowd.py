"""One render for a crowd (RFC 9211 §2.7: collapsed).

Whoever asks first for what is not stored renders it; the others of the process wait for that, and one of them at most
asks the store whether another process is at it. Nobody waits for what will not be stored.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Collection
from concurrent.futures import Future, wait

from dumper.exceptions import StoreError
from dumper.rules.dimensions import Dimension
from dumper.rules.keys import Key
from dumper.steps import Call, Steps

#: What stands in a store in the place of a holder where nobody is to wait.
VAIN = "vain"
#: How many keys a process knows that nobody is to wait for.
MOST_VAIN = 10_000
#: seconds between two questions whether another process is done: the first time, and at most
FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.1


class Turn:
    """To render what is stored under ``key``, while others wait until it is over.

    It counts for ``patience`` seconds; where nothing can be stored, nobody waits again for ``vain_for`` seconds.
    """

    def __init__(self, key: Key, patience: float, vain_for: float) -> None:
        self.key = key
        self.patience = patience
        self.vain_for = vain_for
        self.began = time.monotonic()
        #: who holds it in the store; None where it was not asked, or where the turn was given back
        self.holder: str | None = None
        #: what tells what lay under the key in the store when it was granted
        self.identity: bytes | None = None
        self._outcome: Future[Collection[Dimension] | None] = Future()
        self._outcome.set_running_or_notify_cancel()  # a task that is cancelled cancels nobody else's wait

    @property
    def is_over(self) -> bool:
        return self._outcome.done()

    @property
    def outcome(self) -> Collection[Dimension] | None:
        """In what the page was found to vary, once it is over; None where nobody is to wait."""
        return self._outcome.result(0)

    def end(self, outcome: Collection[Dimension] | None) -> None:
        if not self.is_over:
            self._outcome.set_result(outcome)

    def pause(self, seconds: float) -> None:
        """Wait until it is over, or for ``seconds``."""
        wait([self._outcome], max(0, seconds))

    async def apause(self, seconds: float) -> None:
        waiting = asyncio.wrap_future(self._outcome)
        try:
            await asyncio.wait([waiting], timeout=max(0, seconds))
        finally:
            waiting.cancel()


class Crowd:
    """The turns of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: by fingerprint: as many as there are requests on their way
        self._turns: dict[str, Turn] = {}
        #: until when (monotonic) nobody waits, the oldest first
        self._vain: dict[str, float] = {}
        self._name = "c" + os.urandom(16).hex()

    @property
    def holder(self) -> str:
        """What the store knows this process by: a turn that was given up is taken up by another of its requests."""
        return f"{self._name}.{os.getpid()}"

    def turn(self, own: Turn, until: float) -> Steps[Turn | None]:
        """Whose turn it is: ``own``, another's (over by now, or still not ``until`` that monotonic time), or None where
        nobody is to wait. Raises StoreError."""
        first = self._first(own)
        if first is None:
            return None
        if first is not own:
            yield Call("pause", (first, until - time.monotonic()))
            return first
        try:
            return (yield from self._claimed(own, until))
        finally:
            if own.holder is None:
                self.end(own, ())

    def _first(self, own: Turn) -> Turn | None:
        name = own.key.fingerprint
        now = time.monotonic()
        with self._lock:
            if name in self._vain:
                if now < self._vain[name]:
                    return None
                del self._vain[name]
            first = self._turns.get(name)
            if first is None or now - first.began > first.patience:
                first = self._turns[name] = own
            return first

    def _claimed(self, own: Turn, until: float) -> Steps[Turn | None]:
        """The same, among all processes that use the store.

        A claim counts for half the time: whoever takes over from a process that was killed is waited for as well.
        """
        pause = FIRST_PAUSE
        while True:
            holder, identity = yield Call("claim", (own.key, self.holder, own.patience / 2))
            if holder == self.holder:
                own.holder, own.identity = holder, identity
                return own
            if holder == VAIN:
                self.end(own, None)
                return None
            if (left := until - time.monotonic()) <= 0:
                return Turn(own.key, own.patience, own.vain_for)  # which is not over: that of another process
            yield Call("pause", (own, min(pause, left)))
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def end(self, turn: Turn, outcome: Collection[Dimension] | None) -> None:
        """Let all go on that wait for ``turn``."""
        name = turn.key.fingerprint
        with self._lock:
            if outcome is None:
                self._vain.pop(name, None)
                self._vain[name] = time.monotonic() + turn.vain_for
                if len(self._vain) > MOST_VAIN:
                    del self._vain[next(iter(self._vain))]
            if self._turns.get(name) is turn:
                del self._turns[name]
        turn.end(outcome)

    def over(self, turn: Turn, outcome: Collection[Dimension] | None) -> Steps[None]:
        """Give ``turn`` back: in the store first, or who takes it up here would lose it."""
        try:
            if turn.holder:
                yield Call("unclaim", (turn.key, turn.holder, turn.vain_for if outcome is None else None))
        except StoreError:
            pass  # it passes by itself
        finally:
            self.end(turn, outcome)

    def stored(self, key: Key) -> None:
        """Something was stored under ``key``: that ends the claim on it, and it is not in vain to wait for it."""
        with self._lock:
            self._vain.pop(key.fingerprint, None)
            if turn := self._turns.get(key.fingerprint):
                turn.holder = None
