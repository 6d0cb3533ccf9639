"""Between Django's requests and responses and ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from functools import lru_cache
from typing import Any, NamedTuple, cast

from django.core.exceptions import DisallowedHost, SuspiciousOperation
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.cookie import parse_cookie
from django.http.response import HttpResponseBase, ResponseHeaders
from django.utils import timezone, translation

from dumper import near
from dumper.conf import settings
from dumper.exchange import Exchange
from dumper.middleware import visitors
from dumper.middleware.notes import Notes
from dumper.near import Signature
from dumper.rules.answers import Answer
from dumper.rules.messages import Request, Response, Unreadable
from dumper.rules.pages import unpacked

#: Where a door leaves what it knows: in WSGI's environ, in ASGI's scope.
HANDED_ON = "dumper.exchange"
#: Attributes by which Django's decorators tell its middleware what to leave out.
MARKS = ("xframe_options_exempt", "_csp_config", "_csp_ro_config")


def active_language() -> str:
    """The active language; "" where Django has no translations."""
    return (translation.get_language() or "") if settings().use_i18n else ""


def active_time_zone() -> str:
    """The active time zone; "" where Django has none."""
    return _name_of(timezone.get_current_timezone()) if settings().use_tz else ""


@lru_cache(maxsize=1024)
def _name_of(zone: tzinfo) -> str:
    """The name as timezone.get_current_timezone_name() gives it."""
    return zone.tzname(None) or str(zone)


def language_negotiated(request: HttpRequest) -> bool:
    """Whether Django's LocaleMiddleware has chosen the active language for this very request."""
    code = getattr(request, "LANGUAGE_CODE", None)
    return code is not None and settings().use_i18n and code == translation.get_language()


def request_from(request: HttpRequest) -> Request:
    """What ``request`` asks for."""
    try:
        host = request.get_host()
    except DisallowedHost:
        host = None
    environ = request.META
    is_wsgi = isinstance(request, WSGIRequest)
    return Request(
        method=request.method or "",
        scheme=request.scheme or "",
        host=host,
        path=request.path,
        path_info=request.path_info,
        query=environ.get("QUERY_STRING", ""),
        language=active_language(),
        time_zone=active_time_zone(),
        environ=environ,
        parameters=lambda: parameters(environ, is_wsgi),
        cookies=lambda: cookies(environ, is_wsgi),
    )


def signature_of(request: HttpRequest) -> Signature | None:
    """All of ``request`` that decides how it is answered; None where nothing is remembered by it.

    A class that is not Django's own may read more of a request.
    """
    if request.method not in ("GET", "HEAD") or not near.current().copies.most:
        return None
    if type(request) is WSGIRequest:
        scheme = None  # is among the variables
    elif type(request) is ASGIRequest:
        scheme = request.scheme
    else:
        return None
    return (
        scheme,
        request.method,
        request.path,
        request.path_info,
        active_language(),
        active_time_zone(),
        language_negotiated(request),
        *map(request.META.get, near.current().variables),
    )


class HandedOn(NamedTuple):
    """What a door in front of Django's handler knows of a request."""

    #: why the site wants it to go past the store
    bypassed: str | None
    exchange: Exchange | None


def handed_on(request: HttpRequest) -> HandedOn | None:
    """What a door has left for the pair."""
    found: HandedOn | None = vars(request).get("scope", request.META).pop(HANDED_ON, None)
    return found


def parameters(environ: Mapping[str, Any], is_wsgi: bool) -> Mapping[str, Sequence[str]]:
    """The query string as Django's requests of either kind read it. Raises Unreadable."""
    query = environ.get("QUERY_STRING", "")
    try:
        return dict(QueryDict(query.encode("latin-1") if is_wsgi else query).lists())
    except (SuspiciousOperation, ValueError) as error:
        raise Unreadable("the query string cannot be read") from error


def cookies(environ: Mapping[str, Any], is_wsgi: bool) -> Mapping[str, str]:
    """The Cookie field as Django's requests of either kind read it."""
    field = environ.get("HTTP_COOKIE", "")
    parsed: Mapping[str, str] = parse_cookie(field.encode("latin-1").decode(errors="replace") if is_wsgi else field)
    return parsed


def without_status(field: str) -> str:
    """A Cache-Status field without what this cache has added to it, which comes last."""
    return re.sub(r"(^|, )dumper; (hit|fwd=).*", "", field)


def response_from(
    request: HttpRequest,
    response: HttpResponseBase,
    notes: Notes,
    rendered_in: tuple[str, str],
    is_given_token: bool,
    most: int,
) -> Response:
    """What ``response`` says, made in that language and time zone.

    ``is_given_token`` tells whether those served from the store get CSRF cookies of their own; ``most`` is how many
    bytes of a compressed body are looked into.
    """
    headers = dict(response.items())
    if "Cache-Status" in headers:
        headers["Cache-Status"] = without_status(headers["Cache-Status"])
    body, length, slots, personal = None, 0, None, visitors.personal(request, notes)
    if isinstance(response, HttpResponse) and getattr(response, "is_rendered", True):
        length = len(response.content)
        body, headers = unpacked(response.content, headers, most)
        found = visitors.without_tokens(request, notes, body, headers)
        if found is None or (found[1] is not None and not is_given_token):
            personal = personal or "csrf token"
        else:
            body, slots = found
    return Response(
        status=response.status_code,
        reason=response.reason_phrase,
        headers=headers,
        body=body,
        length=length,
        slots=slots,
        sets_cookie=visitors.sets_cookie(request, notes, response, slots is not None),
        is_vary_explained=visitors.explains_vary(request, response),
        personal=personal,
        dimensions=visitors.dimensions(request, notes),
        language=rendered_in[0],
        time_zone=rendered_in[1],
        marks={name: vars(response)[name] for name in MARKS if name in vars(response)},
    )


def response_to(answer: Answer, marks: Mapping[str, Any]) -> HttpResponse:
    """``answer`` as a response of Django's."""
    response = HttpResponse()
    vars(response).update(marks)
    return _formed(response, answer)


def answered_with(response: HttpResponseBase, answer: Answer) -> HttpResponse:
    """``response`` with its cookies, in the form of ``answer``."""
    return _formed(cast(HttpResponse, copied(response)), answer)


def copied(response: HttpResponseBase) -> HttpResponseBase:
    """A copy to be changed: a view may return the same object again and again."""
    copy = object.__new__(type(response))
    vars(copy).update(vars(response))
    copy.headers = ResponseHeaders(dict(response.items()))
    return copy


def _formed(response: HttpResponse, answer: Answer) -> HttpResponse:
    response.status_code, response.reason_phrase = answer.status, answer.reason
    # These and no others: not even a Content-Type where the view had none.
    response.headers = ResponseHeaders(answer.headers)
    response.content = answer.body
    return response
