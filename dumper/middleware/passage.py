"""One request of Django's on its way through the middleware pair."""

from __future__ import annotations

import logging
import time
from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from dumper import conf, near, upstreams
from dumper.exchange import BEFORE_FETCH, Exchange
from dumper.middleware.announcements import announced, measure
from dumper.middleware.messages import (
    active_language,
    active_time_zone,
    answered_with,
    handed_on,
    language_negotiated,
    request_from,
    response_from,
    response_to,
    signature_of,
)
from dumper.middleware.notes import Notes
from dumper.middleware.observed import observe
from dumper.middleware.replies import reply_of, response_of
from dumper.middleware.stack import is_choosing, is_fixed, note_choosing
from dumper.middleware.visitors import token_for
from dumper.near import Answered
from dumper.rules.answers import answer
from dumper.rules.messages import StoredResponse
from dumper.rules.policy import CHOSEN_LATER
from dumper.rules.status import Decision
from dumper.steps import Steps
from dumper.waiting import Waiting

logger = logging.getLogger("dumper.middleware")

#: Where the pair keeps it between them.
ATTRIBUTE = "dumper_passage"


class Passage:
    """The exchange of a request, and what was read of that."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self._exchange: Exchange | None = None
        self._notes: Notes | None = None
        self._rendered_in: tuple[str, str] | None = None
        self._gives_tokens = False
        #: what was remembered, and the response that was made of it
        self._recalled: Answered | None = None
        self._reply: HttpResponse | None = None
        #: among those that ask for the same, once nothing true was found
        self._waiting: Waiting | None = None
        #: what the store has of the answer
        self._page: StoredResponse | None = None
        setattr(request, ATTRIBUTE, self)

    @property
    def exchange(self) -> Exchange:
        if self._exchange is None:
            self._exchange = Exchange(request_from(self.request), conf.settings())
        return self._exchange

    def enter(self) -> Steps[None]:
        """Look up what is stored for the request, unless the site wants it to go past the store."""
        earlier = handed_on(self.request)
        if reason := earlier.bypassed if earlier else bypassed(self.request):
            self.exchange.forbid(reason)
            return
        signature, get = signature_of(self.request), self.request.META.get
        # A door has tried that already, and then read what is stored.
        if earlier is None and (yield from self.recall(near.current().recall(signature, get))):
            return
        yield from self.exchange.lookup(earlier and earlier.exchange)
        # To take notes costs more than all the rest of a hit, and is needed for a page alone that will be stored.
        if self.exchange.is_open and not is_choosing() and (yield from self.exchange.seek()):
            near.current().remember(signature, self.exchange.found(), get)
        elif self.exchange.is_open:
            self._notes = observe(self.request)

    def recall(self, answered: Answered | None) -> Steps[bool]:
        """Take up what was remembered, if there is something that is still true."""
        if answered is None or answered.is_over or not (yield from near.current().prove(answered.copy)):
            return False
        self._exchange, self._recalled = Exchange.recalled(answered.found, conf.settings()), answered
        self._page = answered.found.stored
        return True

    def hit(self, gives_tokens: bool) -> Steps[HttpResponse | None]:
        """The answer, if it is stored and still true."""
        self._gives_tokens = gives_tokens
        if self._notes:
            self._notes.looked_up = True
        chosen = self._chosen()
        if not self._notes and self.exchange.is_open and self.exchange.is_elsewhere(*chosen):
            note_choosing()
            self._recalled, before = None, self.exchange.request  # of which but a part may be left
            self.exchange.request = replace(
                request_from(self.request), language=before.language, time_zone=before.time_zone
            )
        stored = yield from self.exchange.serve(*chosen)
        if stored is None:
            if not self._notes and self.exchange.is_open:
                self.exchange.forbid(CHOSEN_LATER)
            self._waiting = Waiting(self.exchange)
            stored = yield from self._waiting.wait()
        if stored is None:
            return None
        if stored.slots is not None and not gives_tokens:
            self.exchange.forbid("csrf token")
            return None
        if self._recalled and not upstreams.current() and (reply := reply_of(self._recalled)):
            self._reply = response_of(reply, stored.marks)
            return self._reply
        try:
            return self._answered(stored)
        except ValueError:
            self.exchange.decision = Decision("uri-miss")
            return None

    def _chosen(self) -> tuple[str, str, bool]:
        """The language and the time zone by now, and whether Django has chosen the language for this request."""
        if self._recalled and is_fixed():
            request = self.exchange.request
            return request.language, request.time_zone, request.language_negotiated
        return active_language(), active_time_zone(), language_negotiated(self.request)

    def _answered(self, stored: StoredResponse) -> HttpResponse:
        """Raises ValueError where ``stored`` is damaged."""
        age = time.time() - stored.stored_at
        given = answer(stored, self.exchange.request, lambda: token_for(self.request), age)
        self._page = stored
        return response_to(given, stored.marks)

    def rendered(self, response: HttpResponseBase) -> HttpResponseBase:
        """``response``, after a note of what it was made in: a middleware further out may change that.

        In the stead of an error it is what is stored, where that is allowed.
        """
        self._rendered_in = active_language(), active_time_zone()
        spare = self._waiting and self._waiting.rescued(response.status_code, self._gives_tokens)
        return self._answered(spare) if spare else response

    @property
    def is_awaited(self) -> bool:
        """Whether others may be waiting for the answer."""
        return self._waiting is not None

    def over(self) -> Steps[None]:
        """Let others go on that wait for the answer, if there is one or not."""
        assert self._waiting
        yield from self._waiting.over()

    def leave(self, response: HttpResponseBase) -> Steps[HttpResponseBase]:
        """Store ``response`` if it may be; return it in the form in which the store will answer with it."""
        exchange = self.exchange
        if response is self._reply:
            measure(response)
            return response
        if exchange.is_open and not self._notes:
            exchange.forbid(BEFORE_FETCH)
        elif exchange.is_open and self._notes:
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
        return announced(self.request, response, exchange, self._page)


def bypassed(request: HttpRequest) -> str | None:
    """Why the site wants ``request`` to go past the store; None where it does not."""
    try:
        reason = conf.settings().bypass(request)
    except Exception as error:
        logger.exception("DUMPER_BYPASS failed, the request goes past the store")
        return f"DUMPER_BYPASS failed: {type(error).__name__}"
    return (reason if isinstance(reason, str) else "DUMPER_BYPASS") if reason else None


def passage_of(request: HttpRequest) -> Passage | None:
    """What ``UpdateCacheMiddleware`` has left on ``request``."""
    found: Passage | None = getattr(request, ATTRIBUTE, None)
    return found
