"""The backends that the contract is tested on: real ones, each with a back door to what it keeps."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymemcache
import redis
from django.core.cache import caches
from django.core.management import call_command
from django.db import connections
from django.test import override_settings

from dumper import conf, stores
from dumper.stores.base import Store
from dumper.stores.django import DjangoStore
from dumper.stores.redis import RedisStore

DJANGO_REDIS = "django_redis.cache.RedisCache"
OWN_REDIS = "django.core.cache.backends.redis.RedisCache"


class Backend(ExitStack):
    """The aliases ``default`` and ``other``, which differ in nothing but their KEY_PREFIX."""

    server: str | None = None
    #: seconds: how finely it tells times apart, so the shortest timeout that it keeps
    tick = 0.1
    #: bytes: no value may be larger
    limit: int | None = None

    def __init__(self, id: str, *, forced: bool = False, **options: Any) -> None:
        super().__init__()
        self.id = id
        self.forced = forced
        self.options = options

    def open(self, fixture: Callable[[str], Any], directory: Path) -> Backend:
        """A fresh copy on its server, which is empty."""
        opened = type(self)(self.id, forced=self.forced, **self.options)
        opened.fixture, opened.directory = fixture, directory
        alias = opened.alias()
        opened.enter_context(override_settings(CACHES={"default": alias, "other": {**alias, "KEY_PREFIX": "other"}}))
        opened.callback(caches.close_all)
        opened.flush()
        return opened

    def store(self, **changes: Any) -> Store:
        settings = replace(conf.settings(), **changes)
        return DjangoStore(settings) if self.forced else stores.make(settings)

    def names(self, store: Store, key: Any, *tags: Any) -> list[str]:
        """Under which names the backend keeps the response ``key`` and the entries of ``tags``."""
        names = [store.response_name(key), *map(store.entry_name, tags)]
        return names if isinstance(store, RedisStore) else [store.cache.make_key(name) for name in names]

    def alias(self) -> dict[str, Any]:
        raise NotImplementedError

    def flush(self) -> None:
        caches["default"].clear()

    def spoil(self, name: str, data: bytes) -> None:
        """Put ``data`` where the bytes of a value are, past all serializers."""
        raise NotImplementedError

    def evict(self, name: str) -> None:
        raise NotImplementedError

    def ttl(self, name: str) -> float | None:
        """The seconds that a value has still to live; None is forever."""
        raise NotImplementedError


class LocMem(Backend):
    def alias(self):
        backend = "django.core.cache.backends.locmem.LocMemCache"
        return {"BACKEND": backend, "LOCATION": str(self.directory), "OPTIONS": {"MAX_ENTRIES": 10_000}}

    def spoil(self, name, data):
        caches["default"]._cache[name] = data
        caches["default"]._expire_info[name] = None

    def evict(self, name):
        caches["default"]._delete(name)

    def ttl(self, name):
        expires = caches["default"]._expire_info[name]
        return expires and expires - time.time()


class Files(Backend):
    def alias(self):
        backend = "django.core.cache.backends.filebased.FileBasedCache"
        return {"BACKEND": backend, "LOCATION": str(self.directory / "cache"), "OPTIONS": {"MAX_ENTRIES": 10_000}}

    def path(self, name):
        own = name.split(":", 2)[2]  # without the alias's prefix and version
        return Path(caches["default"]._key_to_file(own))

    def spoil(self, name, data):
        self.path(name).write_bytes(data)

    def evict(self, name):
        self.path(name).unlink()

    def ttl(self, name):
        with self.path(name).open("rb") as file:
            expires = pickle.load(file)
        return expires and expires - time.time()


class Router:
    """Sends the cache table to the database ``stores``."""

    def db_for_read(self, model, **hints):
        return "stores" if model._meta.app_label == "django_cache" else None

    db_for_write = db_for_read


class SQLite(Backend):
    tick = 2

    def database(self):
        options = {"init_command": "PRAGMA synchronous = OFF"}
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(self.directory / "db"), "OPTIONS": options}

    def alias(self):
        self.enter_context(self.fixture("django_db_blocker").unblock())
        connections.settings["stores"] = self.database()
        connections.configure_settings(connections.settings)
        self.callback(connections.settings.pop, "stores")
        self.callback(connections.__delitem__, "stores")
        self.callback(connections["stores"].close)
        self.enter_context(override_settings(DATABASE_ROUTERS=[Router()]))
        backend = "django.core.cache.backends.db.DatabaseCache"
        return {"BACKEND": backend, "LOCATION": "cache", "OPTIONS": {"MAX_ENTRIES": 10_000}}

    def flush(self):
        call_command("createcachetable", database="stores", verbosity=0)
        super().flush()

    def query(self, sql, *values):
        with connections["stores"].cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchone() if cursor.description else None

    def spoil(self, name, data):
        self.evict(name)
        text = data.decode("latin-1").replace("\0", "")  # PostgreSQL knows no zero in a text
        self.query("INSERT INTO cache (cache_key, value, expires) VALUES (%s, %s, '9999-12-31')", name, text)

    def evict(self, name):
        self.query("DELETE FROM cache WHERE cache_key = %s", name)

    def ttl(self, name):
        (expires,) = self.query("SELECT expires FROM cache WHERE cache_key = %s", name)
        if isinstance(expires, str):
            expires = datetime.fromisoformat(expires)
        expires = expires.replace(tzinfo=timezone.utc)
        return None if expires.year == 9999 else expires.timestamp() - time.time()


class Postgres(SQLite):
    server = "postgres_server"

    def database(self):
        url = urlsplit(self.fixture(self.server).url)
        place = {"HOST": url.hostname, "PORT": url.port, "USER": url.username, "NAME": "postgres"}
        return {"ENGINE": "django.db.backends.postgresql", **place}


class Redis(Backend):
    server = "redis_server"
    tick = 1

    def alias(self):
        alias = {"LOCATION": self.fixture(self.server).url, **self.options}
        self.client = redis.Redis.from_url(alias["LOCATION"])
        self.callback(self.client.close)
        return alias

    def flush(self):
        self.client.flushall()

    def spoil(self, name, data):
        self.client.set(name, data)

    def evict(self, name):
        assert self.client.delete(name)

    def ttl(self, name):
        milliseconds = self.client.pttl(name)
        assert milliseconds != -2  # it is not there
        return None if milliseconds == -1 else milliseconds / 1000


class Memcached(Backend):
    server = "memcached_server"
    tick = 2
    limit = 1024 * 1024

    def alias(self):
        address = self.fixture(self.server).address
        self.client = self.enter_context(closing(pymemcache.Client(address, default_noreply=False)))
        return {"BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache", "LOCATION": address}

    def spoil(self, name, data):
        self.client.set(name, data, flags=1)  # it says that this is a pickle

    def evict(self, name):
        assert self.client.delete(name)

    def ttl(self, name):
        answer = self.client.raw_command(f"mg {name} t")
        assert answer.startswith(b"HD t"), answer
        return None if answer == b"HD t-1" else int(answer[4:])


def django_redis(name: str, **options: Any) -> tuple[Redis, Redis]:
    """An alias of django-redis, for the store that is made for it and for one that makes no use of Redis."""
    alias = {"BACKEND": DJANGO_REDIS, "OPTIONS": options}
    return Redis(f"django-redis-{name}", **alias), Redis(f"forced-{name}", forced=True, **alias)


BACKENDS = [
    LocMem("locmem"),
    Files("files"),
    SQLite("sqlite"),
    Postgres("postgresql"),
    Memcached("memcached"),
    Redis("redis", BACKEND=OWN_REDIS),
    Redis("forced-redis", forced=True, BACKEND=OWN_REDIS),
    *django_redis("pickle"),
    *django_redis("json", SERIALIZER="django_redis.serializers.json.JSONSerializer"),
    *django_redis("msgpack", SERIALIZER="django_redis.serializers.msgpack.MSGPackSerializer"),
    *django_redis("zlib", COMPRESSOR="django_redis.compressors.zlib.ZlibCompressor"),
    *django_redis("ignoring", IGNORE_EXCEPTIONS=True),
    django_redis("sharded", CLIENT_CLASS="django_redis.client.ShardClient")[0],
    django_redis("herd", CLIENT_CLASS="django_redis.client.HerdClient")[0],
]
