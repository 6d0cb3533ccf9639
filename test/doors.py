"""Visitors at the doors, who see whether the application behind was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import AsyncRequestFactory

import dumper.asgi
import dumper.wsgi
from test.http.doors import Answer, _Environs, _joined


class ByWSGI:
    """Django's application behind a door; ``left`` are the environs of what the door has left to it."""

    def __init__(self, application: Callable[..., Any] | None = None) -> None:
        self.left: list[dict[str, Any]] = []
        self._application = application
        self.door = dumper.wsgi.Door(self._behind)

    def _behind(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        self.left.append(environ)
        self._application = self._application or WSGIHandler()  # by the settings that are in force by now
        return self._application(environ, start_response)

    def get(self, path: str, method: str = "GET", *, environ: dict[str, Any] | None = None, **fields: str) -> Answer:
        """What is answered; ``fields`` are header fields by their CGI names."""
        made = _Environs().generic(method, path, **fields)
        return self.send({**made, **(environ or {})})

    def send(self, environ: dict[str, Any]) -> Answer:
        started: list[Any] = []
        chunks = self.door(environ, lambda *args: started.extend(args))
        answer = Answer(int(started[0].split()[0]), _joined(started[1]), b"".join(chunks))
        getattr(chunks, "close", int)()
        return answer


class ByASGI:
    """The same for ASGI."""

    def __init__(self, application: Callable[..., Any] | None = None) -> None:
        self.left: list[dict[str, Any]] = []
        self._application = application
        self.door = dumper.asgi.Door(self._behind)

    async def _behind(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.left.append(scope)
        self._application = self._application or ASGIHandler()
        await self._application(scope, receive, send)

    def get(self, path: str, method: str = "GET", *, environ: dict[str, Any] | None = None, **fields: str) -> Answer:
        headers = {name.removeprefix("HTTP_").replace("_", "-"): value for name, value in fields.items()}
        scope = AsyncRequestFactory().generic(method, path, headers=headers).scope
        # Django's factory sends an empty Cookie, and a second field for what it has a default for.
        found = {name: value for name, value in scope["headers"] if name != b"cookie" or value}
        return self.send({**scope, "headers": list(found.items()), **(environ or {})})

    def send(self, scope: dict[str, Any]) -> Answer:
        return asyncio.run(self.asend(scope))

    async def asend(self, scope: dict[str, Any]) -> Answer:
        sent: list[Any] = []
        messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        messages.put_nowait({"type": "http.request", "body": b""})

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.door(scope, messages.get, send)
        head = [(name.decode(), value.decode("latin-1")) for name, value in sent[0]["headers"]]
        return Answer(sent[0]["status"], _joined(head), b"".join(message.get("body", b"") for message in sent[1:]))


DOORS = {"wsgi": ByWSGI, "asgi": ByASGI}
