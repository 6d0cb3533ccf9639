"""What the doors of WSGI and ASGI share: they answer hits before Django's handler makes a request object.

A door answers as the middleware pair would, by the same code. What it cannot decide, it leaves to the pair: all that
needs a visitor's session or token, and all requests where the middleware before the pair might have a say.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.http import HttpRequest, HttpResponse
from django.http.cookie import parse_cookie
from django.middleware.locale import LocaleMiddleware
from django.utils import timezone, translation

from dumper import conf, converters, near, stores
from dumper.exchange import Exchange
from dumper.middleware import FetchFromCacheMiddleware, UpdateCacheMiddleware
from dumper.middleware.messages import request_from
from dumper.middleware.replies import Reply, replied, reply_of
from dumper.middleware.stack import members
from dumper.near import Answered, Get, Signature
from dumper.near.signatures import LOCALE
from dumper.rules.forms import SECRET_LENGTH, TOKEN_LENGTH
from dumper.steps import Steps
from dumper.stores.guard import withheld

logger = logging.getLogger("dumper.middleware")

#: Characters of a Cookie field of which it is remembered what it says.
MOST_REMEMBERED = 512


class Plan(NamedTuple):
    """What the settings in force say to a door. To read them from Django's takes longer than a hit."""

    #: whether the pair answers hits in this stack of middleware by what a door knows as well
    fits: bool
    #: whether the site decides for each request whether it goes past the store (DUMPER_BYPASS)
    has_hook: bool
    session_cookie: str
    csrf_cookie: str


_plan: Plan | None = None


def plan() -> Plan:
    """The plan for the settings in force."""
    global _plan
    found = _plan
    if found is None:
        reason = misfit(tuple(django_settings.MIDDLEWARE))
        if reason:
            logger.warning("The door leaves all requests to the middleware: %s", reason)
        has_hook = conf.settings().bypass is not converters.nothing
        cookies = django_settings.SESSION_COOKIE_NAME, django_settings.CSRF_COOKIE_NAME
        found = _plan = Plan(reason is None, has_hook, *cookies)
    return found


def _forget(**kwargs: object) -> None:
    global _plan
    _plan = None


setting_changed.connect(_forget, dispatch_uid="dumper.door")


def misfit(stack: tuple[str, ...]) -> str | None:
    """Why a door cannot know what the pair would answer in this stack of middleware; None where it can."""
    found = members(stack)
    others = tuple(path for path in stack if path != LOCALE)
    if found[:1] != (UpdateCacheMiddleware,):
        return "UpdateCacheMiddleware is not the first in MIDDLEWARE"
    if found.count(FetchFromCacheMiddleware) != 1:
        return "FetchFromCacheMiddleware is not in MIDDLEWARE"
    if any(isinstance(one, type) and issubclass(one, LocaleMiddleware) for one in members(others)):
        return "a middleware derived from LocaleMiddleware, or that under another name, chooses the language"
    if django_settings.DISALLOWED_USER_AGENTS:
        return "CommonMiddleware goes by DISALLOWED_USER_AGENTS"  # what Django's own reads is not observed
    return "the store is in a database" if stores.current().in_database else None


def is_open() -> bool:
    """Whether requests may be answered here, as things are in this process."""
    # While a transaction is open here, the pair knows what may be served.
    return not withheld and not (withheld.source and withheld.source.is_due()) and plan().fits


def is_plain(cookies: str) -> bool:
    """Whether Django's own middleware has nothing to do for who sends ``cookies``, but to hand them on."""
    _, _, session, csrf = plan()
    if session not in cookies and csrf not in cookies:
        return True
    return (_is_plain if len(cookies) <= MOST_REMEMBERED else _is_plain.__wrapped__)(cookies, session, csrf)


@lru_cache(maxsize=4096)
def _is_plain(cookies: str, session: str, csrf: str) -> bool:
    # A session is made to last, or its cookie removed; a secret of another form is replaced by a new one.
    found = parse_cookie(cookies)
    secret = found.get(csrf, "x" * SECRET_LENGTH)
    is_secret = len(secret) in (SECRET_LENGTH, TOKEN_LENGTH) and secret.isascii() and secret.isalnum()
    return session not in found and is_secret


def recalled(answered: Answered | None) -> Steps[Reply | None]:
    """The reply that is remembered, if it is still true."""
    if answered is None or not (yield from near.current().prove(answered.copy)):
        return None
    return reply_of(answered)


def looked_up(request: HttpRequest, signature: Signature, get: Get) -> Steps[tuple[Reply | None, Exchange]]:
    """The stored reply to ``request``, if there is one that a door may send, and the exchange that has looked it up."""
    with language_of(request):
        exchange = Exchange(request_from(request), conf.settings())
    yield from exchange.lookup()
    if not exchange.is_open or not (yield from exchange.seek()):
        return None, exchange
    found = exchange.found()
    if found.stored.slots is not None:
        return None, exchange
    near.current().remember(signature, found, get)
    return replied(found, request, time.time()), exchange


@contextmanager
def language_of(request: HttpRequest) -> Iterator[None]:
    """In the language and time zone that Django's own middleware will choose, whatever an earlier request has left."""
    with translation.override(django_settings.LANGUAGE_CODE), timezone.override(None):
        if LocaleMiddleware in members(tuple(django_settings.MIDDLEWARE)):
            LocaleMiddleware(lambda request: HttpResponse()).process_request(request)
        yield
