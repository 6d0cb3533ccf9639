"""RedisStore and a server that hangs, dies and comes back."""

import time
from dataclasses import replace

import pytest
import redis
from django.core.cache import caches
from django.test import override_settings
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from dumper import conf
from dumper.stores import make
from test.servers import RedisServer
from test.stores.backends import DJANGO_REDIS, OWN_REDIS
from test.stores.helpers import TAGS, hold, key, lease, on_loop, one_loop, put, served

pytestmark = pytest.mark.slow

PATIENT = {"retry": Retry(ConstantBackoff(1), 5), "retry_on_timeout": True}
ALIASES = {
    "own": {"BACKEND": OWN_REDIS},
    "django-redis": {"BACKEND": DJANGO_REDIS},
    "own, patient": {"BACKEND": OWN_REDIS, "OPTIONS": PATIENT},
    "django-redis, patient": {"BACKEND": DJANGO_REDIS, "OPTIONS": {"CONNECTION_POOL_KWARGS": PATIENT}},
}


@pytest.fixture(params=["sync", "async"])
def mode(request):
    return request.param


@pytest.fixture(params=ALIASES)
def mortal_store(request, mode):
    """A store on a server of its own, which may be paused and killed."""
    alias = ALIASES[request.param]
    with RedisServer() as server, override_settings(CACHES={"default": {**alias, "LOCATION": server.url}}):
        store = make(conf.settings())
        if mode == "sync":
            yield store, server
        else:
            with one_loop() as run:
                yield on_loop(store, run), server
        store.client.connection_pool.disconnect()
        caches.close_all()


@pytest.mark.alone
@pytest.mark.parametrize("fresh", [True, False], ids=["not connected yet", "connected"])
@pytest.mark.parametrize("name", ["read", "hold"])
def test_a_server_that_hangs_costs_the_time_out_and_not_more(mortal_store, fresh, name):
    store, server = mortal_store
    if not fresh:
        lease(store)
    server.pause()
    started = time.monotonic()
    with pytest.raises(redis.RedisError):
        store.read(key(), TAGS) if name == "read" else store.hold(TAGS, hold())
    took = time.monotonic() - started
    assert conf.settings().store_timeout * 0.9 < took < conf.settings().store_timeout * 1.8
    server.resume()
    lease(store)


def test_a_time_out_of_the_alias_is_kept(redis_server):
    options = {"socket_timeout": 7}
    with override_settings(
        CACHES={"default": {"BACKEND": OWN_REDIS, "LOCATION": redis_server.url, "OPTIONS": options}}
    ):
        store = make(replace(conf.settings(), store_timeout=2))
        assert store.client.connection_pool.connection_kwargs["socket_timeout"] == 7
        assert store.client.connection_pool.connection_kwargs["socket_connect_timeout"] == 2


@pytest.mark.alone
def test_a_dead_server_fails_at_once_and_works_again_when_it_is_back(mortal_store):
    store, server = mortal_store
    leases = put(store)
    server.stop(kill=True)
    for _ in range(3):
        started = time.monotonic()
        with pytest.raises(redis.ConnectionError):
            store.read(key(), TAGS)
        assert time.monotonic() - started < 0.25
    server.start()
    assert served(store, leases) is None
    put(store)


def test_a_restart_that_nobody_noticed_costs_no_error(mortal_store):
    store, server = mortal_store
    put(store)
    server.stop()
    server.start()
    assert store.read(key(), TAGS).data is None
