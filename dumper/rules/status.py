"""What was decided about a request, for the Cache-Status field (RFC 9211), the log and the tests."""

from __future__ import annotations

import re
from dataclasses import dataclass


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
            text = re.sub(r"[^ -~]", "?", self.detail)  # RFC 8941 §3.3.3: printable ASCII
            parts.append('detail="{}"'.format(re.sub(r'(["\\])', r"\\\1", text)))
        return "; ".join(parts)
