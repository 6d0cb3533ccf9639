"""Bunny, purged by cache tags: https://docs.bunny.net/reference/pullzonepublic_purgecachepostbytag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import quote

from dumper.upstreams.cdn import Zone, unconfirmed


class Bunny(Zone):
    """A pull zone of Bunny's; each purge names one key."""

    API = "https://api.bunny.net"
    most: ClassVar[int] = 10
    tag_header: str | None = "CDN-Tag"
    tag_bytes = 1024
    control = "Cache-Control"

    def credentials(self) -> Mapping[str, str]:
        return {"AccessKey": self.token}

    def purge_keys(self, keys: Sequence[str]) -> None:
        for key in keys:
            answer = self.ask(f"/pullzone/{quote(self.zone, safe='')}/purgeCache", content={"CacheTag": f"*~{key}~*"})
            if answer.body.strip():  # it says nothing more; a proxy on the way might
                raise unconfirmed(self.client, answer)
