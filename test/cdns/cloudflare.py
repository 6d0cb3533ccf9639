"""Cloudflare: purges by tag, by URL, and of a whole zone.

https://developers.cloudflare.com/api/resources/cache/methods/purge/
https://developers.cloudflare.com/cache/how-to/purge-cache/
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from test.cdns.base import KINDS, Answer, Call, Cdn, Kind, as_json, parse_url
from test.cdns.clock import Bucket, Clock

HEADER_BYTES = 16 * 1024
TAG_CHARACTERS = 1024
TAGS_A_REQUEST = 100


class Plan(NamedTuple):
    """Requests that purge tags or everything; URLs have limits of their own."""

    requests_a_second: float
    bucket: int
    urls_a_second: int
    urls_a_request: int = 100


PLANS = {
    "free": Plan(5 / 60, 25, 800),
    "pro": Plan(5, 25, 1500),
    "business": Plan(10, 50, 1500),
    "enterprise": Plan(50, 500, 3000, 500),
}


class Cloudflare(Cdn):
    tag_header = "Cache-Tag"
    kinds = KINDS | {"unsuccessful"}

    def __init__(
        self,
        zone: str = "023e105f4ecef8ad9ca31a8372d0c353",
        token: str = "cloudflare-token",
        plan: str = "free",
        clock: Clock | None = None,
    ) -> None:
        super().__init__(clock)
        self.zone = zone
        self.token = token
        self.plan = PLANS[plan]
        self.requests = Bucket(self.clock, self.plan.bucket, self.plan.requests_a_second)
        self.urls = Bucket(self.clock, self.plan.urls_a_second, self.plan.urls_a_second)

    def tags(self, value: str) -> frozenset[str]:
        """Case and white space make no difference. What is over 16 KB is lost."""
        first = value.encode()[: HEADER_BYTES + 1]
        if len(first) > HEADER_BYTES:
            first = first[: first.rfind(b",") + 1]
        return frozenset(filter(None, ("".join(tag.split()).lower() for tag in first.decode().split(","))))

    def refuse(self, status: int) -> Answer:
        return self._limited(60) if status == 429 else self._error(status, 10_000 + status, "Internal error")

    def fault(self, kind: Kind) -> Answer:
        if kind == "unsuccessful":
            return self._error(200, 1134, "Unable to purge")
        return super().fault(kind)

    def answer(self, call: Call) -> Answer:
        authorization = call.headers["Authorization"]
        if authorization is None:
            return self._error(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
        if authorization != f"Bearer {self.token}":
            return self._error(403, 10000, "Authentication error")
        if call.method != "POST":
            return self._error(405, 10405, "Method not allowed for this authentication scheme")
        if call.path != f"/client/v4/zones/{self.zone}/purge_cache":
            return self._error(404, 7003, f"Could not route to {call.path}, perhaps your object identifier is invalid?")
        match call.json():
            case {"tags": list(tags), **others} if tags and not others:
                return self._purge_tags(tags)
            case {"files": list(files), **others} if files and not others:
                return self._purge_urls(files)
            case {"purge_everything": True, **others} if not others:
                if wait := self.requests.take():
                    return self._limited(wait)
                self.drop(lambda url, page: True)
                return self._success()
        return self._error(400, 1012, 'Request must contain one of "purge_everything", "files" or "tags"')

    def _purge_tags(self, tags: list[Any]) -> Answer:
        if len(tags) > TAGS_A_REQUEST:
            return self._error(400, 1094, f"More than {TAGS_A_REQUEST} tags in a request")
        if not all(isinstance(tag, str) and self._is_tag(tag) for tag in tags):
            return self._error(400, 1093, "Invalid tag")
        if wait := self.requests.take():
            return self._limited(wait)
        purged = {tag.lower() for tag in tags}
        self.drop(lambda url, page: not page.tags.isdisjoint(purged))
        return self._success()

    def _is_tag(self, tag: str) -> bool:
        return 0 < len(tag) <= TAG_CHARACTERS and tag.isascii() and tag.isprintable() and not set(" ,") & set(tag)

    def _purge_urls(self, files: list[Any]) -> Answer:
        """A file is a URL, or a URL with headers of the request."""
        named = [file.get("url") if isinstance(file, dict) else file for file in files]
        urls = [parse_url(url) if isinstance(url, str) else None for url in named]
        if len(urls) > self.plan.urls_a_request:
            return self._error(400, 1094, f"More than {self.plan.urls_a_request} files in a request")
        if None in urls:
            return self._error(400, 1016, "Invalid URL")
        if wait := self.urls.take(len(urls)):
            return self._limited(wait)
        self.drop(lambda url, page: url in urls)
        return self._success()

    def _success(self) -> Answer:
        return as_json(200, {"success": True, "errors": [], "messages": [], "result": {"id": self.zone}})

    def _error(self, status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
        errors = [{"code": code, "message": message}]
        return as_json(status, {"success": False, "errors": errors, "messages": [], "result": None}, headers)

    def _limited(self, wait: float) -> Answer:
        message = "Please wait and consider throttling your request speed"
        return self._error(429, 971, message, {"Retry-After": str(math.ceil(wait))})
