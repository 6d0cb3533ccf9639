"""Replies: what the pair answers with, remembered as it is sent, until its age is another."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from django.http import HttpRequest, HttpResponse

from dumper import conf, near
from dumper.exchange import Exchange
from dumper.middleware.announcements import announced
from dumper.middleware.messages import response_to
from dumper.near import Answered
from dumper.rules.answers import answer
from dumper.search import Found
from dumper.steps import run


class Reply(NamedTuple):
    """A response as it is sent, until (seconds since the epoch) its age is another."""

    until: float
    status: int
    reason: str
    headers: list[tuple[str, str]]
    #: the same, as ASGI has them
    fields: list[tuple[bytes, bytes]]
    body: bytes
    #: the same, as Django's responses keep them; how long a body is may yet change on the way out
    stored: dict[str, tuple[str, str]]


def reply_of(answered: Answered) -> Reply | None:
    """What is remembered, as it is sent now; None where its lifetime has passed."""
    now = time.time()
    reply: Reply | None = answered.prepared
    if reply is None or reply.until <= now:
        if answered.is_over:
            return None
        near.current().copies.use(answered.copy)
        reply = answered.prepared = replied(answered.found, again(answered.found), now)
    return reply


def replied(found: Found, request: HttpRequest, now: float) -> Reply:
    """What the pair answers to ``request`` with what was found for it, and is true."""
    stored = found.stored
    exchange = Exchange.recalled(found, conf.settings())
    asked = found.request
    run(exchange.serve(asked.language, asked.time_zone, asked.language_negotiated), None)
    age = now - stored.stored_at
    response = response_to(answer(stored, asked, str, age), stored.marks)
    sent = cast(HttpResponse, announced(request, response, exchange, stored))
    headers = list(sent.items())
    fields = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
    older = now + 1 - age % 1
    until = older if stored.expires_at is None else min(older, stored.expires_at)
    stored_fields = {name.lower(): (name, value) for name, value in headers}
    if asked.method != "HEAD":  # whose response says how long the body would be
        stored_fields.pop("content-length", None)
    return Reply(until, sent.status_code, sent.reason_phrase, headers, fields, sent.content, stored_fields)


def response_of(reply: Reply, marks: Mapping[str, Any]) -> HttpResponse:
    """``reply`` as a response of Django's."""
    response = HttpResponse(reply.body, "", reply.status, reply.reason)
    vars(response).update(marks)
    # They were checked when they were set first; to check them again costs as much as all the rest.
    vars(response.headers)["_store"] = reply.stored.copy()
    return response


def again(found: Found) -> HttpRequest:
    """A request like that for which it was found."""
    request = HttpRequest()
    request.method, request.META = found.request.method, dict(found.request.environ)
    request.path, request.path_info = found.request.path, found.request.path_info
    if found.request.language_negotiated:
        request.LANGUAGE_CODE = found.request.language
    return request
