"""bunny.net: purges by tag, by URL, and of a whole pull zone.

https://docs.bunny.net/cdn/purge-cache
https://docs.bunny.net/api-reference/core/purge/purge-url
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from test.cdns.base import Answer, Call, Cdn, Page, Url, as_json, parse_url
from test.cdns.clock import Bucket, Clock

HEADER_BYTES = 1024


class Bunny(Cdn):
    """The value of CDN-Tag is one tag, commas and all, and is cut off after 1,024 bytes; a purge may have wildcards.

    The documents do not say so; those who tried do. ``~a~b~`` is purged by ``*~a~*``.

    Nor do they say which limit is that of tags: here those with wildcards, and everything, have the stricter one.
    """

    tag_header = "CDN-Tag"

    def __init__(self, zone: int = 4711, key: str = "bunny-key", clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.zone = zone
        self.key = key
        self.exact = Bucket(self.clock, 120, 5)
        self.prefix = Bucket(self.clock, 20, 0.5)

    def tags(self, value: str) -> frozenset[str]:
        tag = value.encode()[:HEADER_BYTES].decode(errors="ignore")
        return frozenset([tag] if tag else [])

    def refuse(self, status: int) -> Answer:
        return self._limited(60) if status == 429 else self._error(status, "server.error", "", "Internal error")

    def answer(self, call: Call) -> Answer:
        if call.headers["AccessKey"] != self.key:
            return self._error(401, "unauthorized", "", "Authorization has been denied for this request.")
        if call.method != "POST":
            return self._error(405, "method_not_allowed", "", "The requested resource does not support the method.")
        if call.path == "/purge":
            return self._purge_url(call)
        if call.path == f"/pullzone/{self.zone}/purgeCache":
            return self._purge_zone(call)
        return self._error(404, "pullZone.not_found", "PullZone", "The requested Pull Zone was not found")

    def _purge_zone(self, call: Call) -> Answer:
        content = call.json() if call.body else {}
        if not isinstance(content, dict) or not content.keys() <= {"CacheTag"}:
            return self._error(400, "validation", "", "The request did not pass validation")
        tag = content.get("CacheTag")
        if tag is not None and not isinstance(tag, str):
            return self._error(400, "validation", "CacheTag", "The request did not pass validation")
        if not tag:  # as in the dashboard
            return self._purge(self.prefix, 204, lambda url, page: True)
        bucket = self.prefix if "*" in tag else self.exact
        return self._purge(bucket, 204, lambda url, page: any(_matches(tag, one) for one in page.tags))

    def _purge_url(self, call: Call) -> Answer:
        named = call.query.get("url", [])
        url = parse_url(named[0]) if len(named) == 1 else None
        if url is None:
            return self._error(400, "validation", "url", "The URL is invalid")
        pattern = url.target
        if url.path.endswith("/") and not url.query and call.query.get("exactPath") != ["true"]:
            pattern += "*"
        bucket = self.prefix if "*" in pattern else self.exact
        return self._purge(bucket, 200, lambda its, page: its.host == url.host and _matches(pattern, its.target))

    def _purge(self, bucket: Bucket, status: int, condemned: Callable[[Url, Page], bool]) -> Answer:
        if wait := bucket.take():
            return self._limited(wait)
        self.drop(condemned)
        return Answer(status)

    def _error(self, status: int, key: str, field: str, message: str) -> Answer:
        return as_json(status, {"ErrorKey": key, "Field": field, "Message": message})

    def _limited(self, wait: float) -> Answer:
        return Answer(429, b"", {"Retry-After": str(math.ceil(wait))})


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None
