"""The ways to ask the site, all in the same words, and what it answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import http_sf
from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import AsyncClient, AsyncRequestFactory, Client, RequestFactory

import dumper.asgi
import dumper.wsgi


@dataclass(frozen=True)
class Answer:
    """What came back. The names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def cache_status(self) -> Mapping[str, Any]:
        """What this cache says of itself, by the parser of RFC 8941."""
        *_, (name, parameters) = http_sf.parse(self.headers["cache-status"].encode("ascii"), tltype="list")
        assert str(name) == "dumper"
        assert ("hit" in parameters) != ("fwd" in parameters)
        return parameters

    @property
    def is_hit(self) -> bool:
        return "hit" in self.cache_status

    @property
    def is_stored(self) -> bool:
        return "stored" in self.cache_status

    @property
    def forwarded(self) -> str | None:
        """Why it was forwarded, in a word of RFC 9211 §2.2."""
        return str(self.cache_status["fwd"]) if "fwd" in self.cache_status else None

    @property
    def detail(self) -> str | None:
        return self.cache_status.get("detail")


Ask = Callable[..., Answer]


#: Sends a request with this method, to this URL, with this body, header fields and security, and returns the answer.
Send = Callable[[str, str, bytes, dict[str, str], bool], Answer]


def _asking(send: Send) -> Ask:
    def ask(
        path: str,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        body: bytes = b"",
        *,
        secure: bool = False,
    ) -> Answer:
        # Django's clients take "//x" for a host.
        url = f"http{'s' * secure}://testserver{path}"
        return send(method, url, body, {"Host": "testserver", **(headers or {})}, secure)

    return ask


def _answer(response: Any) -> Answer:
    """What a client of Django's has got."""
    fields = {name.lower(): value for name, value in response.items()}
    if response.cookies:
        fields["set-cookie"] = response.cookies.output(header="", sep=",")
    return Answer(response.status_code, fields, response.getvalue())


def _joined(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Fields as they were sent, by their names in lower case."""
    found: dict[str, str] = {}
    for name, value in fields:
        found[name.lower()] = ",".join(filter(None, [found.get(name.lower()), value]))
    return found


def _sync(method: str, url: str, body: bytes, fields: dict[str, str], secure: bool) -> Answer:
    client = Client(raise_request_exception=False)
    return _answer(client.generic(method, url, body, "text/plain", secure=secure, headers=fields))


class _Scopes:
    """Django's sends two of a field that it has a default for, a Cookie that is empty, and a path as WSGI spells it."""

    def _base_scope(self, **request: Any) -> dict[str, Any]:
        scope: dict[str, Any] = super()._base_scope(**request)  # type: ignore[misc]
        scope["headers"] = list({name: value for name, value in scope["headers"] if name != b"cookie" or value}.items())
        scope["path"] = scope["path"].encode("latin-1").decode()
        return scope


class _Environs(RequestFactory):
    """Makes what a server hands over; Django's requests change it."""

    def request(self, **request: Any) -> Any:
        return self._base_environ(**request)


class _AsyncClient(_Scopes, AsyncClient):
    pass


class _AsyncFactory(_Scopes, AsyncRequestFactory):
    pass


@async_to_sync
async def _async(method: str, url: str, body: bytes, fields: dict[str, str], secure: bool) -> Answer:
    client = _AsyncClient(raise_request_exception=False)
    return _answer(await client.generic(method, url, body, "text/plain", secure=secure, headers=fields))


class _Lenient:
    """Asks for no CSRF tokens, as Django's clients do."""

    def get_response(self, request: Any) -> Any:
        request._dont_enforce_csrf_checks = True
        return super().get_response(request)  # type: ignore[misc]

    async def get_response_async(self, request: Any) -> Any:
        request._dont_enforce_csrf_checks = True
        return await super().get_response_async(request)  # type: ignore[misc]


class _WSGIHandler(_Lenient, WSGIHandler):
    pass


class _ASGIHandler(_Lenient, ASGIHandler):
    pass


def _wsgi(method: str, url: str, body: bytes, fields: dict[str, str], secure: bool) -> Answer:
    environ = _Environs().generic(method, url, body, "text/plain", secure=secure, headers=fields)
    started: list[Any] = []
    chunks = dumper.wsgi.Door(_WSGIHandler())(environ, lambda *args: started.extend(args))
    answer = Answer(int(started[0].split()[0]), _joined(started[1]), b"".join(chunks))
    getattr(chunks, "close", int)()
    return answer


@async_to_sync
async def _asgi(method: str, url: str, body: bytes, fields: dict[str, str], secure: bool) -> Answer:
    request = _AsyncFactory().generic(method, url, body, "text/plain", secure=secure, headers=fields)
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    messages.put_nowait({"type": "http.request", "body": body})
    sent: list[Any] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await dumper.asgi.Door(_ASGIHandler())(request.scope, messages.get, send)
    head = [(name.decode(), value.decode("latin-1")) for name, value in sent[0]["headers"]]
    return Answer(sent[0]["status"], _joined(head), b"".join(message.get("body", b"") for message in sent[1:]))


DOORS: dict[str, Ask] = {
    "sync": _asking(_sync),
    "async": _asking(_async),
    "wsgi door": _asking(_wsgi),
    "asgi door": _asking(_asgi),
}
