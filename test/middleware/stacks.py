"""Middleware stacks, and middleware that is sync or async alone."""

from __future__ import annotations

import django
from asgiref.sync import iscoroutinefunction
from django.utils.decorators import async_only_middleware, sync_only_middleware

UPDATE = "dumper.middleware.UpdateCacheMiddleware"
FETCH = "dumper.middleware.FetchFromCacheMiddleware"
SYNC = "test.middleware.stacks.sync_only"
ASYNC = "test.middleware.stacks.async_only"
#: Django's own, where it has one
CSP = (
    "django.middleware.csp.ContentSecurityPolicyMiddleware"
    if django.VERSION >= (6, 0)
    else "test.middleware.stacks.content_security_policy"
)
LOCALE = "django.middleware.locale.LocaleMiddleware"

#: what `django-admin startproject` writes
DJANGO = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

STACKS = {
    "in Django's place": [UPDATE, *DJANGO, FETCH],
    "side by side at the top": [UPDATE, FETCH, *DJANGO],
    "side by side at the end": [*DJANGO, UPDATE, FETCH],
    "alone": [UPDATE, FETCH],
    "with LocaleMiddleware": [UPDATE, *DJANGO[:2], LOCALE, *DJANGO[2:], FETCH],
    "sync between": [UPDATE, SYNC, FETCH],
    "async between": [UPDATE, ASYNC, FETCH],
    "sync around": [SYNC, UPDATE, SYNC, FETCH, SYNC],
    "async around": [ASYNC, UPDATE, ASYNC, FETCH, ASYNC],
    "sync above, async below": [SYNC, UPDATE, FETCH, ASYNC],
    "async above, sync below": [ASYNC, UPDATE, FETCH, SYNC],
    "sync, then async": [SYNC, UPDATE, ASYNC, FETCH, SYNC],
    "async, then sync": [ASYNC, UPDATE, SYNC, FETCH, ASYNC],
}


@sync_only_middleware
def sync_only(get_response):
    assert not iscoroutinefunction(get_response)

    def middleware(request):
        return get_response(request)

    return middleware


@async_only_middleware
def async_only(get_response):
    assert iscoroutinefunction(get_response)

    async def middleware(request):
        return await get_response(request)

    return middleware


@sync_only_middleware
def content_security_policy(get_response):
    """What Django 6.0's does for a view that wants no policy."""

    def middleware(request):
        response = get_response(request)
        if getattr(response, "_csp_config", True):
            response.headers.setdefault("Content-Security-Policy", "default-src 'self'")
        return response

    return middleware


@sync_only_middleware
def other_cache(get_response):
    """One that has something to say in Cache-Status already."""

    def middleware(request):
        response = get_response(request)
        response.headers["Cache-Status"] = "Origin; hit; ttl=5"
        return response

    return middleware
