"""What the outbox knows and the store does not: pages that this process must not serve meanwhile."""

from __future__ import annotations

import logging
import threading
import time

from django.db import connections

from dumper.outbox.delivery import wake_due
from dumper.outbox.models import STORE, living, tags_of
from dumper.outbox.records import databases
from dumper.rules.tags import Tag
from dumper.stores.guard import withheld
from dumper.upstreams.dispatch import courier

logger = logging.getLogger("dumper.outbox")

#: Seconds between two looks at what the store was not told of. So long may a page be served that another process has
#: changed while only the other could not reach the store.
INTERVAL = 1.0
#: Seconds between two looks at what killed processes have left behind.
WAKE_INTERVAL = 30.0


class Pending:
    """The tags of all rows for the store, read before a page is served, if that was not done a moment ago."""

    def __init__(self) -> None:
        self.tags: frozenset[Tag] = frozenset()
        self._lock = threading.Lock()
        self._due = 0.0
        self._wake_due = 0.0
        self._is_failing = False

    def is_due(self) -> bool:
        """Whether a refresh() is called for."""
        return time.monotonic() >= self._due

    def expire(self) -> None:
        """Something has happened to the store: look again before anything is served."""
        self._due = 0.0

    def refresh(self) -> None:
        """Look into the databases."""
        with self._lock:
            if not self.is_due():
                return
            try:
                self._read()
                self._is_failing = False
            except Exception as error:  # without its database the site has other troubles
                if not self._is_failing:
                    logger.error("The outbox cannot be read: %r", error)
                self._is_failing = True
            self._due = time.monotonic() + INTERVAL

    def _read(self) -> None:
        readable = [alias for alias in databases() if not connections[alias].in_atomic_block]
        found = frozenset[Tag]()
        for alias in readable:
            found |= tags_of(living(alias).filter(target=STORE))
        self.tags = found
        if found:
            withheld.add(self)
            courier(STORE).wake()
        else:
            withheld.remove(self)
        if time.monotonic() >= self._wake_due:
            self._wake_due = time.monotonic() + WAKE_INTERVAL
            wake_due()


pending = Pending()
