"""A site whose only view is what a test says, its visitors, and all the bytes that are stored of it."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.sessions.backends.cache import SessionStore
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import re_path

renders = itertools.count(1)
_view: list[Callable[[HttpRequest], Any]] = []


def dispatch(request: HttpRequest) -> Any:
    return _view[-1](request)


urlpatterns = [re_path("^", dispatch)]


@contextmanager
def site(view: Callable[[HttpRequest], Any], **more: Any) -> Iterator[None]:
    """``view`` answers at every path."""
    common = {"ROOT_URLCONF": __name__, "SESSION_ENGINE": "django.contrib.sessions.backends.cache"}
    _view.append(view)
    try:
        with override_settings(**common | more):
            caches["default"].clear()
            yield
    finally:
        _view.pop()


def showing(shows: Callable[[HttpRequest], object]) -> Callable[[HttpRequest], HttpResponse]:
    """A view whose page is what ``shows`` says, and the number of the render."""
    return lambda request: HttpResponse(f"{shows(request)} render {next(renders)}")


class _AsyncClient(AsyncClient):
    """Django's spells a path as WSGI does."""

    def _base_scope(self, **request: Any) -> dict[str, Any]:
        scope: dict[str, Any] = super()._base_scope(**request)
        scope["path"] = scope["path"].encode("latin-1").decode()
        return scope


class Visitor:
    """Someone who asks through the sync or the async stack, with cookies, perhaps a session, and header fields."""

    def __init__(self, kind: str = "sync", session: dict[str, Any] | None = None, **cookies: str) -> None:
        self.client: Any = (Client if kind == "sync" else _AsyncClient)(enforce_csrf_checks=True)
        self.is_async = kind == "async"
        for name, value in cookies.items():
            self.client.cookies[name] = value
        if session is not None:
            store = SessionStore()
            store.update(session)
            store.save()
            self.client.cookies[settings.SESSION_COOKIE_NAME] = store.session_key

    def get(self, path: str = "/", *args: Any, **more: Any) -> Any:
        return self._call("get", path, *args, **more)

    def post(self, path: str = "/", *args: Any, **more: Any) -> Any:
        return self._call("post", path, *args, **more)

    def ask(self, method: str, path: str) -> Any:
        return self._call("generic", method, path)

    def _call(self, method: str, *args: Any, **more: Any) -> Any:
        call = getattr(self.client, method)

        async def awaited() -> Any:
            return await call(*args, **more)

        return async_to_sync(awaited)() if self.is_async else call(*args, **more)


def status(response: Any) -> str:
    """What became of the request, without the times."""
    return str(response["Cache-Status"])


def is_hit(response: Any) -> bool:
    return status(response).startswith("dumper; hit")


def is_stored(response: Any) -> bool:
    return "; stored" in status(response)


def shown(response: Any) -> str:
    """What the page shows, without the number of its render."""
    return str(response.content.decode().rpartition(" render ")[0])


def stored_bytes() -> bytes:
    """All that is stored but the sessions, compressed content once more in plain."""
    cache: Any = caches["default"]
    items = [(key, value) for key, value in cache._cache.items() if "django.contrib.sessions" not in key]
    raw = b"\n".join(part for key, value in items for part in (key.encode(), value))
    plain = []
    start = raw.find(b"\x1f\x8b\x08")
    while start >= 0:
        with suppress(zlib.error):
            plain.append(zlib.decompressobj(wbits=31).decompress(raw[start:]))
        start = raw.find(b"\x1f\x8b\x08", start + 1)
    return b"\n".join([raw, *plain])
