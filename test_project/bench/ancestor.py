"""What django-dumper 0.2 did: a key is a path and a method, each answer is stored, and keys are deleted one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import md5
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.db.models import Model
from django.db.models.signals import post_save
from django.http import HttpRequest, HttpResponse

METHODS = ("GET", "HEAD")
GetResponse = Callable[[HttpRequest], HttpResponse]


def key_of(path: str, method: str) -> str:
    return f"dumper.cached_path.{md5(path.encode()).hexdigest()}.{method}"


class UpdateCache:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method in METHODS and response.status_code == 200:
            caches[settings.CACHE_MIDDLEWARE_ALIAS].set(key_of(request.path, request.method), response)
        return response


class FetchFromCache(UpdateCache):
    def __call__(self, request: HttpRequest) -> HttpResponse:
        found = caches[settings.CACHE_MIDDLEWARE_ALIAS].get(key_of(request.path, str(request.method)))
        return found if found is not None else self.get_response(request)


def invalidate_paths(paths: Iterable[str]) -> None:
    cache = caches[settings.CACHE_MIDDLEWARE_ALIAS]
    for path in paths:
        for method in METHODS:
            cache.delete(key_of(path, method))


def register(model: Any) -> None:
    post_save.connect(_saved, sender=model)


def _saved(instance: Model, **kwargs: object) -> None:
    invalidate_paths([instance.get_absolute_url()])  # type: ignore[attr-defined]
