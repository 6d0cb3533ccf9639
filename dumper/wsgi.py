"""The door of WSGI: hits are answered before Django's handler makes a request object.

from dumper.wsgi import get_wsgi_application

application = get_wsgi_application()
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import django.core.wsgi
from django.core.handlers.wsgi import WSGIRequest

from dumper import door, near, stores
from dumper.middleware.messages import HANDED_ON, HandedOn
from dumper.middleware.passage import bypassed
from dumper.middleware.replies import Reply, reply_of
from dumper.steps import run

logger = logging.getLogger("dumper.middleware")

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Door:
    """Answers hits; leaves all else to ``application``, which is Django's."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            reply = self.reply(environ)
        except Exception:  # whatever somebody sends, Django's handler knows what to say
            logger.exception("The door leaves a request to the middleware")
            reply = None
        if reply is None:
            return self.application(environ, start_response)
        start_response(f"{reply.status} {reply.reason}", reply.headers.copy())
        return [reply.body]

    def reply(self, environ: Environ) -> Reply | None:
        """The stored reply, if there is one that this door may send."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or not door.is_open():
            return None
        nearby, get = near.current(), environ.get
        if (cookies := get("HTTP_COOKIE")) and not door.is_plain(cookies):
            return None
        if door.plan().has_hook and (reason := bypassed(request_of(environ))):
            environ[HANDED_ON] = HandedOn(reason, None)
            return None
        signature = tuple(map(get, nearby.variables))
        answered = nearby.recall(signature, get)
        if answered and nearby.knows(answered.copy):
            return reply_of(answered)
        if reply := run(door.recalled(answered), stores.current()):
            return reply
        reply, exchange = run(door.looked_up(request_of(environ), signature, get), stores.current())
        if reply is None:
            environ[HANDED_ON] = HandedOn(None, exchange)
        return reply


def request_of(environ: Environ) -> WSGIRequest:
    """A request of Django's. It decodes the path in place, and that of Django's handler will do so once more."""
    return WSGIRequest(environ.copy())


def get_wsgi_application() -> Door:
    """Django's WSGI application behind a door."""
    return Door(django.core.wsgi.get_wsgi_application())
