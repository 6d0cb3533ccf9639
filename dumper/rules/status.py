"""What was decided about a request, for the Cache-Status field (RFC 9211), the log and the tests."""

from __future__ import annotations

import math
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
    #: seconds that the response stays fresh, less than 0 where it is stale; None is forever
    ttl: float | None = None
    #: the status that the view has answered with, where something else was served
    status: int | None = None
    #: whether it was answered with what another request was given meanwhile; None where it did not wait for one
    collapsed: bool | None = None

    @property
    def hit(self) -> bool:
        return self.forwarded is None

    @property
    def served(self) -> bool:
        """Whether it was answered with what is stored, by now or before."""
        return self.hit or bool(self.collapsed) or self.status is not None

    @property
    def stale(self) -> bool:
        """Whether it was answered with what is not fresh any more."""
        return self.served and self.ttl is not None and self.ttl <= 0

    def __str__(self) -> str:
        """As a member of a Cache-Status field, such as ``dumper; fwd=uri-miss; stored``."""
        parts = ["dumper", "hit" if self.hit else f"fwd={self.forwarded}"]
        if self.status is not None:
            parts.append(f"fwd-status={self.status}")
        if self.collapsed is not None:
            parts.append("collapsed" if self.collapsed else "collapsed=?0")
        if self.stored:
            parts.append("stored")
        if self.ttl is not None:
            parts.append(f"ttl={math.floor(self.ttl)}")
        if self.detail:
            parts.append(f"detail={quoted(self.detail)}")
        return "; ".join(parts)

    def explained(self, key: str, tags: Iterable[str]) -> str:
        """The same, with the key and the tags, which are none of a visitor's business."""
        return f"{self}; key={quoted(key)}; tags={quoted(quote(', '.join(tags), safe=' ,/:'))}"


def quoted(text: str) -> str:
    """``text`` as a string of RFC 8941 §3.3.3, which is printable ASCII."""
    return '"{}"'.format(re.sub(r'(["\\])', r"\\\1", re.sub(r"[^ -~]", "?", text)))
