"""Where responses are kept: the contract (base), its implementations, and the one that is in use."""

from __future__ import annotations

import os
from threading import Lock
from typing import Any

from django.core.cache import InvalidCacheBackendError, caches
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.signals import setting_changed

from dumper.conf import PREFIX, Settings, settings
from dumper.stores.base import Store
from dumper.stores.database import DatabaseStore
from dumper.stores.django import DjangoStore
from dumper.stores.guard import Breaker, Guard
from dumper.stores.locmem import LocMemStore

__all__ = ["Store", "current", "make"]


def make(settings: Settings) -> Store:
    """The best store for the alias that ``settings`` name.

    Raises django.core.cache.InvalidCacheBackendError where there is no such alias.
    """
    if settings.cache_alias not in caches.settings:
        raise InvalidCacheBackendError(f"There is no alias {settings.cache_alias!r} in CACHES.")
    # One of its own: Django closes those in ``caches`` after each request, which takes longer than a hit.
    cache = caches.create_connection(settings.cache_alias)
    if isinstance(cache, LocMemCache):
        return LocMemStore(settings)
    if isinstance(cache, DatabaseCache):
        return DatabaseStore(settings)
    try:
        from dumper.stores.redis import RedisStore, primary
    except ImportError:  # redis-py is not installed
        return DjangoStore(settings)
    client = primary(cache)
    return DjangoStore(settings) if client is None else RedisStore(settings, cache, client)


_current: Guard | None = None
#: All threads wait in one crowd, and are told of one another's changes.
_making = Lock()


def current() -> Guard:
    """The store in use. It is made at the first call, after a worker has been forked."""
    global _current
    found = _current
    if found is None:
        with _making:
            found = _current = _current or _guarded()
    return found


def _guarded() -> Guard:
    try:
        store = make(settings())
    except Exception:  # whatever a backend makes of a bad setting: the system checks tell of it
        store = DjangoStore(settings())  # each call of which fails, as if it were down
    return Guard(store, Breaker(settings().retry_delay))


def _forget(*, setting: str, **kwargs: Any) -> None:
    global _current
    if setting == "CACHES" or setting.startswith(PREFIX):
        _current = None


def _after_fork() -> None:
    global _making
    _making = Lock()  # a thread that is not here any more may hold it


setting_changed.connect(_forget, dispatch_uid="dumper.stores")
os.register_at_fork(after_in_child=_after_fork)
