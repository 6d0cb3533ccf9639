import logging

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import caches
from django.test import AsyncClient, Client, override_settings
from django.utils import timezone, translation

from test.middleware import urls
from test.servers import RedisServer


@pytest.fixture(autouse=True)
def site():
    """The small site, with an empty cache in local memory."""
    place = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "test.middleware"}
    with (
        override_settings(ROOT_URLCONF="test.middleware.urls", CACHES={"default": place}),
        translation.override("en"),
        timezone.override("UTC"),
    ):
        caches["default"].clear()
        yield
        urls.during.clear()
        caches["default"].clear()


@pytest.fixture
def redis():
    """The pages are stored in a Redis of the test's own, that it may stop, pause and start."""
    with RedisServer() as server:
        place = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": server.url}
        with override_settings(CACHES={"default": place}, DUMPER_STORE_TIMEOUT=0.3, DUMPER_RETRY_DELAY=0.05):
            yield server
            if server.process is None:
                server.start()
            server.resume()
            caches["default"].client.get_client().connection_pool.disconnect()
            del caches["default"]


def get_sync(path: str, **more):
    """GET through the sync stack of the settings in force."""
    return Client().get(absolute(path), **more)


def get_async(path: str, **more):
    """GET through the async stack of the settings in force."""
    return async_to_sync(AsyncClient().get)(absolute(path), **more)


def absolute(path: str) -> str:
    """``path`` as a URL: Django's clients take ``//x`` for a host."""
    return "http://testserver" + path


@pytest.fixture(params=["sync", "async"])
def get(request):
    """GET through the sync stack, and through the async one."""
    return get_sync if request.param == "sync" else get_async


@pytest.fixture
def log(caplog):
    """All that dumper logs, as text, one line a message."""
    caplog.set_level(logging.DEBUG, logger="dumper")
    return caplog
