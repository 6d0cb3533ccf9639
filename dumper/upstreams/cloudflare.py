"""Cloudflare, purged by cache tags: https://developers.cloudflare.com/cache/how-to/purge-cache/purge-by-tags/."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import quote

from dumper.upstreams.cdn import Zone, confirmed


class Cloudflare(Zone):
    """A zone of Cloudflare's."""

    API = "https://api.cloudflare.com"
    batch: ClassVar[int] = 100
    most: ClassVar[int] = 500
    tag_header: str | None = "Cache-Tag"
    tag_bytes = 16_000
    control = "Cloudflare-CDN-Cache-Control"

    def credentials(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def purge_keys(self, keys: Sequence[str]) -> None:
        target = f"/client/v4/zones/{quote(self.zone, safe='')}/purge_cache"
        answer = self.ask(target, content={"tags": list(keys)})
        confirmed(self.client, answer, lambda said: said.get("success") is True)
