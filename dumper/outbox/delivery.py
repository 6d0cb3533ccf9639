"""Delivering the rows of the outbox: leased, tried, and deleted only when the upstream has confirmed it.

A row is leased by a conditional UPDATE of ``due_at``, which works on every database: whoever moves it on has it until
then. A process that is killed leaves its rows to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.utils import timezone

from dumper import upstreams
from dumper.conf import settings
from dumper.outbox.models import Delivery, dead, living, tags_of
from dumper.outbox.records import databases
from dumper.rules.keys import digest
from dumper.stores.entries import token
from dumper.upstreams.base import Impossible
from dumper.upstreams.courier import Courier
from dumper.upstreams.dispatch import courier

#: Rows that are delivered together.
BATCH = 100
#: How long dead rows are kept.
DEAD_DAYS = 30


def deliver_to(courier: Courier) -> float | None:
    """A mailbox: deliver all that is due; return in how many seconds to look again, None if nothing is left."""
    delays = []
    for alias in databases():
        while not courier.delay and (batch := lease(alias, courier)):
            batch.deliver()
        first = living(alias).filter(target=courier.name).order_by("due_at").values_list("due_at", flat=True).first()
        if first is not None:
            delays.append(max(0.0, (first - timezone.now()).total_seconds()))
    return min(delays, default=None)


def deliver_all() -> int:
    """Deliver to every upstream what is due, one after another; return how many rows were tried."""
    tried = 0
    for alias in databases():
        for target in due_targets(alias):
            while batch := lease(alias, courier(target)):
                tried += batch.deliver()
    return tried


def wake_due() -> None:
    """Wake the couriers of whatever is due."""
    for alias in databases():
        for target in due_targets(alias):
            courier(target).wake()


def due_targets(alias: str) -> list[str]:
    """Who has to be told, also upstreams that are configured no more."""
    due = living(alias).filter(due_at__lte=timezone.now()).order_by()
    return list(due.values_list("target", flat=True).distinct())


def lease(alias: str, courier: Courier) -> Batch | None:
    """The oldest rows that are due, which nobody else delivers for a while; None if there are none."""
    now = timezone.now()
    due = living(alias).filter(target=courier.name, due_at__lte=now)
    keys = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:BATCH])
    owner = token()
    if not keys or not due.filter(pk__in=keys).update(owner=owner, due_at=now + timedelta(seconds=courier.patience)):
        return None
    return Batch(alias, courier, list(Delivery.objects.using(alias).filter(pk__in=keys, owner=owner).order_by("pk")))


class Batch:
    """Rows that this process has leased, and the courier that is to deliver them."""

    def __init__(self, alias: str, courier: Courier, rows: Sequence[Delivery]) -> None:
        self.alias = alias
        self.courier = courier
        self.rows = rows

    def deliver(self) -> int:
        """Make one attempt; return for how many rows."""
        began = timezone.now()
        tags = tags_of(self.rows)
        reference = digest(self.alias, *(f"{row.pk}:{row.done}" for row in self.rows))
        try:
            error = self.courier.tell(tags, reference)
        except Impossible as impossible:
            if len(self.rows) > 1:  # one of them may spoil the others
                return sum(Batch(self.alias, self.courier, [row]).deliver() for row in self.rows)
            self._bury(self.rows, str(impossible))
        else:
            if error:
                self._postpone(error)
            else:
                self._confirm(began)
        return len(self.rows)

    def _own(self, rows: Sequence[Delivery]) -> QuerySet[Delivery]:
        """``rows``, but for those that somebody else has leased meanwhile."""
        keys = [row.pk for row in rows]
        return Delivery.objects.using(self.alias).filter(pk__in=keys, owner=self.rows[0].owner)

    def _confirm(self, began: datetime) -> None:
        """They are delivered: to come again for what was being fetched when the change was made, or to go."""
        delays = upstreams.find(self.courier.name).again_after
        groups: dict[int, list[Delivery]] = {}
        for row in self.rows:
            age = (began - row.created_at).total_seconds()
            step = next((step for step in range(row.done, len(delays)) if delays[step] > age), len(delays))
            groups.setdefault(step, []).append(row)
        for step, rows in groups.items():
            if step == len(delays):
                self._own(rows).delete()
            else:
                due_at = F("created_at") + timedelta(seconds=delays[step])
                self._own(rows).update(done=step + 1, due_at=due_at, owner="", attempts=0, error="")

    def _postpone(self, error: str) -> None:
        """They were not delivered: later once more, but not forever."""
        oldest = timezone.now() - timedelta(seconds=settings().give_up_after)
        due_at = timezone.now() + timedelta(seconds=self.courier.delay)
        young = [row for row in self.rows if row.created_at >= oldest]
        self._own(young).update(due_at=due_at, owner="", attempts=F("attempts") + 1, error=error)
        if old := [row for row in self.rows if row.created_at < oldest]:
            self._bury(old, error)

    def _bury(self, rows: Sequence[Delivery], error: str) -> None:
        """Nobody tries any more; somebody has to look."""
        self._own(rows).update(is_dead=True, owner="", attempts=F("attempts") + 1, error=error)
        self.courier.give_up(tags_of(rows), error)
        forgotten = timezone.now() - timedelta(days=DEAD_DAYS)
        dead(self.alias).filter(created_at__lt=forgotten).delete()
