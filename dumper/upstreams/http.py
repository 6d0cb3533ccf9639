"""Caches that are told by a PURGE of each URL: Squid, nginx with its module, Apache Traffic Server and others."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar
from urllib.parse import urlsplit

from dumper.upstreams.base import Config, Upstream, UpstreamError, Url
from dumper.upstreams.client import Answer, Client
from dumper.upstreams.options import Misconfigured

_SECRET = " (is the secret in HEADERS or OPTIONS right?)"
#: What is most likely wrong.
HINTS = {401: _SECRET, 403: _SECRET, 405: " (is LOCATION where it takes purges, and is it set up for this backend?)"}


class HttpUpstream(Upstream):
    """What all have in common that are spoken to over HTTP: one connection to each LOCATION."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        if not config.locations:
            raise Misconfigured("needs a LOCATION")
        self.clients = [Client(location, config.timeout, config.headers) for location in config.locations]

    def close(self) -> None:
        for client in self.clients:
            client.close()

    def tell(self, method: str, target: str, headers: dict[str, str], fine: Collection[int] = ()) -> None:
        """Ask each LOCATION. Raises UpstreamError unless all answer with 2xx, or a status that is ``fine`` as well."""
        for client in self.clients:
            answer = client.send(method, target, headers)
            if not (200 <= answer.status < 300 or answer.status in fine):
                raise refused(client, answer)
            if "dumper" in answer.headers.get("cache-status", ""):
                raise UpstreamError(f"{client.location} has let {method} through to Django")


def refused(client: Client, answer: Answer) -> UpstreamError:
    """What is raised for ``answer``, with the time it asks for."""
    said = " ".join(re.sub(r"<[^>]*>", " ", answer.body.decode(errors="replace")).split())[:200]
    hint = HINTS.get(answer.status, "")
    text = f"{client.location} answered {answer.status}{hint}" + (f": {said}" if said else "")
    return UpstreamError(text, wait_of(answer.headers))


def wait_of(fields: Mapping[str, str]) -> float:
    """Seconds until the next attempt, by Retry-After (RFC 9110 §10.2.3) or the time at which Fastly's limit ends."""
    if (seconds := fields.get("retry-after", "").strip()).isdecimal():
        return float(seconds)
    if (moment := fields.get("fastly-ratelimit-reset", "").strip()).isdecimal():
        return max(0.0, float(moment) - time.time())
    return 0.0


class Http(HttpUpstream):
    """PURGE with the public Host, for one URL after another.

    404 and 412 mean that there was nothing. Where a purge drops no variants (Squid, nginx), name none in ``vary``.
    """

    can = frozenset({"url"})
    batch: ClassVar[int] = 100
    vary = frozenset[str]()

    @property
    def hosts(self) -> Sequence[str]:
        """With those of the locations themselves, where no other is known."""
        return super().hosts or [urlsplit(location).netloc for location in self.config.locations]

    def purge_urls(self, urls: Sequence[Url], reference: str) -> None:
        for host, target in urls:
            self.tell("PURGE", target, {"Host": host}, fine=(404, 412))
