"""Bunny, purged by cache tags: https://docs.bunny.net/reference/pullzonepublic_purgecachepostbytag."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from dumper.upstreams import options
from dumper.upstreams.base import Upstream
from dumper.upstreams.cdn import Cdn, unconfirmed


class Bunny(Cdn):
    """A pull zone of Bunny's; each purge names one key. It does not go by Vary, unless a zone is told to."""

    API = "https://api.bunny.net"
    most: ClassVar[int] = 10
    OPTIONS: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        **Upstream.OPTIONS,
        "zone": options.text,
        "token": options.secret,
    }
    REQUIRED: ClassVar[Sequence[str]] = ("zone", "token")
    tag_header: str | None = "CDN-Tag"
    tag_bytes = 1024
    control = "Cache-Control"
    vary = frozenset({"accept-encoding"})
    zone: str
    token: str

    def credentials(self) -> Mapping[str, str]:
        return {"AccessKey": self.token}

    def purge_keys(self, keys: Sequence[str]) -> None:
        for key in keys:
            answer = self.ask(f"/pullzone/{quote(self.zone, safe='')}/purgeCache", content={"CacheTag": f"*~{key}~*"})
            if answer.body.strip():  # it says nothing more; a proxy on the way might
                raise unconfirmed(self.client, answer)
