"""What was decided about a request, for the Cache-Status field (RFC 9211), the log and the tests."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote


@dataclass(slots=True)
class Decision:
    """The trace of one request. ``forwarded`` is a reason of RFC 9211 §2.2, or None for a hit."""

    forwarded: str | None = "bypass"
    #: in words: why it was forwarded or not stored
    detail: str | None = None
    stored: bool = False
    #: seconds that the response stays fresh; None is forever
    ttl: float | None = None

    @property
    def hit(self) -> bool:
        return self.forwarded is None

    def __str__(self) -> str:
        """As a member of a Cache-Status field, such as ``dumper; fwd=uri-miss; stored``."""
        parts = ["dumper", "hit" if self.hit else f"fwd={self.forwarded}"]
        if self.stored:
            parts.append("stored")
        if self.ttl is not None:
            parts.append(f"ttl={int(self.ttl)}")
        if self.detail:
            parts.append(f"detail={quoted(self.detail)}")
        return "; ".join(parts)

    def explained(self, key: str, tags: Iterable[str]) -> str:
        """The same, with the key and the tags, which are none of a visitor's business."""
        return f"{self}; key={quoted(key)}; tags={quoted(quote(', '.join(tags), safe=' ,/:'))}"


def quoted(text: str) -> str:
    """``text`` as a string of RFC 8941 §3.3.3, which is printable ASCII."""
    return '"{}"'.format(re.sub(r'(["\\])', r"\\\1", re.sub(r"[^ -~]", "?", text)))
