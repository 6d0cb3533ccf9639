"""The middleware pair, in the place and order of Django's own.

``UpdateCacheMiddleware`` comes first in ``MIDDLEWARE``: there a request enters, so there the generations are leased,
and there a response leaves, so there it is stored. ``FetchFromCacheMiddleware`` comes where a hit shall be answered:
last, if the middleware between shall see each request, or right after its partner, if nothing else shall.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from dumper import conf, database, stores, transactions
from dumper.exchange import Exchange
from dumper.middleware.messages import (
    active_language,
    active_time_zone,
    language_negotiated,
    request_from,
    response_from,
    response_to,
    without_status,
)
from dumper.rules.messages import Response
from dumper.steps import Steps, arun, run

#: Where the pair keeps the exchange of a request.
ATTRIBUTE = "dumper_exchange"


class _Middleware:
    """One class for sync and async stacks: Django looks at it to know which it is."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(cast(Any, self))


class UpdateCacheMiddleware(_Middleware):
    """Leases what a page depends on when a request enters, stores the page when the response leaves."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self.__acall__(request)
        transactions.settle()
        exchange = begin(request)
        if transactions.is_changing():
            exchange.forbid("inside a transaction")
        else:
            run(exchange.lookup(), stores.current())
        response = cast(HttpResponseBase, self.get_response(request))
        if exchange.is_open and database.in_transaction():
            # It was open before the lease, and so may have shown the view what was true even earlier.
            exchange.forbid("inside a transaction")
        if exchange.is_open:
            run(exchange.settle(answered(request, response, exchange)), stores.current())
        return announced(response, exchange)

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        if transactions.unsettled():
            await sync_to_async(transactions.settle)()
        exchange = begin(request)
        await arun(exchange.lookup(), stores.current())
        response = cast(HttpResponseBase, await self.get_response(request))
        if exchange.is_open:
            await arun(exchange.settle(answered(request, response, exchange)), stores.current())
        return announced(response, exchange)


class FetchFromCacheMiddleware(_Middleware):
    """Answers with the stored page if there is one that is still true."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self.__acall__(request)
        stored = run(serve(request), stores.current())
        return response_to(stored) if stored else rendered(request, self.get_response(request))

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        stored = await arun(serve(request), stores.current())
        return response_to(stored) if stored else rendered(request, await self.get_response(request))


def begin(request: HttpRequest) -> Exchange:
    exchange = Exchange(request_from(request), conf.settings())
    setattr(request, ATTRIBUTE, exchange)
    return exchange


def serve(request: HttpRequest) -> Steps[Any]:
    exchange: Exchange | None = getattr(request, ATTRIBUTE, None)
    if exchange is None:  # its partner is missing, as a system check says
        return None
    return (yield from exchange.serve(active_language(), active_time_zone(), language_negotiated(request)))


def rendered(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """``response``, after a note of what it was made in: a middleware further out may change that."""
    if exchange := getattr(request, ATTRIBUTE, None):
        exchange.rendered_in = active_language(), active_time_zone()
    return response


def answered(request: HttpRequest, response: HttpResponseBase, exchange: Exchange) -> Response:
    return response_from(request, response, *(exchange.rendered_in or (active_language(), active_time_zone())))


def announced(response: HttpResponseBase, exchange: Exchange) -> HttpResponseBase:
    """``response`` with what was decided appended to its Cache-Status (RFC 9211 §2)."""
    if exchange.settings.cache_status:
        # A view may return the same object again and again: what was said of it the last time is not true any more.
        others = without_status(response.headers.get("Cache-Status", ""))
        response.headers["Cache-Status"] = ", ".join(filter(None, [others, str(exchange.decision)]))
    return response
