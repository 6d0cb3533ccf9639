"""The ways to ask the site, all in the same words, and what it answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import http_sf
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client


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


def _asking(send: Callable[..., Any]) -> Ask:
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
        fields = {"Host": "testserver", **(headers or {})}
        response = send(method, url, body, "text/plain", secure=secure, headers=fields)
        fields = {name.lower(): value for name, value in response.items()}
        if response.cookies:
            fields["set-cookie"] = response.cookies.output(header="", sep=",")
        return Answer(response.status_code, fields, response.getvalue())

    return ask


def _sync(*args: Any, **kwargs: Any) -> Any:
    return Client(raise_request_exception=False).generic(*args, **kwargs)


class _AsyncClient(AsyncClient):
    """Django's sends two of a field that it has a default for, a Cookie that is empty, and a path as WSGI spells it."""

    def _base_scope(self, **request: Any) -> dict[str, Any]:
        scope: dict[str, Any] = super()._base_scope(**request)
        scope["headers"] = list({name: value for name, value in scope["headers"] if name != b"cookie" or value}.items())
        scope["path"] = scope["path"].encode("latin-1").decode()
        return scope


@async_to_sync
async def _async(*args: Any, **kwargs: Any) -> Any:
    return await _AsyncClient(raise_request_exception=False).generic(*args, **kwargs)


DOORS: dict[str, Ask] = {"sync": _asking(_sync), "async": _asking(_async)}
