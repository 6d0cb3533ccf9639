"""The site that is measured: one page of 32 KB, and the stacks that serve it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template import Context, Engine
from django.urls import path

from dumper.rules.keys import digest

#: What ``django-admin startproject`` puts into a new project.
DEFAULT_STACK = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
DJANGO = ("django.middleware.cache.UpdateCacheMiddleware", "django.middleware.cache.FetchFromCacheMiddleware")
GZIP = "django.middleware.gzip.GZipMiddleware"
DUMPER = ("dumper.middleware.UpdateCacheMiddleware", "dumper.middleware.FetchFromCacheMiddleware")


class Contender(NamedTuple):
    """A stack of middleware over a cache alias and a page."""

    name: str
    middleware: list[str]
    alias: str = "locmem"
    page: str = "/rendered/"
    #: what the visitor says in Accept-Encoding
    accepts: str = ""
    more: Mapping[str, Any] = {}

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "CACHE_MIDDLEWARE_KEY_PREFIX": digest(self.name)[:8],
            "DUMPER_KEY_PREFIX": digest(self.name)[:8],
            "MIDDLEWARE": self.middleware,
            "CACHE_MIDDLEWARE_ALIAS": self.alias,
            "CACHE_MIDDLEWARE_SECONDS": 3600,
            "DUMPER_CACHE_ALIAS": self.alias,
            **self.more,
        }


def around(pair: tuple[str, str]) -> list[str]:
    return [pair[0], *DEFAULT_STACK, pair[1]]


BASELINE = Contender("Django's pair, django-redis", around(DJANGO), "django-redis")
CONTENDERS = [
    Contender("no cache", DEFAULT_STACK),
    BASELINE,
    Contender("Django's pair, RedisCache", around(DJANGO), "redis"),
    Contender("Django's pair, LocMemCache", around(DJANGO)),
    Contender("dumper, django-redis", around(DUMPER), "django-redis"),
    Contender("dumper, RedisCache", around(DUMPER), "redis"),
    Contender("dumper, LocMemCache", around(DUMPER)),
    Contender("dumper, django-redis, a variant", around(DUMPER), "django-redis", page="/themed/"),
    Contender("dumper, django-redis, a form", around(DUMPER), "django-redis", page="/form/"),
    Contender("dumper side by side, django-redis", [*DUMPER, *DEFAULT_STACK], "django-redis"),
    Contender("dumper side by side, LocMemCache", [*DUMPER, *DEFAULT_STACK]),
    Contender("Django's pair below GZipMiddleware, gzip", [GZIP, *around(DJANGO)], "django-redis", accepts="gzip"),
    Contender("dumper, django-redis, gzip", around(DUMPER), "django-redis", accepts="gzip"),
    Contender(
        "the same with DUMPER_COMPRESSION = []",
        around(DUMPER),
        "django-redis",
        accepts="gzip",
        more={"DUMPER_COMPRESSION": []},
    ),
    Contender("floor: default middleware, constant view", DEFAULT_STACK, page="/constant/"),
    Contender("floor: no middleware, constant view", [], page="/constant/"),
]

TEMPLATE = """<table>{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell|add:1 }} {{ forloop.counter }}</td>
{% endfor %}</tr>{% endfor %}</table>"""
ROWS = [range(row, row + 25) for row in range(50)]
_template = Engine().from_string(TEMPLATE)
_constant = "x" * 32_768


def rendered(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_template.render(Context({"rows": ROWS})))


def constant(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_constant)


def themed(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.COOKIES.get("theme", "") + _constant)


def form(request: HttpRequest) -> HttpResponse:
    return HttpResponse(get_token(request) + _template.render(Context({"rows": ROWS})))


urlpatterns = [
    path("rendered/", rendered),
    path("constant/", constant),
    path("themed/", themed),
    path("form/", form),
]


def configure(redis_url: str) -> None:
    import django

    settings.configure(
        ALLOWED_HOSTS=["testserver"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="bench",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
        USE_TZ=True,
        CACHES={
            "default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
            "locmem": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "bench"},
            "redis": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis_url},
            "django-redis": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": redis_url},
        },
    )
    django.setup()
