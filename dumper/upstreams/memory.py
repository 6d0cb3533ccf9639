"""The purges that one upstream is still to be told of, kept in this process alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest

from dumper.rules.keys import digest
from dumper.rules.tags import SITE, Tag
from dumper.stores.entries import token

#: As many may wait, so that memory stays bounded.
MOST_TAGS = 50_000


@dataclass(frozen=True, slots=True)
class Visit:
    """One tag that is to be purged: times are seconds of ``time.monotonic()``."""

    #: of the change; unlike any other's, also in another process or at another time
    name: str
    since: float
    due: float
    #: how often it has been purged already
    done: int = 0


class Memory:
    """Tags by when they are due; each once, however often it is put."""

    def __init__(self) -> None:
        self._visits: dict[Tag, Visit] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._visits)

    def put(self, tags: Collection[Tag], can_be_cleared: bool = True) -> list[Tag]:
        """``tags`` are due now; return what is dropped because there is no room for it.

        Where the upstream can be cleared, nothing is: the whole site stands for all.
        """
        now = time.monotonic()
        with self._lock:
            if can_be_cleared and len(self._visits) + len(tags) > MOST_TAGS:
                tags = {SITE}
                self._visits.clear()
            self._visits |= dict.fromkeys(tags, Visit(token(), now, now))
            excess = len(self._visits) - MOST_TAGS
            # A tenth more than has to be: so that it does not happen, and is not said, again and again.
            dropped = list(self._visits)[: excess + MOST_TAGS // 10] if excess > 0 else []
            for tag in dropped:
                del self._visits[tag]
        return dropped

    def due(self, is_last_chance: bool, most: int = MOST_TAGS) -> dict[Tag, Visit]:
        """What is to be purged now, the oldest first; where there is no later, that is all."""
        now = time.monotonic()
        with self._lock:
            found = [(tag, visit) for tag, visit in self._visits.items() if is_last_chance or visit.due <= now]
        return dict(nsmallest(most, found, key=lambda item: item[1].due))

    def done(self, visits: dict[Tag, Visit], began: float, again_after: Sequence[float]) -> None:
        """``visits`` are purged; they come again, for what was being fetched when the change was made."""

        def following(visit: Visit) -> Visit | None:
            later = [delay for delay in again_after[visit.done :] if visit.since + delay > began]
            if not later:
                return None
            return replace(visit, done=len(again_after) - len(later) + 1, due=visit.since + later[0])

        self._replace(visits, following)

    def failed(self, visits: dict[Tag, Visit], delay: float, give_up_after: float) -> list[Tag]:
        """``visits`` are due again after ``delay``, but for those that are too old, which are returned."""
        now = time.monotonic()
        old = {tag: visit for tag, visit in visits.items() if now - visit.since > give_up_after}
        self.drop(old)
        self._replace(visits, lambda visit: replace(visit, due=now + delay))
        return list(old)

    def drop(self, visits: dict[Tag, Visit]) -> None:
        """``visits`` are given up on."""
        self._replace(visits, lambda visit: None)

    def _replace(self, visits: dict[Tag, Visit], following: Callable[[Visit], Visit | None]) -> None:
        with self._lock:
            for tag, visit in visits.items():
                if self._visits.get(tag) is not visit:
                    continue  # it was put once more meanwhile
                if (after := following(visit)) is None:
                    del self._visits[tag]
                else:
                    self._visits[tag] = after

    def next_due(self) -> float | None:
        """In how many seconds the next is due; None where nothing waits."""
        with self._lock:
            first = min((visit.due for visit in self._visits.values()), default=None)
        return None if first is None else max(0.0, first - time.monotonic())

    def undone(self) -> list[Tag]:
        """What has not been purged at all."""
        with self._lock:
            return [tag for tag, visit in self._visits.items() if not visit.done]


def reference_of(visits: dict[Tag, Visit]) -> str:
    """What stands for this very purge, whenever it is tried."""
    return digest(*sorted(f"{visit.name}:{visit.done}:{tag}" for tag, visit in visits.items()))
