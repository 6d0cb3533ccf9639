"""Varnish, told by keys (the xkey module, or bans) or by URL. The VCL that belongs to it is in docs/upstreams."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from dumper.converters import flag
from dumper.upstreams import options
from dumper.upstreams.base import Config, Upstream, Url
from dumper.upstreams.http import HttpUpstream
from dumper.upstreams.options import Misconfigured


def _method(value: Any) -> str:
    if value not in ("xkey", "ban", "purge"):
        raise ValueError("'xkey', 'ban' or 'purge'")
    return str(value)


class Varnish(HttpUpstream):
    """By ``method``: ``xkey`` (the default) takes that module; ``ban`` takes none; ``purge`` goes URL by URL."""

    can = frozenset({"url", "tag", "ban", "soft", "clear"})
    #: a field may have 8 kB (http_req_hdr_len); a ban's expression is matched against all that is kept
    batch: ClassVar[int] = 200
    OPTIONS: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        **Upstream.OPTIONS,
        "method": _method,
        "soft": flag,
        "tag_header": options.field_name,
    }
    tag_header: str | None = "xkey"
    #: http_resp_hdr_len is 8 kB, for the name as well
    tag_bytes = 8000
    control = "Surrogate-Control"
    method = "xkey"
    #: whether what is purged may be served once more while it is fetched anew
    soft = False

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        if self.soft and self.method != "xkey":
            raise Misconfigured("has soft purges only with the method 'xkey'")
        if self.method == "purge":
            self.tag_header = None
            self.can = frozenset({"url"})

    def purge_keys(self, keys: Sequence[str]) -> None:
        if self.method == "ban":
            # Keys are hexadecimal digits: nothing in them can mean anything else in a ban's regular expression.
            self.tell("BANKEYS", "/", {"x-ban-keys": "|".join(keys)})
        else:
            self.tell("PURGEKEYS", "/", {"xkey-softpurge" if self.soft else "xkey-purge": " ".join(keys)})

    def purge_urls(self, urls: Sequence[Url], reference: str) -> None:
        for host, target in urls:
            self.tell("PURGE", target, {"Host": host})
