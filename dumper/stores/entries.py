"""The entry that a store keeps for a tag: its generation, and the holds on it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from typing import NamedTuple

# "1", the generation, then each hold as holder=deadline: ASCII, parted by single blanks, also read by Lua scripts.
_ENTRY = re.compile(rb"1 ([a-z0-9]+)((?: [a-z0-9]+=[0-9]+\.?[0-9]*)*)")


def token() -> str:
    """128 random bits, never used before. A letter comes first, lest a serializer take it for a number."""
    return "g" + os.urandom(16).hex()


class Hold(NamedTuple):
    """A change that may be committed at any moment: who makes it, and when (epoch seconds) it is given up on."""

    holder: str
    deadline: float


@dataclass(frozen=True, slots=True)
class Entry:
    """A tag's generation, and the deadline of each hold on it by its holder."""

    generation: str = field(default_factory=token)
    holds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: object) -> Entry | None:
        """The entry in ``data``; None where there is none, or garbage."""
        match = _ENTRY.fullmatch(data) if isinstance(data, bytes) else None
        if match is None:
            return None
        holds = (hold.split("=") for hold in match[2].decode().split())
        return cls(match[1].decode(), {holder: float(deadline) for holder, deadline in holds})

    def __bytes__(self) -> bytes:
        holds = "".join(f" {holder}={deadline:.3f}" for holder, deadline in self.holds.items())
        return f"1 {self.generation}{holds}".encode()

    def admits(self, generation: str | None) -> bool:
        """Whether a response that was rendered under ``generation`` is still true."""
        return not self.holds and self.generation == generation

    def is_overdue(self, now: float) -> bool:
        """Whether a hold's deadline has passed: nobody knows whether its change was committed."""
        return any(deadline <= now for deadline in self.holds.values())

    def settled(self, now: float) -> Entry:
        """Without the holds that are overdue; with a fresh generation if there were any."""
        if not self.is_overdue(now):
            return self
        return Entry(holds={holder: deadline for holder, deadline in self.holds.items() if deadline > now})

    def held(self, hold: Hold, now: float) -> Entry:
        """With ``hold``, and a fresh generation: whatever writes an entry never writes a generation that it read."""
        return Entry(holds={**self.settled(now).holds, hold.holder: hold.deadline})

    def released(self, holder: str, now: float) -> Entry:
        """With a fresh generation, without the hold of ``holder``; other holds stay."""
        holds = self.settled(now).holds
        return Entry(holds={other: deadline for other, deadline in holds.items() if other != holder})

    def withheld(self) -> Entry:
        """As this process alone sees it, while it knows of a change that the store has not been told of."""
        return replace(self, holds={**self.holds, "here": float("inf")})
