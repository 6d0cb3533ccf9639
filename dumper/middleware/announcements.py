"""What a response says of itself on its way out: to caches in front of us, and of what was decided."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, ResponseHeaders

from dumper import upstreams
from dumper.exchange import Exchange
from dumper.middleware.edge import labels
from dumper.middleware.messages import copied, without_status
from dumper.rules.headers import TARGETED
from dumper.rules.messages import StoredResponse
from dumper.rules.status import quoted


def announced(
    request: HttpRequest, response: HttpResponseBase, exchange: Exchange, page: StoredResponse | None
) -> HttpResponseBase:
    """``response`` as it is sent; ``page`` is what the store has of it, None where it has nothing."""
    remarks: list[str] = []
    fields: dict[str, str] = {}
    if upstreams.current():
        # Somebody on the way out may have put an error in its place.
        is_page = page is not None and response.status_code in (page.status, 304)
        fields, remarks = labels(request, response, exchange, page if is_page else None)
    if fields or TARGETED in response.headers:
        response = copied(response)
        response.headers.pop(TARGETED, None)
        for name in fields:
            response.headers.pop(name, None)
        # They come first: nginx before 1.23 goes by what it reads first.
        response.headers = ResponseHeaders({**fields, **dict(response.items())})
    if exchange.decision.served or exchange.decision.stored:
        measure(response)
    if exchange.settings.cache_status:
        # A view may return the same object again and again: what was said of it last is not true any more.
        others = without_status(response.headers.get("Cache-Status", ""))
        response.headers["Cache-Status"] = ", ".join(filter(None, [others, status(exchange, remarks)]))
    return response


def measure(response: HttpResponseBase) -> None:
    """Say how long a body is that nobody changes any more."""
    if response.status_code in (204, 304):
        response.headers.pop("Content-Length", None)  # CommonMiddleware has it be 0 (RFC 9110 §8.6)
    else:
        response.headers.setdefault("Content-Length", str(len(cast(HttpResponse, response).content)))


def status(exchange: Exchange, remarks: list[str]) -> str:
    """What was decided (RFC 9211 §2), with ``remarks`` on what each upstream may do where that is to be explained."""
    if remarks and exchange.settings.explain:
        return f"{exchange}; edge={quoted('; '.join(remarks))}"
    return str(exchange)
