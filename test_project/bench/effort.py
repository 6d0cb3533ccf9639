"""How long it may take."""

from __future__ import annotations

from typing import NamedTuple


class Effort(NamedTuple):
    #: in process
    rounds: int
    seconds: float
    #: that are stored to be invalidated
    pages: int
    #: behind servers
    server_rounds: int
    server_seconds: int
    #: in the crowd
    visitors: int


FULL = Effort(rounds=9, seconds=0.05, pages=10_000, server_rounds=3, server_seconds=2, visitors=200)
QUICK = Effort(rounds=3, seconds=0.01, pages=500, server_rounds=1, server_seconds=1, visitors=50)
