"""System checks: what is set up wrongly, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from django.apps import apps
from django.conf import settings as django_settings
from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, Error, Warning
from django.middleware import cache as django_cache
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware
from django.utils.module_loading import import_string

from dumper import site, stores, upstreams
from dumper.conf import DEFINITIONS, PREFIX, settings
from dumper.middleware import FetchFromCacheMiddleware, UpdateCacheMiddleware
from dumper.middleware.stack import positions

UPDATE = "dumper.middleware.UpdateCacheMiddleware"
FETCH = "dumper.middleware.FetchFromCacheMiddleware"
#: Django's own middleware that makes a response one visitor's.
PERSONAL = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
)


def check_middleware(**kwargs: Any) -> Iterable[CheckMessage]:
    """The pair is there, once, in its order."""
    updates, fetches = positions(UpdateCacheMiddleware), positions(FetchFromCacheMiddleware)
    if not updates and not fetches and upstreams.current():
        return []  # the caches in front do the storing
    if not updates or not fetches:
        absent = [name for name, found in ((UPDATE, updates), (FETCH, fetches)) if not found]
        return [
            Error(
                f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not in MIDDLEWARE: no page is stored.",
                hint=f"Put {UPDATE} first and {FETCH} last in MIDDLEWARE.",
                id="dumper.E001",
            )
        ]
    if len(updates) > 1 or len(fetches) > 1:
        return [
            Error(
                "dumper's middleware is in MIDDLEWARE more than once.",
                hint="Keep one UpdateCacheMiddleware and one FetchFromCacheMiddleware.",
                id="dumper.E002",
            )
        ]
    if updates > fetches:
        return [
            Error(
                "FetchFromCacheMiddleware comes before UpdateCacheMiddleware in MIDDLEWARE.",
                hint=f"Put {UPDATE} first and {FETCH} after it, last or right behind.",
                id="dumper.E003",
            )
        ]
    outside = [path for path in PERSONAL if any(index < updates[0] for index in positions(import_string(path)))]
    if outside:
        return [
            Warning(
                f"UpdateCacheMiddleware does not see the cookies and the Vary of what stands before it in MIDDLEWARE:"
                f" {', '.join(outside)}.",
                hint=f"Put {UPDATE} first.",
                id="dumper.W005",
            )
        ]
    return []


def check_neighbours(**kwargs: Any) -> Iterable[CheckMessage]:
    """No middleware keeps the pair from its work."""
    if positions(django_cache.UpdateCacheMiddleware) or positions(django_cache.FetchFromCacheMiddleware):
        yield Error(
            "Django's own cache middleware is in MIDDLEWARE as well: it serves pages that dumper has invalidated.",
            hint="Remove it.",
            id="dumper.E007",
        )
    update, fetch = positions(UpdateCacheMiddleware)[:1] or [0], positions(FetchFromCacheMiddleware)[:1] or [0]
    if update < fetch and any(index > fetch[0] for index in positions(CsrfViewMiddleware)):
        yield Warning(
            "CsrfViewMiddleware comes after FetchFromCacheMiddleware in MIDDLEWARE: pages with forms are not stored.",
            hint=f"Put {FETCH} after CsrfViewMiddleware.",
            id="dumper.W006",
        )
    if update < fetch and any(index > fetch[0] for index in positions(LocaleMiddleware)):
        yield Warning(
            "LocaleMiddleware comes after FetchFromCacheMiddleware in MIDDLEWARE: pages in languages are not stored.",
            hint=f"Put {FETCH} after LocaleMiddleware.",
            id="dumper.W007",
        )


def check_cache_alias(**kwargs: Any) -> Iterable[CheckMessage]:
    """The cache is there, and can keep what is promised."""
    alias = settings().cache_alias
    try:
        cache = caches[alias]
        kept_by = stores.make(settings())
    except Exception as error:  # whatever a backend makes of a bad setting
        return [
            Error(
                f"The cache alias {alias!r}, named by DUMPER_CACHE_ALIAS, cannot be used: {error}",
                hint="Define it in CACHES, or name another alias.",
                id="dumper.E004",
            )
        ]
    if isinstance(cache, DummyCache):
        return [
            Warning(
                f"The cache alias {alias!r} is a DummyCache: no page is stored.",
                hint="Name an alias with another backend in DUMPER_CACHE_ALIAS.",
                id="dumper.W001",
            )
        ]
    if isinstance(cache, LocMemCache):
        if django_settings.DEBUG:
            return []
        return [
            Warning(
                f"The cache alias {alias!r} is a LocMemCache: each process has its own, and does not learn what another"
                " has changed, so pages are stale if there is more than one.",
                hint="Use Redis, or silence this check if the site has one process, and no other changes its data.",
                id="dumper.W002",
            )
        ]
    if not kept_by.atomic:
        return [
            Warning(
                f"The cache alias {alias!r} has no atomic read-modify-write: two changes of one page in the same"
                " instant can leave it stale.",
                hint="Use Redis, through django-redis or django.core.cache.backends.redis.RedisCache, on one server.",
                id="dumper.W003",
            )
        ]
    return []


def check_near_cache(**kwargs: Any) -> Iterable[CheckMessage]:
    """Somebody tells the near cache what has changed."""
    if settings().near_cache == "pushed" and stores.current().store.listener() is None:
        yield Warning(
            'DUMPER_NEAR_CACHE is "pushed", but this store tells nobody of changes: it is asked for each hit.',
            hint='Use Redis, or set DUMPER_NEAR_CACHE to "checked".',
            id="dumper.W014",
        )


def check_staleness(**kwargs: Any) -> Iterable[CheckMessage]:
    """Who allows something allows how much of it."""
    if settings().stale_after_change and not settings().spare_time:
        yield Warning(
            "DUMPER_STALE_AFTER_CHANGE does nothing without a time.",
            hint="Set DUMPER_STALE_WHILE_REVALIDATE or DUMPER_STALE_IF_ERROR, or remove it.",
            id="dumper.W015",
        )


def check_settings(**kwargs: Any) -> Iterable[CheckMessage]:
    """Every DUMPER_* setting exists and has a value that can be used."""
    for name, problem in settings().problems:
        value = getattr(django_settings, name)
        default = DEFINITIONS[name.removeprefix(PREFIX)][0]
        yield Error(f"{name} {problem}, not {value!r}.", hint=f"The default is {default!r}.", id="dumper.E005")
    for name in dir(django_settings):
        if name.startswith(PREFIX) and (own := name.removeprefix(PREFIX)) not in DEFINITIONS:
            near = get_close_matches(own, DEFINITIONS, 1)
            hint = f"Did you mean {PREFIX}{near[0]}?" if near else "Remove it; the README lists the settings."
            yield Warning(f"There is no setting {name}.", hint=hint, id="dumper.W004")


def check_models(**kwargs: Any) -> Iterable[CheckMessage]:
    """Every registered model names paths."""
    for model in site.without_paths():
        yield Warning(
            f"{model._meta.label} is registered with dumper but names no paths: only pages that call depends_on()"
            " with an instance learn of its changes.",
            hint="Give it dependent_paths(), get_absolute_url() or get_purge_urls(), or silence this check.",
            obj=model,
            id="dumper.W008",
        )


def check_hosts(**kwargs: Any) -> Iterable[CheckMessage]:
    """Not every host is this site's."""
    if "*" in django_settings.ALLOWED_HOSTS:
        yield Warning(
            "ALLOWED_HOSTS allows every host: pages are stored for whatever name visitors make up.",
            hint="Name the hosts of this site.",
            id="dumper.W009",
        )


def check_upstreams(**kwargs: Any) -> Iterable[CheckMessage]:
    """Every upstream can be told of changes."""
    for name, problem in upstreams.problems().items():
        yield Error(
            f"The upstream {name!r} is not told of changes: it {problem}.",
            hint="Mend it in DUMPER_UPSTREAMS or DUMPER_PURGE_URLS; the README lists what each backend takes.",
            id="dumper.E008",
        )
    for name, upstream in upstreams.current().items():
        for doubt in upstream.check():
            yield Warning(f"The upstream {name!r}: {doubt}.", hint="Mend it in DUMPER_UPSTREAMS.", id="dumper.W010")


def check_outbox(**kwargs: Any) -> Iterable[CheckMessage]:
    """Purges outlive the process that has to do them."""
    if upstreams.current() and not apps.is_installed("dumper.outbox"):
        yield Warning(
            "Purges are kept in memory: those that a process still has to do are lost when it is killed.",
            hint='Put "dumper.outbox" into INSTALLED_APPS and migrate.',
            id="dumper.W013",
        )


CHECKS = (
    check_middleware,
    check_neighbours,
    check_cache_alias,
    check_near_cache,
    check_staleness,
    check_settings,
    check_models,
    check_hosts,
    check_upstreams,
)
