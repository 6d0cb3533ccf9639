"""Cloudflare, purged by cache tags: https://developers.cloudflare.com/cache/how-to/purge-cache/purge-by-tags/."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from dumper.upstreams import options
from dumper.upstreams.base import Upstream
from dumper.upstreams.cdn import Cdn, confirmed


class Cloudflare(Cdn):
    """A zone. It does not go by Vary, so that pages which vary in more than their coding are not kept there."""

    API = "https://api.cloudflare.com"
    batch: ClassVar[int] = 100
    most: ClassVar[int] = 500
    OPTIONS: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        **Upstream.OPTIONS,
        "zone": options.text,
        "token": options.secret,
    }
    REQUIRED: ClassVar[Sequence[str]] = ("zone", "token")
    tag_header: str | None = "Cache-Tag"
    tag_bytes = 16_000
    control = "Cloudflare-CDN-Cache-Control"
    vary = frozenset({"accept-encoding"})
    zone: str
    token: str

    def credentials(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def purge_keys(self, keys: Sequence[str]) -> None:
        target = f"/client/v4/zones/{quote(self.zone, safe='')}/purge_cache"
        answer = self.ask(target, content={"tags": list(keys)})
        confirmed(self.client, answer, lambda said: said.get("success") is True)
