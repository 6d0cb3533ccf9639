"""The door of ASGI: hits are answered before Django's handler makes a request object.

from dumper.asgi import get_asgi_application

application = get_asgi_application()
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import cached_property, lru_cache
from io import BytesIO
from typing import Any

import django.core.asgi
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest

from dumper import door, near, stores
from dumper.middleware.edge import target
from dumper.middleware.messages import HANDED_ON, HandedOn
from dumper.middleware.passage import bypassed
from dumper.middleware.replies import Reply, reply_of
from dumper.near import Signature
from dumper.steps import arun

logger = logging.getLogger("dumper.middleware")

Scope = dict[str, Any]
Application = Callable[[Scope, Callable[..., Any], Callable[..., Any]], Awaitable[Any]]


class Door:
    """Answers hits; leaves all else to ``application``, which is Django's."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Awaitable[None]]) -> None:
        reply = None
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            try:
                reply, known = await self.reply(scope)
                scope = {**scope, HANDED_ON: known} if known else scope
            except Exception:  # whatever somebody sends, Django's handler knows what to say
                logger.exception("The door leaves a request to the middleware")
        if reply is None:
            await self.application(scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": reply.status, "headers": reply.fields.copy()})
            await send({"type": "http.response.body", "body": reply.body})

    async def reply(self, scope: Scope) -> tuple[Reply | None, HandedOn | None]:
        """The stored reply, if there is one that this door may send; else what the pair is to know."""
        if not door.is_open():
            return None, None
        for name, value in scope["headers"]:
            if name == b"cookie" and not door.is_plain(value.decode("latin-1")):
                return None, None
        nearby, variables = near.current(), Variables(scope)
        signature = signature_of(scope, fields(nearby.variables))
        if door.plan().has_hook and (reason := await sync_to_async(bypassed)(variables.request)):
            return None, HandedOn(reason, None)
        answered = nearby.recall(signature, variables.get)
        if answered and nearby.knows(answered.copy):
            return reply_of(answered), None
        if reply := await arun(door.recalled(answered), stores.current()):
            return reply, None
        steps = door.looked_up(variables.request, signature, variables.get)
        reply, exchange = await arun(steps, stores.current())
        return reply, None if reply else HandedOn(None, exchange)


def signature_of(scope: Scope, names: frozenset[bytes]) -> Signature:
    """All of ``scope`` that decides how it is answered; ``names`` are the header fields that count."""
    return (
        scope["method"],
        scope.get("scheme"),
        scope["path"],
        scope.get("root_path"),
        scope.get("raw_path"),
        scope["query_string"],
        *(scope.get("server") or ()),
        *[tuple(field) for field in scope["headers"] if field[0].lower().replace(b"_", b"-") in names],
    )


@lru_cache(maxsize=8)
def fields(variables: tuple[str, ...]) -> frozenset[bytes]:
    """The header fields behind the CGI variables ``variables`` (RFC 3875 §4.1)."""
    return frozenset(name.removeprefix("HTTP_").replace("_", "-").lower().encode() for name in variables)


class Variables:
    """The CGI variables of a request."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    @cached_property
    def request(self) -> ASGIRequest:
        return ASGIRequest(self._scope, BytesIO())

    @cached_property
    def _all(self) -> dict[str, Any]:
        return {**self.request.META, "wsgi.url_scheme": self.request.scheme, "RAW_URI": target(self.request)}

    def get(self, name: str) -> Any:
        return self._all.get(name)


def get_asgi_application() -> Door:
    """Django's ASGI application behind a door."""
    return Door(django.core.asgi.get_asgi_application())
