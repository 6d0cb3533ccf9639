"""Fastly, purged by surrogate keys: https://www.fastly.com/documentation/reference/api/purging/."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from dumper.converters import flag
from dumper.upstreams import options
from dumper.upstreams.base import Upstream
from dumper.upstreams.cdn import Cdn, confirmed


class Fastly(Cdn):
    """A service of Fastly's; ``soft`` purges mark pages stale instead of dropping them."""

    API = "https://api.fastly.com"
    can = frozenset({"tag", "soft", "clear"})
    batch: ClassVar[int] = 256
    OPTIONS: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        **Upstream.OPTIONS,
        "service": options.text,
        "token": options.secret,
        "soft": flag,
    }
    REQUIRED: ClassVar[Sequence[str]] = ("service", "token")
    tag_header: str | None = "Surrogate-Key"
    tag_bytes = 16_384
    control = "Surrogate-Control"
    service: str
    token: str
    soft = False

    def credentials(self) -> Mapping[str, str]:
        return {"Fastly-Key": self.token}

    def purge_keys(self, keys: Sequence[str]) -> None:
        fields = {"Surrogate-Key": " ".join(keys), **({"Fastly-Soft-Purge": "1"} if self.soft else {})}
        answer = self.ask(f"/service/{quote(self.service, safe='')}/purge", fields)
        confirmed(self.client, answer, lambda said: said.keys() >= set(keys))
