"""A small site. Every render has a number, so that a stored page can be told from a new one."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from io import BytesIO
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.template import engines
from django.template.response import TemplateResponse
from django.urls import path, re_path
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.vary import vary_on_headers

renders = itertools.count(1)
#: what happens in the middle of the next renders: a test's own functions
during: list[Callable[[], Any]] = []


def text(request: HttpRequest) -> str:
    """What a page may depend on, and which render it is."""
    facts = (
        request.method,
        request.build_absolute_uri(),
        translation.get_language(),
        timezone.get_current_timezone_name(),
    )
    return " ".join([*map(str, facts), f"render {next(renders)}"])


def page(request: HttpRequest, **kwargs: str) -> HttpResponse:
    content = text(request)
    for happens in during:
        happens()
    return HttpResponse(content)


async def async_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(text(request))


def broken(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("the view is broken")


def with_headers(**headers: str) -> HttpResponse:
    return HttpResponse("page", headers={name.replace("_", "-"): value for name, value in headers.items()})


def with_cookie() -> HttpResponse:
    response = HttpResponse("page")
    response.set_cookie("a", "b")
    return response


def without_type() -> HttpResponse:
    response = HttpResponse("page")
    del response["Content-Type"]
    return response


def template(request: HttpRequest) -> TemplateResponse:
    found = engines["django"].from_string("Hello {{ name }}")
    return TemplateResponse(request, found, {"name": "größe"})


@xframe_options_exempt
def embedded(request: HttpRequest) -> HttpResponse:
    return HttpResponse("embedded")


def without_policy() -> HttpResponse:
    """As Django 6.0's ``@csp_override({})`` does it."""
    response = HttpResponse("page")
    response._csp_config = {}
    return response


#: pages that are always the same, and may be stored
SAME: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "plain": lambda request: HttpResponse("page"),
    "empty": lambda request: HttpResponse(),
    "text": lambda request: HttpResponse("größe", content_type="text/plain; charset=latin-1"),
    "binary": lambda request: HttpResponse(bytes(range(256)) * 100, content_type="image/png"),
    "json": lambda request: JsonResponse({"größe": [1, None]}),
    "template": template,
    "reason": lambda request: HttpResponse("page", reason="Fine"),
    "untyped": lambda request: without_type(),
    "embedded": embedded,
    "without policy": lambda request: without_policy(),
    "headers": lambda request: with_headers(X_Name="größe", X_Long="a" * 2000, X_Other="日本", ETag='"x"'),
    "public": lambda request: with_headers(Cache_Control="public, max-age=60"),
    "frames": lambda request: with_headers(X_Frame_Options="SAMEORIGIN", Referrer_Policy="origin"),
}
#: pages that must not be stored, each with the reason that is given
REFUSED: dict[str, tuple[str, Callable[[HttpRequest], Any]]] = {
    "gone": ("status 410", lambda request: HttpResponse("gone", status=410)),
    "redirect": ("status 302", lambda request: HttpResponse(status=302, headers={"Location": "/"})),
    "stream": ("not complete", lambda request: StreamingHttpResponse(iter([b"a", b"b"]))),
    "file": ("not complete", lambda request: FileResponse(BytesIO(b"page"))),
    "cookie": ("set-cookie", lambda request: with_cookie()),
    "csrf": ("csrf token", lambda request: HttpResponse(get_token(request)[::-1])),
    "never": ("no-store", never_cache(lambda request: HttpResponse("page"))),
    "private": ("private", lambda request: with_headers(Cache_Control="Private")),
    "vary": ("vary *", vary_on_headers("*")(lambda request: HttpResponse("page"))),
    "address": ("visitor's address", lambda request: HttpResponse(request.META["REMOTE_ADDR"])),
    "expired": ("expired", lambda request: with_headers(Cache_Control="max-age=0")),
    "nonce": ("nonce", lambda request: with_headers(Content_Security_Policy="script-src 'nonce-abc'")),
}


def same(request: HttpRequest, name: str) -> HttpResponse:
    return SAME[name](request)


def refused(request: HttpRequest, name: str) -> HttpResponse:
    return REFUSED[name][1](request)


urlpatterns = [
    path("page/", page, name="page"),
    path("async-page/", async_page),
    path("broken/", broken),
    path("same/<str:name>/", same),
    path("refused/<str:name>/", refused),
    re_path(r"^any/(?P<rest>.*)$", page, name="any"),
    re_path(r"^(?P<rest>/.*)$", page, name="slashes"),
]
