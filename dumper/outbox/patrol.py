"""A thread of each process that serves pages: it looks for what killed processes have left in the outbox.

Requests alone would not do: a good cache in front keeps them away.
"""

from __future__ import annotations

import os
import threading

from django.core import mail
from django.db import connections

from dumper.outbox.delivery import wake_due
from dumper.threads import started

#: Seconds between two looks.
INTERVAL = 5.0


class Patrol:
    """Runs until the process ends."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def start(self) -> None:
        """Look now, and then again and again; but not in a test environment, which takes the database away some day."""
        if self._thread is None and not hasattr(mail, "outbox"):
            self._stop.clear()
            self._thread = started("patrol", self._work)

    def stop(self) -> None:
        """Undo start()."""
        if thread := self._thread:
            self._stop.set()
            thread.join()
            self._thread = None

    def after_fork(self) -> None:
        """Threads do not survive a fork."""
        if self._thread is not None:
            self._thread = None
            self.start()

    def _work(self) -> None:
        while not self._stop.is_set():
            wake_due()
            connections.close_all()
            self._stop.wait(INTERVAL)


patrol = Patrol()
os.register_at_fork(after_in_child=patrol.after_fork)
