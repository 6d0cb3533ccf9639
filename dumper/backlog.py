"""Holding and releasing tags, whatever becomes of the store.

What cannot be released now is kept, its tags are withheld in this process, and a thread tries again until it gets
through. What a killed process had in its backlog is lost, unless the outbox has it; the README says what follows.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Collection
from urllib.parse import quote

from django.db import DatabaseError, connections

from dumper import stores
from dumper.conf import settings
from dumper.exceptions import InvalidationError, StoreError
from dumper.rules.tags import SITE, Tag
from dumper.signals import committing, invalidated
from dumper.stores.entries import Hold
from dumper.stores.guard import withheld
from dumper.threads import started

logger = logging.getLogger("dumper.invalidation")

#: Above this many tags that wait, the whole site is invalidated in their stead, so that memory stays bounded.
MOST_TAGS = 10_000

LOGGED_TAGS = 20


def hold(tags: Collection[Tag], holder: str) -> bool:
    """Hold ``tags``, which are about to change; return whether that was done.

    Raises InvalidationError with DUMPER_STRICT if it was not.
    """
    try:
        stores.current().hold(tags, Hold(holder, time.time() + settings().hold_timeout))
    except StoreError as error:
        if settings().strict:
            raise InvalidationError(f"not committed: {error}") from error
        logger.error("Could not hold %d tags before a commit: %s", len(tags), error)
        return False
    return True


def record(tags: Collection[Tag], using: str, is_told: bool) -> bool:
    """Have ``tags`` written down in the database ``using``, in the transaction that is open there, if any.

    Return whether somebody has done so. ``is_told`` is whether the store knows. Raises what the receivers raise.
    """
    answers = committing.send(sender=None, tags=frozenset(tags), using=using, is_told=is_told)
    return any(answer for _, answer in answers)


def recorded(tags: Collection[Tag], using: str, is_told: bool) -> bool:
    """The same for what is changed already: an error is logged, and means that nobody has written it down."""
    try:
        return record(tags, using, is_told)
    except DatabaseError as error:
        logger.error("Could not write down %d tags, they are kept in memory: %s", len(tags), error)
        return False


def release(tags: Collection[Tag], holder: str = "none", is_recorded: bool = False) -> bool:
    """Invalidate ``tags`` now or, if the store does not answer, as soon as it does; return whether it is done."""
    try:
        stores.current().release(tags, holder)
    except StoreError as error:
        logger.error("Could not invalidate %d tags, will try again: %s", len(tags), error)
        backlog.add(tags, holder, is_recorded)
        return False
    return True


def announce(tags: Collection[Tag], is_recorded: bool = False) -> None:
    """Tell the log and the receivers of the signal that ``tags`` were invalidated."""
    if logger.isEnabledFor(logging.DEBUG):
        named = [*map(quoted, sorted(tags)[:LOGGED_TAGS]), *(["..."] if len(tags) > LOGGED_TAGS else [])]
        logger.debug("invalidated %d: %s", len(tags), ", ".join(named))
    invalidated.send_robust(sender=None, tags=frozenset(tags), is_recorded=is_recorded)


def quoted(tag: Tag) -> str:
    """``tag`` in ASCII and on one line, whatever its path holds."""
    return quote(tag, safe="/:")


class Waiting:
    """Tags that are still to be released; withheld until then."""

    def __init__(self, tags: Collection[Tag], holder: str, is_recorded: bool) -> None:
        self.tags = frozenset(tags)
        self.holder = holder
        #: whether they are written down where they outlive this process
        self.is_recorded = is_recorded


class Backlog:
    """All that waits in this process, and the thread that sees to it."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, tags: Collection[Tag], holder: str, is_recorded: bool = False) -> None:
        """Keep ``tags`` until they are released."""
        with self._lock:
            if len(tags) + sum(len(waiting.tags) for waiting in self._waiting) > MOST_TAGS:
                tags = {SITE}
            waiting = Waiting(tags, holder, is_recorded)
            self._waiting.append(waiting)
            withheld.add(waiting)
            self._start()

    def attempt(self) -> bool:
        """Release what waits; return whether nothing is left."""
        for waiting in tuple(self._waiting):
            try:
                stores.current().release(waiting.tags, waiting.holder)
            except StoreError:
                return False
            announce(waiting.tags, waiting.is_recorded)
            with self._lock:
                self._waiting.remove(waiting)
            withheld.remove(waiting)
        return not self._waiting

    def _start(self) -> None:
        if self._thread is None:
            self._thread = started("backlog", self._work)

    def _work(self) -> None:
        while True:
            time.sleep(settings().retry_delay)
            self.attempt()
            connections.close_all()  # this thread's own, which a cache in the database or a receiver has opened
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return

    def after_fork(self) -> None:
        """Threads do not survive a fork: the child sees to its own copy."""
        self._lock = threading.Lock()
        self._thread = None
        if self._waiting:
            self._start()

    def at_exit(self) -> None:
        """Give the thread the time for a last attempt, then say what is lost."""
        if thread := self._thread:
            thread.join(2 * settings().retry_delay)
        if lost := sorted(tag for waiting in self._waiting if not waiting.is_recorded for tag in waiting.tags):
            named = ", ".join(map(quoted, lost[:LOGGED_TAGS]))
            logger.error("Exit with %d tags not invalidated: run dumper.clear() later. %s", len(lost), named)


backlog = Backlog()
atexit.register(backlog.at_exit)
os.register_at_fork(after_in_child=backlog.after_fork)
