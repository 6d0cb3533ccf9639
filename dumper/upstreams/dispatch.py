"""From an invalidation to the couriers of all upstreams."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Collection
from typing import Any

from django.urls import get_script_prefix

from dumper import upstreams
from dumper.backlog import backlog
from dumper.rules.tags import Tag, path_of, path_tag
from dumper.upstreams.courier import Courier

#: Seconds that the end of the process waits for the last deliveries.
EXIT_SECONDS = 3.0

_couriers: dict[str, Courier] = {}
_lock = threading.Lock()


def courier(name: str) -> Courier:
    """The courier of the upstream ``name``."""
    with _lock:
        if name not in _couriers:
            _couriers[name] = Courier(name)
        return _couriers[name]


def public(tags: Collection[Tag]) -> frozenset[Tag]:
    """``tags``, with their paths as visitors see them: below the script prefix as well."""
    mount = get_script_prefix().rstrip("/")
    if not mount:
        return frozenset(tags)
    paths = [path for tag in tags if (path := path_of(tag)) is not None]
    return frozenset(tags).union(path_tag(mount + path) for path in paths if not path.startswith(mount + "/"))


def dispatch(sender: object, tags: Collection[Tag], is_recorded: bool = False, **kwargs: Any) -> None:
    """``invalidated``: the store knows, now the caches in front of it have to."""
    for name, upstream in upstreams.current().items():
        if upstream.is_immediate:
            courier(name).tell_now(public(tags))
        elif is_recorded:
            courier(name).wake()
        else:
            courier(name).put(public(tags))


def leave() -> None:
    """The process ends."""
    deadline = time.monotonic() + EXIT_SECONDS
    leaving = list(_couriers.values())
    for each in leaving:
        each.hurry()
    for each in leaving:
        each.leave(max(0.0, deadline - time.monotonic()))


def forked() -> None:
    """Threads do not survive a fork, and what they had to deliver is the parent's to deliver."""
    global _lock
    _lock = threading.Lock()
    _couriers.clear()
    upstreams.forget()


# The last to be registered is the first to be called: what the backlog releases has to be delivered, too.
atexit.unregister(backlog.at_exit)
atexit.register(leave)
atexit.register(backlog.at_exit)
os.register_at_fork(after_in_child=forked)
