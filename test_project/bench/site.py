"""The site that is measured: a page of 32 KB that takes some milliseconds to render, and what configures its stack."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template import Context, Engine
from django.urls import path

from dumper.rules.keys import digest
from test_project.bench.contenders import Contender

HOST = "testserver"
#: Where the slow view leaves a byte for each time that it renders.
RENDERS = "BENCH_RENDERS"
SLOWNESS = 0.3  # seconds
TAG = "all"
#: One for each of the crowd: redis-py 8 refuses more than 100.
CONNECTIONS = {"max_connections": 1000}

ROWS = [range(row, row + 25) for row in range(50)]
TEMPLATE = """<table>{% for row in rows %}<tr>{% for cell in row %}
<td class="c">{{ cell|add:1 }} {{ forloop.counter }}</td>{% endfor %}</tr>{% endfor %}</table>"""
PAGE = "".join(
    [
        "<table>",
        *(
            "<tr>" + "".join(f'\n<td class="c">{cell + 1} {place}</td>' for place, cell in enumerate(row, 1)) + "</tr>"
            for row in ROWS
        ),
        "</table>",
    ]
).encode()


class Count:
    """How often a view was called in this process."""

    renders = 0


class Addresses(NamedTuple):
    """Of the servers that keep what is stored."""

    redis: str
    memcached: str


def rendered(request: HttpRequest, name: str = "") -> HttpResponse:
    Count.renders += 1
    return HttpResponse(_template().render(Context({"rows": ROWS})))


def constant(request: HttpRequest, name: str = "") -> HttpResponse:
    Count.renders += 1
    return HttpResponse(PAGE)


async def aconstant(request: HttpRequest, name: str = "") -> HttpResponse:
    return HttpResponse(PAGE)


def themed(request: HttpRequest, name: str = "") -> HttpResponse:
    Count.renders += 1
    return HttpResponse(request.COOKIES.get("theme", "").encode() + PAGE)


def form(request: HttpRequest, name: str = "") -> HttpResponse:
    Count.renders += 1
    return HttpResponse(get_token(request).encode() + PAGE)


def cacheops(request: HttpRequest, name: str = "") -> HttpResponse:
    return _cached_view()(request, name)


def tagged(request: HttpRequest, name: str = "") -> HttpResponse:
    Count.renders += 1
    if "dumper" in settings.INSTALLED_APPS:
        import dumper

        dumper.depends_on(TAG)
    return HttpResponse(name)


def slow(request: HttpRequest, name: str = "") -> HttpResponse:
    descriptor = os.open(os.environ[RENDERS], os.O_WRONLY | os.O_APPEND)
    os.write(descriptor, b".")
    os.close(descriptor)
    time.sleep(SLOWNESS)
    return HttpResponse(PAGE)


@cache
def _template() -> Any:
    return Engine().from_string(TEMPLATE)


@cache
def _cached_view() -> Callable[..., HttpResponse]:
    from cacheops import cached_view

    view: Callable[..., HttpResponse] = cached_view(timeout=3600)(constant)
    return view


urlpatterns = [
    path(f"{view.__name__}/{rest}", view)
    for view in (rendered, constant, aconstant, themed, form, cacheops, tagged, slow)
    for rest in ("", "<str:name>/")
]


def configure(contender: Contender, addresses: Addresses) -> None:
    """Make this process a site of ``contender``."""
    import django

    apps = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
    locmem = {"LOCATION": "bench", "OPTIONS": {"MAX_ENTRIES": 100_000}}
    prefix = digest(contender.name)[:8]
    settings.configure(
        ALLOWED_HOSTS=[HOST, "127.0.0.1"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="bench",
        INSTALLED_APPS=[*apps, *(["dumper"] if contender.is_dumper else []), *_cacheops_app(contender)],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        CACHES={
            "default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
            "none": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
            "locmem": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", **locmem},
            "redis": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": addresses.redis,
                "OPTIONS": CONNECTIONS,
            },
            "django-redis": {
                "BACKEND": "django_redis.cache.RedisCache",
                "LOCATION": addresses.redis,
                "OPTIONS": {"CONNECTION_POOL_KWARGS": CONNECTIONS},
            },
            "memcached": {
                "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
                "LOCATION": addresses.memcached,
            },
        },
        LOGGING={
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"console": {"class": "logging.StreamHandler"}},
            "root": {"handlers": ["console"], "level": "ERROR"},
        },
        MIDDLEWARE=list(contender.middleware),
        CACHE_MIDDLEWARE_ALIAS=contender.alias,
        CACHE_MIDDLEWARE_KEY_PREFIX=prefix,
        CACHE_MIDDLEWARE_SECONDS=3600,
        CACHEOPS_REDIS=addresses.redis,
        DUMPER_CACHE_ALIAS=contender.alias,
        DUMPER_KEY_PREFIX=prefix,
        WAGTAIL_CACHE_BACKEND=contender.alias,
        **contender.more,
    )
    django.setup()


def _cacheops_app(contender: Contender) -> list[str]:
    return ["cacheops"] if contender.page == "cacheops" else []
