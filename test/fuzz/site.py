"""A site whose views read what they are told to, and a visitor of it, with the middleware pair and without."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.test import Client, override_settings
from django.urls import re_path
from django.utils.translation import get_language

from test.middleware.stacks import DJANGO, FETCH, LOCALE, UPDATE

INNER = [*DJANGO[:2], LOCALE, *DJANGO[2:]]
renders = itertools.count(1)

#: what a view may read of a request
READS: dict[str, Callable[[HttpRequest], Any]] = {
    "nothing": lambda request: None,
    "META": lambda request: request.META.get("HTTP_X_ONE"),
    "META in": lambda request: "HTTP_X_ONE" in request.META,
    "META Cookie": lambda request: request.META.get("HTTP_COOKIE"),
    "META Host": lambda request: request.META.get("HTTP_HOST"),
    "META type": lambda request: request.META.get("CONTENT_TYPE"),
    "META protocol": lambda request: request.META.get("SERVER_PROTOCOL"),
    "META query": lambda request: request.META.get("QUERY_STRING"),
    "header": lambda request: request.headers.get("X-One"),
    "header Accept": lambda request: request.headers.get("accept"),
    "header Host": lambda request: request.headers.get("host"),
    "header type": lambda request: request.headers.get("content_type"),
    "headers": lambda request: sorted(request.headers.items()),
    "accepts": lambda request: request.accepts("application/json"),
    "language": lambda request: get_language(),
    "languages": lambda request: request.headers.get("Accept-Language"),
    "cookie": lambda request: request.COOKIES.get("a"),
    "cookie in": lambda request: "b" in request.COOKIES,
    "cookie without a name": lambda request: request.COOKIES.get(""),
    "cookies": lambda request: sorted(request.COOKIES.items()),
    "session": lambda request: request.session.get("a"),
    "session key": lambda request: request.session.session_key,
    "GET": lambda request: request.GET.get("a"),
    "GET list": lambda request: request.GET.getlist("a"),
    "GET in": lambda request: "b" in request.GET,
    "GET without a name": lambda request: request.GET.getlist(""),
    "GET any": lambda request: bool(request.GET),
    "GET all": lambda request: request.GET.dict(),
    "GET encoded": lambda request: request.GET.urlencode(),
    "full path": lambda request: request.get_full_path(),
    "absolute": lambda request: request.build_absolute_uri(),
    "host": lambda request: request.get_host(),
    "port": lambda request: request.get_port(),
    "content type": lambda request: request.content_type,
    "address": lambda request: request.META["REMOTE_ADDR"],
}
#: what a view may do besides
DEEDS: dict[str, Callable[[HttpRequest, HttpResponse], Any]] = {
    "nothing": lambda request, response: None,
    "cookie": lambda request, response: response.set_cookie("a", "1"),
    "raw cookie": lambda request, response: response.headers.__setitem__("Set-Cookie", "a=1"),
    "session": lambda request, response: request.session.__setitem__("a", 1),
    "form": lambda request, response: response.write(f'<input value="{get_token(request)}">'),
    "token": lambda request, response: get_token(request),
    "raise": lambda request, response: 1 / 0,
}


@dataclass(frozen=True)
class View:
    """A view that reads, answers and does what is said here."""

    reads: Sequence[str] = ()
    headers: dict[str, str] = field(default_factory=dict)
    deed: str = "nothing"
    status: int = 200
    length: int = 0

    def __call__(self, request: HttpRequest, path: str) -> HttpResponse:
        shown = {name: READS[name](request) for name in self.reads}
        response = HttpResponse(status=self.status, headers=self.headers)
        # No letter or digit after it: what follows may be a token.
        response.write(f"{next(renders)}\n{json.dumps(shown)}\n{' .' * self.length}\n")
        DEEDS[self.deed](request, response)
        return response


views: list[View] = []
urlpatterns = [re_path("^(?P<path>.*)$", lambda request, path: views[-1](request, path))]


@dataclass(frozen=True)
class Answer:
    """What came back; the names of ``headers`` are in lower case, and ``body`` is not encoded."""

    status: int
    headers: dict[str, str]
    cookies: dict[str, str]
    body: bytes

    @property
    def decision(self) -> str:
        """What this cache says, which comes last of all."""
        return self.headers.get("cache-status", "").rpartition("dumper; ")[2]

    @property
    def is_hit(self) -> bool:
        return self.decision.startswith("hit")

    @property
    def is_of_store(self) -> bool:
        """Whether it is stored, in the form in which it came back."""
        return self.is_hit or "; stored" in self.decision

    @property
    def render(self) -> int:
        return int(self.body.partition(b"\n")[0])

    @property
    def shown(self) -> bytes:
        """What the view has read, as it shows it; a token is made anew each time."""
        return self.body.partition(b"\n")[2].partition(b"<input")[0]

    @property
    def token(self) -> str:
        return self.body.partition(b'value="')[2][:64].decode()


class Visitor(Client):
    """Sends what it is told to and nothing of its own, not even an empty Cookie."""

    def __init__(self, middleware: Sequence[str]) -> None:
        super().__init__(raise_request_exception=False)
        with override_settings(MIDDLEWARE=middleware):
            self.handler.load_middleware()

    def _base_environ(self, **request: Any) -> dict[str, Any]:
        environ = super()._base_environ(**request)
        return {name: value for name, value in environ.items() if name != "HTTP_COOKIE" or name in request}

    def ask(self, environ: dict[str, Any]) -> Answer:
        response = self.generic(environ.get("REQUEST_METHOD", "GET"), "/page/", **environ)
        self.cookies.clear()
        headers = {name.lower(): value for name, value in response.items()}
        cookies = {name: morsel.value for name, morsel in response.cookies.items()}
        body = response.content
        if headers.get("content-encoding") == "gzip" and body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        return Answer(response.status_code, headers, cookies, body)


def settings_at(place: str) -> dict[str, Any]:
    """The settings of the site with the pair, whose pages are stored at ``place``."""
    return {
        "ROOT_URLCONF": "test.fuzz.site",
        "CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": place}},
        "MIDDLEWARE": [UPDATE, *INNER, FETCH],
        "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies",
        "USE_X_FORWARDED_PORT": True,
        "DUMPER_STATUSES": {200: None, 404: None},
        "DUMPER_COMPRESSION": ["gzip"],
    }


class Site:
    """The same views twice: with the pair, and without."""

    def __init__(self) -> None:
        self.ours = Visitor([UPDATE, *INNER, FETCH])
        self.plain = Visitor(INNER)

    def serve(self, view: View) -> None:
        """Have ``view`` answer from now on, with nothing stored."""
        views[:] = [view]
        caches["default"].clear()
