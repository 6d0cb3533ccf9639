"""What DjangoStore makes of backends that fail in silence, and which store is made for which alias."""

import sys
import time

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import InvalidCacheBackendError
from django.test import override_settings

from dumper import conf, stores
from dumper.exceptions import StoreError
from dumper.stores.base import Item
from dumper.stores.django import DjangoStore
from dumper.stores.locmem import LocMemStore
from dumper.stores.redis import RedisStore
from test.servers import MemcachedServer, RedisServer
from test.stores.backends import DJANGO_REDIS, OWN_REDIS
from test.stores.helpers import PATH, TAGS, hold, key, lease, put

BUILT_IN = "django.core.cache.backends."
NOWHERE = "redis://127.0.0.1:9/0"


def caches_of(backend, location="", **options):
    return override_settings(CACHES={"default": {"BACKEND": backend, "LOCATION": location, "OPTIONS": options}})


@pytest.mark.parametrize(
    ("backend", "location", "options", "expected"),
    [
        (BUILT_IN + "locmem.LocMemCache", "", {}, LocMemStore),
        (BUILT_IN + "dummy.DummyCache", "", {}, DjangoStore),
        (BUILT_IN + "filebased.FileBasedCache", "/nowhere/at/all", {}, None),
        (BUILT_IN + "memcached.PyMemcacheCache", "127.0.0.1:9", {}, DjangoStore),
        (OWN_REDIS, NOWHERE, {}, RedisStore),
        (OWN_REDIS, [NOWHERE, NOWHERE], {}, RedisStore),
        (DJANGO_REDIS, NOWHERE, {}, RedisStore),
        (DJANGO_REDIS, [NOWHERE, NOWHERE], {}, RedisStore),
        (DJANGO_REDIS, [NOWHERE], {"CLIENT_CLASS": "django_redis.client.ShardClient"}, DjangoStore),
    ],
)
def test_each_alias_gets_the_best_store(backend, location, options, expected, tmp_path):
    with caches_of(backend, str(tmp_path) if expected is None else location, **options):
        assert type(stores.make(conf.settings())) is (expected or DjangoStore)


def test_without_redis_py_any_alias_works(monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "dumper.stores.redis")
    monkeypatch.setitem(sys.modules, "redis", None)
    with caches_of(BUILT_IN + "filebased.FileBasedCache", str(tmp_path)):
        assert type(stores.make(conf.settings())) is DjangoStore


def test_an_alias_that_is_not_there_is_an_error():
    with override_settings(DUMPER_CACHE_ALIAS="missing"), pytest.raises(InvalidCacheBackendError):
        stores.make(conf.settings())


def test_the_store_in_use_changes_with_the_settings(tmp_path):
    before = stores.current()
    assert stores.current() is before
    with override_settings(DUMPER_KEY_PREFIX="other."):
        assert stores.current().store.prefix == "other."
    assert stores.current() is not before


def test_a_dummy_cache_stores_nothing_and_raises_nothing():
    with caches_of(BUILT_IN + "dummy.DummyCache"):
        dummy = stores.make(conf.settings())
        assert dummy.lease(TAGS) == dict.fromkeys(TAGS)
        dummy.hold(TAGS, hold())
        dummy.release(TAGS, "holder")
        assert not dummy.write([Item(key(), b"page", None)], dict.fromkeys(TAGS, "g"))
        assert dummy.read(key(), TAGS) == (None, dict.fromkeys(TAGS))


@pytest.fixture(params=["down", "paused", "read-only"])
def silent_failure(request):
    """A store on an alias that swallows its errors, and the server's failure as a context."""
    with RedisServer() as server:
        options = {"IGNORE_EXCEPTIONS": True, "SOCKET_TIMEOUT": 0.1, "SOCKET_CONNECT_TIMEOUT": 0.1}
        with caches_of(DJANGO_REDIS, server.url, **options):
            yield (
                DjangoStore(conf.settings()),
                {
                    "down": lambda: server.stop(kill=True),
                    "paused": server.pause,
                    "read-only": lambda: server._ask(b"CONFIG SET min-replicas-to-write 1\r\n"),
                }[request.param],
            )
            server.resume() if server.process else None
            caches["default"].client.do_close_clients()


@pytest.mark.slow
@pytest.mark.parametrize("known", [True, False], ids=["entries known", "entries unknown"])
@pytest.mark.parametrize("change", ["hold", "release"])
def test_a_change_that_a_backend_swallows_is_an_error(silent_failure, change, known):
    failing, fail = silent_failure
    if known:
        put(failing)
    fail()
    with pytest.raises(StoreError):
        failing.hold([PATH], hold()) if change == "hold" else failing.release([PATH], "holder")


@pytest.mark.slow
def test_a_dead_memcached_is_an_error_and_not_a_hang():
    with MemcachedServer() as server, caches_of(BUILT_IN + "memcached.PyMemcacheCache", server.address):
        memcached = stores.make(conf.settings())
        lease(memcached)
        server.stop(kill=True)
        started = time.monotonic()
        for call in (lambda: memcached.read(key(), TAGS), lambda: memcached.hold(TAGS, hold())):
            with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the client library raises
                call()
        assert time.monotonic() - started < 1
        caches.close_all()
