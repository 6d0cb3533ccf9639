"""A store on Django's LocMemCache: one process, one lock, no waiting."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from threading import RLock
from typing import Any

from dumper.rules.keys import Key, tag_name
from dumper.rules.tags import Tag
from dumper.store.django import DjangoStore

_LOCK = RLock()


class LocMemStore(DjangoStore):
    """Atomic within its process, which is all there is of it; never blocks, so async code calls it directly."""

    atomic = True

    def lock(self) -> AbstractContextManager[Any]:
        return _LOCK

    async def off_loop(self, method: Callable[..., Any], *args: Any) -> Any:
        return method(*args)

    def write(self, key: Key, leases: Mapping[Tag, str], data: bytes, timeout: float | None) -> bool:
        with self.lock():
            if not super().write(key, leases, data, timeout):
                return False
            names = {*self.stored_with(key.path), self.response_name(key)}
            self.cache.set(self.index_name(key.path), " ".join(names), None)
            return True

    def release(self, tags: Collection[Tag], holder: str) -> None:
        with self.lock():
            super().release(tags, holder)
            for tag in tags:
                self.cache.delete_many([self.index_name(tag), *self.stored_with(tag)])

    def stored_with(self, path: Tag) -> list[str]:
        """The names of the responses stored with ``path``."""
        index = self.cache.get(self.index_name(path))
        return index.split() if isinstance(index, str) else []

    def index_name(self, tag: Tag) -> str:
        """Where the names of the responses stored with ``tag`` are kept."""
        return f"{self.prefix}i.{tag_name(tag)}"
