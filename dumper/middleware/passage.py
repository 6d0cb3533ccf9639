"""One request of Django's on its way through the middleware pair."""

from __future__ import annotations

import logging
import time
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, ResponseHeaders

from dumper import conf, upstreams
from dumper.exchange import Exchange
from dumper.middleware.edge import labels
from dumper.middleware.messages import (
    active_language,
    active_time_zone,
    answered_with,
    copied,
    language_negotiated,
    request_from,
    response_from,
    response_to,
    without_status,
)
from dumper.middleware.notes import Notes
from dumper.middleware.observed import observe
from dumper.middleware.visitors import token_for
from dumper.rules.answers import answer
from dumper.rules.headers import TARGETED
from dumper.rules.messages import StoredResponse
from dumper.rules.status import Decision, quoted
from dumper.steps import Steps

logger = logging.getLogger("dumper.middleware")

#: Where the pair keeps it between them.
ATTRIBUTE = "dumper_passage"


class Passage:
    """The exchange of a request, and what was read of that."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.exchange = Exchange(request_from(request), conf.settings())
        self._notes: Notes | None = None
        self._rendered_in: tuple[str, str] | None = None
        self._gives_tokens = False
        #: what the caches in front may do with the answer, in words
        self._remarks: list[str] = []
        #: what the store has of the answer
        self._page: StoredResponse | None = None
        setattr(request, ATTRIBUTE, self)

    def enter(self) -> Steps[None]:
        """Look up what is stored for the request, unless the site wants it to go past the store."""
        try:
            reason = self.exchange.settings.bypass(self.request)
        except Exception as error:
            logger.exception("DUMPER_BYPASS failed, the request goes past the store")
            reason = f"DUMPER_BYPASS failed: {type(error).__name__}"
        if reason:
            self.exchange.forbid(reason if isinstance(reason, str) else "DUMPER_BYPASS")
            return
        yield from self.exchange.lookup()
        if self.exchange.is_open:
            self._notes = observe(self.request)

    def hit(self, gives_tokens: bool) -> Steps[HttpResponse | None]:
        """The answer, if it is stored and still true."""
        self._gives_tokens = gives_tokens
        if self._notes:
            self._notes.looked_up = True
        stored = yield from self.exchange.serve(
            active_language(), active_time_zone(), language_negotiated(self.request)
        )
        if stored is None:
            return None
        if stored.slots is not None and not gives_tokens:
            self.exchange.forbid("csrf token")
            return None
        try:
            given = answer(
                stored, self.exchange.request, lambda: token_for(self.request), time.time() - stored.stored_at
            )
        except ValueError:
            self.exchange.decision = Decision("uri-miss")
            return None
        self._page = stored
        return response_to(given, stored.marks)

    def rendered(self, response: HttpResponseBase) -> HttpResponseBase:
        """``response``, after a note of what it was made in: a middleware further out may change that."""
        self._rendered_in = active_language(), active_time_zone()
        return response

    def leave(self, response: HttpResponseBase) -> Steps[HttpResponseBase]:
        """Store ``response`` if it may be; return it in the form in which the store will answer with it."""
        exchange = self.exchange
        if exchange.is_open and self._notes:
            made = response_from(
                self.request,
                response,
                self._notes,
                self._rendered_in or (active_language(), active_time_zone()),
                self._gives_tokens,
                exchange.settings.max_body_size,
            )
            self._page = yield from exchange.settle(made)
            if self._page:
                given = answer(self._page, exchange.request, lambda: token_for(self.request), None)
                response = answered_with(response, given)
        if self._notes:
            self._notes.leave_session()
        return self._announced(self._labelled(response))

    def _labelled(self, response: HttpResponseBase) -> HttpResponseBase:
        """Tell the caches in front of us what they may do with it, and nobody what only this cache is told."""
        if upstreams.current():
            page = self._page  # unless somebody on the way out has put an error in its place
            is_page = page is not None and response.status_code in (page.status, 304)
            fields, self._remarks = labels(self.request, response, self.exchange, page if is_page else None)
        else:
            fields = {}
        if fields or TARGETED in response.headers:
            response = copied(response)
            response.headers.pop(TARGETED, None)
            for name in fields:
                response.headers.pop(name, None)
            # They come first: nginx before 1.23 goes by what it reads first.
            response.headers = ResponseHeaders({**fields, **dict(response.items())})
        return response

    def _announced(self, response: HttpResponseBase) -> HttpResponseBase:
        """Say in Cache-Status what was decided (RFC 9211 §2), and how long a body is that nobody changes any more."""
        decision = self.exchange.decision
        if decision.hit or decision.stored:
            if response.status_code in (204, 304):
                response.headers.pop("Content-Length", None)  # CommonMiddleware has it be 0 (RFC 9110 §8.6)
            else:
                response.headers.setdefault("Content-Length", str(len(cast(HttpResponse, response).content)))
        if self.exchange.settings.cache_status:
            # A view may return the same object again and again: what was said of it last is not true any more.
            others = without_status(response.headers.get("Cache-Status", ""))
            own = str(self.exchange)
            if self._remarks and self.exchange.settings.explain:
                own += f"; edge={quoted('; '.join(self._remarks))}"
            response.headers["Cache-Status"] = ", ".join(filter(None, [others, own]))
        return response


def passage_of(request: HttpRequest) -> Passage | None:
    """What ``UpdateCacheMiddleware`` has left on ``request``."""
    found: Passage | None = getattr(request, ATTRIBUTE, None)
    return found
