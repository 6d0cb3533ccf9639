"""Who tells an upstream what to forget: a thread for each, which lives while there is something to tell.

What it delivers lies in mailboxes: one in memory, and the outbox if that app is installed.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Collection

from django.db import connections

from dumper import upstreams
from dumper.backlog import quoted
from dumper.conf import settings
from dumper.exceptions import DumperError
from dumper.rules.tags import Tag
from dumper.signals import undelivered
from dumper.stores.entries import token
from dumper.threads import started
from dumper.upstreams.base import Impossible, UpstreamError
from dumper.upstreams.memory import Memory, Visit, reference_of

logger = logging.getLogger("dumper.upstreams")

#: The longest time between two attempts, in seconds.
MOST_DELAY = 300.0
LOGGED_TAGS = 20
#: How many purges are made together, at most.
MOST_STRIDE = 1000

#: Delivers what is due; returns in how many seconds more will be, None if nothing is left.
Mailbox = Callable[["Courier"], "float | None"]

#: where each courier looks, besides its own memory
mailboxes: list[Mailbox] = []


class Courier:
    """Delivers to one upstream, in a thread of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.memory = Memory()
        self._leaving = threading.Event()
        self._failures = 0
        self._resume_at = 0.0
        #: how many purges are made together: one after a failure, so that an unsteady upstream gets on all the same
        self.stride = MOST_STRIDE
        self._woken = threading.Event()
        self._lock = threading.Lock()
        self._telling = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, tags: Collection[Tag]) -> None:
        """Have ``tags`` purged soon."""
        dropped = self.memory.put(tags, self._can_be_cleared)
        if dropped:
            self.give_up(dropped, "too many wait")
        self.wake()

    def wake(self) -> None:
        """There is something to deliver."""
        with self._lock:
            self._woken.set()
            if self._thread is None or not self._thread.is_alive():
                self._thread = started(self.name or "store", self._work)

    def tell(self, tags: Collection[Tag], reference: str) -> str | None:
        """Make one attempt. Return what went wrong, if anything did. Raises Impossible where no attempt will help."""
        try:
            with self._telling:  # an upstream has one connection
                upstreams.find(self.name).purge(tags, reference)
        except Impossible:
            raise
        except Exception as error:
            self._failed(error)
            return f"{type(error).__name__}: {error}"
        if self._failures:
            self._failures = 0
            logger.warning("The upstream %r answers again.", self.name)
        self.stride = min(2 * self.stride, MOST_STRIDE)
        logger.debug("told %r of %d tags", self.name, len(tags))
        return None

    def tell_now(self, tags: Collection[Tag]) -> None:
        """Have ``tags`` purged at once or, where that fails, soon."""
        try:
            error = self.tell(tags, token())
        except Impossible as impossible:
            self.give_up(tags, str(impossible))
        else:
            if error:
                self.put(tags)

    @property
    def _can_be_cleared(self) -> bool:
        return upstreams.is_known(self.name) and "clear" in upstreams.find(self.name).can

    @property
    def delay(self) -> float:
        """Seconds until the next attempt, after the last has failed."""
        return max(0.0, self._resume_at - time.monotonic())

    def give_up(self, tags: Collection[Tag], error: str) -> None:
        """Say that ``tags`` will not be purged."""
        named = ", ".join(map(quoted, sorted(tags)[:LOGGED_TAGS]))
        logger.error("Gave up on %d purges of %r: %s. %s", len(tags), self.name, error, named)
        undelivered.send_robust(sender=None, upstream=self.name, tags=frozenset(tags), error=error)

    @property
    def patience(self) -> float:
        """Seconds that one attempt may take; longer than any should."""
        return 10 + 4 * upstreams.find(self.name).config.timeout if upstreams.is_known(self.name) else 10

    def _failed(self, error: Exception) -> None:
        if not self._failures:
            unexpected = not isinstance(error, (DumperError, OSError))
            logger.error("The upstream %r was not purged, will try again: %s", self.name, error, exc_info=unexpected)
        self._failures += 1
        self.stride = 1
        backoff = min(MOST_DELAY, settings().retry_delay * 2 ** min(self._failures - 1, 20)) * random.uniform(0.5, 1)
        asked = error.retry_after if isinstance(error, UpstreamError) else 0
        self._resume_at = time.monotonic() + max(backoff, min(asked, MOST_DELAY))

    def _deliver_memory(self) -> float | None:
        """The mailbox in memory."""
        while visits := self.memory.due(self._leaving.is_set(), self.stride):
            self._deliver_visits(visits)
            if self.delay:
                break
        return self.memory.next_due()

    def _deliver_visits(self, visits: dict[Tag, Visit]) -> None:
        began = time.monotonic()
        try:
            error = self.tell(list(visits), reference_of(visits))
        except Impossible as impossible:
            if len(visits) == 1:
                self.memory.drop(visits)
                self.give_up(list(visits), str(impossible))
                return
            for tag, visit in visits.items():  # one of them may spoil the others
                if not self.delay:
                    self._deliver_visits({tag: visit})
            return
        if error is None:
            again_after = () if self._leaving.is_set() else upstreams.find(self.name).again_after
            self.memory.done(visits, began, again_after)
        elif old := self.memory.failed(visits, self.delay, settings().give_up_after):
            self.give_up(old, error)

    def deliver(self) -> float | None:
        """Deliver from every mailbox; return in how many seconds there will be more, None if nothing is left."""
        delays = [self._deliver_memory()]
        for mailbox in mailboxes:
            if self.delay:
                break
            delays.append(mailbox(self))
        if self.delay:
            return self.delay
        return min((delay for delay in delays if delay is not None), default=None)

    def _work(self) -> None:
        while True:
            self._woken.clear()
            try:
                delay = self.deliver()
            except Exception:
                logger.exception("Could not deliver to %r, will try again", self.name)
                delay = settings().retry_delay
                self._resume_at = time.monotonic() + delay
            finally:
                connections.close_all()  # this thread's own
            if delay is None or self._leaving.is_set():
                with self._lock:
                    if self.delay or not self._woken.is_set():
                        self._thread = None
                        return
            elif self.delay:
                self._leaving.wait(self.delay)  # however much there is to tell it
            else:
                self._woken.wait(delay)

    def hurry(self) -> None:
        """The process ends: whatever waits is due."""
        self._leaving.set()
        self._woken.set()

    def leave(self, seconds: float) -> None:
        """Give the thread that many seconds, then say what was not delivered."""
        if thread := self._thread:
            thread.join(seconds)
        if lost := self.memory.undone():
            self.give_up(lost, "the process has ended")
