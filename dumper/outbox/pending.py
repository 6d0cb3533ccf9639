"""What the outbox knows and the store does not: pages that this process must not serve meanwhile."""

from __future__ import annotations

import os
import threading
import time

from django.db import connections

from dumper.outbox.models import STORE, living, tags_of
from dumper.outbox.patrol import patrol
from dumper.outbox.records import apart, has_outbox
from dumper.rules.tags import SITE, Tag
from dumper.stores.guard import withheld
from dumper.upstreams.dispatch import courier

#: Seconds between two looks at what the store was not told of. So long may a page be served that another process has
#: changed while only the other could not reach the store.
INTERVAL = 1.0
#: Above this many rows, nothing at all is served from the store.
MOST_ROWS = 1000


class Pending:
    """The tags of all rows for the store, read before a page is served, if that was not done a moment ago."""

    def __init__(self) -> None:
        self.tags: frozenset[Tag] = frozenset()
        self._lock = threading.Lock()
        self._due = 0.0
        #: what each database has said when it was last asked
        self._found: dict[str, frozenset[Tag]] = {}

    def after_fork(self) -> None:
        """Whoever held the lock in the parent is not here."""
        self._lock = threading.Lock()

    def start(self) -> None:
        """This process is going to serve pages."""
        patrol.start()

    def is_due(self) -> bool:
        """Whether a refresh() is called for."""
        return time.monotonic() >= self._due

    def expire(self) -> None:
        """Something has happened to the store: look again before anything is served."""
        self._due = 0.0

    def refresh(self) -> None:
        """Look into the databases."""
        if not self._lock.acquire(blocking=False):
            return  # somebody looks; where a database does not answer, one waits for it and not all
        try:
            if self.is_due() and not any(c.in_atomic_block for c in connections.all(initialized_only=True)):
                self._read()  # but not in a transaction, which may see the past
                self._due = time.monotonic() + INTERVAL
        finally:
            self._lock.release()

    def _read(self) -> None:
        for alias in connections:
            with apart(alias):
                rows = living(alias).filter(target=STORE)[: MOST_ROWS + 1] if has_outbox(alias) else ()
                self._found[alias] = tags_of(rows) if len(rows) <= MOST_ROWS else frozenset({SITE})
        self.tags = frozenset[Tag]().union(*self._found.values())
        if self.tags:
            withheld.add(self)
            courier(STORE).wake()
        else:
            withheld.remove(self)


pending = Pending()
os.register_at_fork(after_in_child=pending.after_fork)
