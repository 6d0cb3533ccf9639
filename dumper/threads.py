"""Threads of our own, which never keep a process from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable


def started(name: str, work: Callable[[], object]) -> threading.Thread | None:
    """A daemon thread that does ``work``; None where no thread can be started, as when the interpreter shuts down."""
    thread = threading.Thread(target=work, name=f"dumper-{name}", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return None
    return thread
