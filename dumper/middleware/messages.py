"""Between Django's requests and responses and ours."""

from __future__ import annotations

import re
import time
from typing import cast

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, ResponseHeaders
from django.utils import timezone, translation

from dumper.rules.messages import Request, Response, StoredResponse

#: Attributes by which Django's decorators tell its middleware what to leave out.
MARKS = ("xframe_options_exempt", "_csp_config", "_csp_ro_config")


def active_language() -> str:
    """The active language; "" where Django has no translations."""
    return (translation.get_language() or "") if settings.USE_I18N else ""


def active_time_zone() -> str:
    """The active time zone; "" where Django has none."""
    return timezone.get_current_timezone_name() if settings.USE_TZ else ""


def language_negotiated(request: HttpRequest) -> bool:
    """Whether Django's LocaleMiddleware has chosen the active language for this very request."""
    code = getattr(request, "LANGUAGE_CODE", None)
    return code is not None and settings.USE_I18N and code == translation.get_language()


def request_from(request: HttpRequest) -> Request:
    """What ``request`` asks for."""
    try:
        host = request.get_host()
    except DisallowedHost:
        host = None
    return Request(
        method=request.method or "",
        scheme=request.scheme or "",
        host=host,
        path=request.path,
        path_info=request.path_info,
        query=request.META.get("QUERY_STRING", ""),
        language=active_language(),
        time_zone=active_time_zone(),
        environ=request.META,
    )


def personal(request: HttpRequest) -> str | None:
    """What was asked for that is one visitor's own; None if nothing was.

    Django's middleware says so by Vary and cookies, but not to us where it stands above ``UpdateCacheMiddleware``.
    """
    if getattr(getattr(request, "session", None), "accessed", False):
        return "session"
    if request.META.get("CSRF_COOKIE_NEEDS_UPDATE"):
        return "csrf token"
    messages = getattr(request, "_messages", None)
    if getattr(messages, "used", False) or getattr(messages, "added_new", False):
        return "messages"
    if getattr(request, "_csp_nonce", None):  # false until it is made
        return "nonce"
    return None


def without_status(field: str) -> str:
    """A Cache-Status field without what this cache has added to it, which comes last."""
    return re.sub(r"(^|, )dumper; (hit|fwd=).*", "", field)


def response_from(request: HttpRequest, response: HttpResponseBase, language: str, time_zone: str) -> Response:
    """What ``response`` says, which was made in ``language`` and ``time_zone``."""
    headers = dict(response.items())
    if "Cache-Status" in headers:
        headers["Cache-Status"] = without_status(headers["Cache-Status"])
    is_complete = isinstance(response, HttpResponse) and getattr(response, "is_rendered", True)
    return Response(
        status=response.status_code,
        reason=response.reason_phrase,
        headers=headers,
        body=cast(HttpResponse, response).content if is_complete else None,
        sets_cookie=bool(response.cookies),
        personal=personal(request),
        language=language,
        time_zone=time_zone,
        marks={name: vars(response)[name] for name in MARKS if name in vars(response)},
    )


def response_to(stored: StoredResponse) -> HttpResponse:
    """``stored`` as a response of Django's, with its Age (RFC 9111 §5.1)."""
    response = HttpResponse(stored.body, status=stored.status, reason=stored.reason)
    # These and no others: not even a Content-Type where the view had none.
    response.headers = ResponseHeaders(dict(stored.headers))
    vars(response).update(stored.marks)
    response.headers["Age"] = str(max(0, int(time.time() - stored.stored_at)))
    return response
