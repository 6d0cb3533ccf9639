"""What answers: Django's handler, dumper's door before it, or nothing but the bytes of the page."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from test_project.bench import contenders
from test_project.bench.contenders import Contender
from test_project.bench.site import PAGE, Addresses, configure

#: How a server is told whom to serve.
NAME, REDIS, MEMCACHED = "BENCH_CONTENDER", "BENCH_REDIS", "BENCH_MEMCACHED"
#: Those of the page as it is stored, so that each server has the same to send.
FIELDS = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("X-Frame-Options", "DENY"),
    ("Content-Length", str(len(PAGE))),
    ("Vary", "Accept-Encoding"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("ETag", '"0123456789abcdef0123456789abcdef"'),
    ("Age", "1"),
    ("Cache-Status", "dumper; hit"),
]
RAW_FIELDS = [(name.lower().encode(), value.encode()) for name, value in FIELDS]

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
ASGI = Callable[[dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


def bare_wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", FIELDS)
    return [PAGE]


async def bare_asgi(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Awaitable[None]]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": RAW_FIELDS})
    await send({"type": "http.response.body", "body": PAGE})


def wsgi_of(contender: Contender, addresses: Addresses) -> WSGI:
    configure(contender, addresses)
    from django.core.handlers.wsgi import WSGIHandler

    from dumper.wsgi import Door

    return fronted(contender, bare_wsgi, WSGIHandler, Door)


def asgi_of(contender: Contender, addresses: Addresses) -> ASGI:
    configure(contender, addresses)
    from django.core.handlers.asgi import ASGIHandler

    from dumper.asgi import Door

    return fronted(contender, bare_asgi, ASGIHandler, Door)


def fronted(contender: Contender, bare: Any, handler: Callable[[], Any], door: Callable[[Any], Any]) -> Any:
    """The bytes alone, Django's handler, or a door before it."""
    if contender.front == "bare":
        return bare
    return door(handler()) if contender.front == "door" else handler()


def wsgi() -> WSGI:
    """What gunicorn calls for its application."""
    return wsgi_of(*_asked([*contenders.GUNICORN, *contenders.SLOW]))


def asgi() -> ASGI:
    """What uvicorn calls for its application."""
    return asgi_of(*_asked(contenders.UVICORN))


def _asked(among: list[Contender]) -> tuple[Contender, Addresses]:
    found = next(contender for contender in among if contender.name == os.environ[NAME])
    return found, Addresses(os.environ[REDIS], os.environ[MEMCACHED])
