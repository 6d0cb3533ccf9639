"""Who is measured: stacks of middleware over a cache, with a door in front of them or not, and what they are set to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

#: What ``django-admin startproject`` puts into a new project.
DEFAULT_STACK = (
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)
#: middleware pairs, the first of which stores
DJANGO = ("django.middleware.cache.UpdateCacheMiddleware", "django.middleware.cache.FetchFromCacheMiddleware")
ANCESTOR = ("test_project.bench.ancestor.UpdateCache", "test_project.bench.ancestor.FetchFromCache")
WAGTAIL = ("wagtailcache.cache.UpdateCacheMiddleware", "wagtailcache.cache.FetchFromCacheMiddleware")
DUMPER = ("dumper.middleware.UpdateCacheMiddleware", "dumper.middleware.FetchFromCacheMiddleware")
GZIP = "django.middleware.gzip.GZipMiddleware"


class Contender(NamedTuple):
    name: str
    middleware: tuple[str, ...] = DEFAULT_STACK
    alias: str = "none"
    #: which view of site.py it serves
    page: str = "constant"
    #: what stands in front: Django's handler, dumper's door before that, or nothing at all but the bytes
    front: str = "handler"
    #: what the visitor says in Accept-Encoding
    accepts: str = ""
    more: Mapping[str, Any] = {}

    @property
    def caches(self) -> bool:
        """Whether the second visitor is answered without the view."""
        return self.alias != "none"

    @property
    def is_dumper(self) -> bool:
        return DUMPER[0] in self.middleware


def around(pair: tuple[str, str]) -> tuple[str, ...]:
    return (pair[0], *DEFAULT_STACK, pair[1])


def near(mode: str) -> dict[str, str]:
    return {"DUMPER_NEAR_CACHE": mode}


ALIASES = {"django-redis": "django-redis", "RedisCache": "redis", "Memcached": "memcached", "LocMemCache": "locmem"}
SIDE_BY_SIDE = (*DUMPER, *DEFAULT_STACK)
MODES = ("off", "checked", "pushed")

DEFAULT_FLOOR = Contender("floor: default middleware, constant view")
EMPTY_FLOOR = Contender("floor: no middleware, constant view", ())
BARE = Contender("floor: bare app", (), front="bare")
FLOORS = [DEFAULT_FLOOR, EMPTY_FLOOR, BARE]
NO_CACHE = Contender("no cache", page="rendered")
DJANGOS = {name: Contender(f"Django's pair, {name}", around(DJANGO), alias) for name, alias in ALIASES.items()}
BASELINE = DJANGOS["django-redis"]
OLD = Contender("django-dumper's algorithm, django-redis", around(ANCESTOR), "django-redis")
PEERS = [
    OLD,
    Contender("wagtail-cache, django-redis", around(WAGTAIL), "django-redis"),
    Contender("cacheops cached_view", alias="django-redis", page="cacheops"),
]
PAIRS = {name: Contender(f"dumper's pair, {name}", around(DUMPER), alias) for name, alias in ALIASES.items()}
BESIDE = {
    name: Contender(f"dumper's pair side by side, {name}", SIDE_BY_SIDE, alias) for name, alias in ALIASES.items()
}
NEAR_PAIRS = {
    mode: Contender(f"dumper's pair, django-redis, near cache {mode}", around(DUMPER), "django-redis", more=near(mode))
    for mode in MODES
}
DOORS = {
    mode: Contender(
        f"dumper's door, django-redis, near cache {mode}", around(DUMPER), "django-redis", front="door", more=near(mode)
    )
    for mode in MODES
}
OTHER_DOORS = [
    Contender(f"dumper's door, {name}", around(DUMPER), ALIASES[name], front="door")
    for name in ("Memcached", "LocMemCache")
]
PLAIN = Contender(
    "dumper's pair, django-redis, DUMPER_COMPRESSION = []",
    around(DUMPER),
    "django-redis",
    more={"DUMPER_COMPRESSION": []},
)
#: pages that take more than one look, or come compressed
SPECIAL = [
    Contender("dumper's pair, django-redis, a variant", around(DUMPER), "django-redis", "themed"),
    Contender("dumper's pair, django-redis, a form", around(DUMPER), "django-redis", "form"),
    Contender("Django's pair below GZipMiddleware, gzip", (GZIP, *around(DJANGO)), "django-redis", accepts="gzip"),
    Contender("dumper's pair, django-redis, gzip", around(DUMPER), "django-redis", accepts="gzip"),
    Contender("dumper's door, django-redis, gzip", around(DUMPER), "django-redis", front="door", accepts="gzip"),
]

STORED = [*DJANGOS.values(), *PEERS, *PAIRS.values()]
HITS = [
    NO_CACHE,
    *STORED,
    *NEAR_PAIRS.values(),
    *BESIDE.values(),
    *DOORS.values(),
    *OTHER_DOORS,
    PLAIN,
    *SPECIAL,
    *FLOORS,
]
MISSES = [*STORED, PLAIN, *DOORS.values(), DEFAULT_FLOOR]
CHANGES = [OLD, PAIRS["django-redis"], PAIRS["Memcached"]]
SAVES = [NO_CACHE, OLD, *PAIRS.values()]
GUNICORN = [
    NO_CACHE,
    *DJANGOS.values(),
    *PEERS,
    *PAIRS.values(),
    BESIDE["django-redis"],
    *DOORS.values(),
    *FLOORS,
]
UVICORN = [
    NO_CACHE,
    BASELINE,
    DJANGOS["RedisCache"],
    PAIRS["django-redis"],
    BESIDE["django-redis"],
    *DOORS.values(),
    DEFAULT_FLOOR._replace(page="aconstant"),
    EMPTY_FLOOR._replace(page="aconstant"),
    BARE,
]
#: for the crowd
SLOW = [
    contender._replace(page="slow")
    for contender in (
        Contender("no cache"),
        BASELINE,
        PAIRS["django-redis"]._replace(
            name="dumper's pair, django-redis, DUMPER_COLLAPSE_TIMEOUT = None", more={"DUMPER_COLLAPSE_TIMEOUT": None}
        ),
        PAIRS["django-redis"],
        PAIRS["Memcached"],
        PAIRS["LocMemCache"],
        DOORS["checked"],
    )
]
