"""Fastly: purges by surrogate key, by URL, and of a whole service.

https://www.fastly.com/documentation/reference/api/purging/
"""

from __future__ import annotations

import math
from collections.abc import Callable
from urllib.parse import unquote

from test.cdns.base import Answer, Call, Cdn, Page, Url, as_json, url_of
from test.cdns.clock import Bucket, Clock

KEYS_A_REQUEST = 256
KEY_BYTES = 1024
HEADER_BYTES = 16_384
PURGES_AN_HOUR = 100_000  # of an account; a key counts as one


class Fastly(Cdn):
    tag_header = "Surrogate-Key"

    def __init__(
        self, service: str = "SU1Z0isxPaozGVKXdv0eY", key: str = "fastly-key", clock: Clock | None = None
    ) -> None:
        super().__init__(clock)
        self.service = service
        self.key = key
        self.purges = Bucket(self.clock, PURGES_AN_HOUR, PURGES_AN_HOUR / 3600)

    def tags(self, value: str) -> frozenset[str]:
        """Only keys that end within the first 16 KB count."""
        first = value.encode()[: HEADER_BYTES + 1]
        if len(first) > HEADER_BYTES:  # the last one is cut off there, unless it ends with a space
            first = first[: first.rfind(b" ") + 1]
        return frozenset(key for key in first.decode(errors="ignore").split() if len(key.encode()) <= KEY_BYTES)

    def refuse(self, status: int) -> Answer:
        if status == 429:
            return self._limited(60)
        return as_json(status, {"msg": "Internal Server Error" if status == 500 else "Service Unavailable"})

    def answer(self, call: Call) -> Answer:
        if call.headers["Fastly-Key"] != self.key:
            return as_json(401, {"msg": "Provided credentials are missing or invalid"})
        if call.method != "POST":
            return as_json(405, {"msg": "Method Not Allowed"})
        match call.path.split("/")[1:]:
            case ["service", self.service, "purge"]:
                return self._purge_keys(call, self._batch(call))
            case ["service", self.service, "purge", key] if key:
                return self._purge_keys(call, [unquote(key)], batch=False)
            case ["service", self.service, "purge_all"]:
                # There is no soft one of all.
                return self._purge(1, lambda: self.drop(lambda url, page: True), {"status": "ok"})
            case ["purge", host, *_] if host:
                url = url_of(host, call.target.removeprefix(f"/purge/{host}"))
                return self._purge(1, lambda: self._remove(call, lambda its, page: its == url), self._ok())
        return as_json(404, {"msg": "Record not found", "detail": "Cannot load service"})

    def _batch(self, call: Call) -> list[str]:
        if named := call.headers["Surrogate-Key"]:
            return named.split()
        content = call.json()
        keys = content.get("surrogate_keys") if isinstance(content, dict) else None
        return [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []

    def _purge_keys(self, call: Call, keys: list[str], batch: bool = True) -> Answer:
        if not keys:
            return self._fail("No surrogate keys were given")
        if len(keys) > KEYS_A_REQUEST:
            return self._fail(f"Batch surrogate key request only supports up to {KEYS_A_REQUEST} surrogate keys")
        if any(len(key.encode()) > KEY_BYTES for key in keys):
            return self._fail(f"surrogate key too long, must be less than {KEY_BYTES} bytes")
        content = {key: self._id() for key in keys} if batch else self._ok()
        return self._purge(
            len(keys), lambda: self._remove(call, lambda url, page: not page.tags.isdisjoint(keys)), content
        )

    def _purge(self, tokens: int, purge: Callable[[], None], content: dict[str, str]) -> Answer:
        if wait := self.purges.take(tokens):
            return self._limited(wait)
        purge()
        remaining, reset = int(self.purges.tokens), math.ceil(self.clock.now() + 3600)
        headers = {"Fastly-RateLimit-Remaining": str(remaining), "Fastly-RateLimit-Reset": str(reset)}
        return as_json(200, content, headers)

    def _remove(self, call: Call, condemned: Callable[[Url, Page], bool]) -> None:
        if call.headers["Fastly-Soft-Purge"] != "1":
            self.drop(condemned)
            return
        for url, page in self._pages.items():
            page.stale = page.stale or condemned(url, page)

    def _ok(self) -> dict[str, str]:
        return {"status": "ok", "id": self._id()}

    def _id(self) -> str:
        return f"{len(self.calls)}-{int(self.clock.now())}"

    def _fail(self, reason: str) -> Answer:
        return as_json(400, {"status": "fail", "reason": reason})

    def _limited(self, wait: float) -> Answer:
        """The time is told as a date, in a field of Fastly's own."""
        reset = math.ceil(self.clock.now() + wait)
        headers = {"Fastly-RateLimit-Remaining": "0", "Fastly-RateLimit-Reset": str(reset)}
        return as_json(429, {"msg": "Too Many Requests"}, headers)
