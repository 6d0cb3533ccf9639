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
from django.middleware.csrf import CsrfViewMiddleware

from dumper import database, stores, transactions
from dumper.dependencies import followed
from dumper.exchange import IN_TRANSACTION
from dumper.middleware.passage import Passage, passage_of
from dumper.middleware.stack import is_above
from dumper.middleware.unsafe import targets
from dumper.steps import arun, run
from dumper.stores.guard import withheld


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

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        if withheld.source:
            withheld.source.start()

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self.__acall__(request)
        transactions.settle()
        passage = Passage(request)
        if transactions.is_changing():
            passage.exchange.forbid(IN_TRANSACTION)
        else:
            run(passage.enter(), stores.current())
        try:
            with followed(passage.exchange):
                response = cast(HttpResponseBase, self.get_response(request))
            if passage.exchange.is_open and database.in_transaction():
                # It was open before the lease, and so may have shown the view what was true even earlier.
                passage.exchange.forbid(IN_TRANSACTION)
            response = run(passage.leave(response), stores.current())
        finally:
            if passage.is_awaited:
                run(passage.over(), stores.current())
        if tags := targets(request, response):
            transactions.change(tags)
        return response

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        if transactions.unsettled():
            await sync_to_async(transactions.settle)()
        passage = Passage(request)
        await arun(passage.enter(), stores.current())
        try:
            with followed(passage.exchange):
                response = cast(HttpResponseBase, await self.get_response(request))
            response = await arun(passage.leave(response), stores.current())
        finally:
            if passage.is_awaited:
                await arun(passage.over(), stores.current())
        if tags := targets(request, response):
            await sync_to_async(transactions.change)(tags)
        return response


class FetchFromCacheMiddleware(_Middleware):
    """Answers with the stored page if there is one that is still true."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        #: whether who is answered here gets a CSRF cookie on the way out
        self.gives_tokens = is_above(CsrfViewMiddleware, FetchFromCacheMiddleware)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self.__acall__(request)
        passage = passage_of(request)
        if passage is None:  # its partner is missing, as a system check says
            return cast(HttpResponseBase, self.get_response(request))
        hit = run(passage.hit(self.gives_tokens), stores.current())
        return hit or passage.rendered(self.get_response(request))

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        passage = passage_of(request)
        if passage is None:
            return cast(HttpResponseBase, await self.get_response(request))
        hit = await arun(passage.hit(self.gives_tokens), stores.current())
        return hit or passage.rendered(await self.get_response(request))
