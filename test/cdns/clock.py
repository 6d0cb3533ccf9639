"""Time that passes only when a test says so."""

from __future__ import annotations

import time

#: What rounding may take from a token: the seconds since 1970 leave a float 7 digits.
CRUMB = 1e-5


class Clock:
    """It starts at the real time, since vendors answer with dates, and stands still."""

    def __init__(self) -> None:
        self._now = float(int(time.time()))

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("time does not go back")
        self._now += seconds


class Bucket:
    """A token bucket: full at first, and refilled steadily."""

    def __init__(self, clock: Clock, capacity: float, per_second: float) -> None:
        self.clock = clock
        self.capacity = capacity
        self.per_second = per_second
        self._tokens = capacity
        self._counted = clock.now()

    @property
    def tokens(self) -> float:
        now = self.clock.now()
        self._tokens = min(self.capacity, self._tokens + (now - self._counted) * self.per_second)
        self._counted = now
        return self._tokens

    def take(self, tokens: int = 1) -> float:
        """Take them all, or none; the seconds until there will be enough, which are 0 if they were taken."""
        lacking = tokens - self.tokens
        if lacking > CRUMB:
            return lacking / self.per_second
        self._tokens = max(0.0, -lacking)
        return 0.0
