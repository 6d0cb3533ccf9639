"""A store on Django's LocMemCache: one process, one lock, no waiting."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import RLock
from typing import Any

from dumper.stores.django import DjangoStore

_LOCK = RLock()


class LocMemStore(DjangoStore):
    """Atomic within its process, which is all there is of it; never blocks, so async code calls it directly."""

    atomic = True

    def lock(self) -> AbstractContextManager[Any]:
        return _LOCK

    async def off_loop(self, method: Callable[..., Any], *args: Any) -> Any:
        return method(*args)
