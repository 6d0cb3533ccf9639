"""Delivering the rows of the outbox: leased, tried, and deleted only when the upstream has confirmed it.

A row is leased by a conditional UPDATE of ``due_at``, which works on every database: whoever moves it on has it until
then. A process that is killed leaves its rows to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connections
from django.db.models import F, QuerySet
from django.utils import timezone

from dumper import upstreams
from dumper.conf import settings
from dumper.outbox.models import STORE, Delivery, dead, living, tags_of
from dumper.outbox.records import apart, has_outbox
from dumper.rules.keys import digest
from dumper.stores.entries import token
from dumper.upstreams.base import Impossible
from dumper.upstreams.courier import Courier
from dumper.upstreams.dispatch import courier

#: Rows that are delivered together, at most.
BATCH = 100
#: Seconds until a row is looked at again whose upstream this process does not know: others may, or newer ones will.
UNKNOWN_DELAY = 60.0
#: How long dead rows are kept.
DEAD_DAYS = 30


def deliver_to(courier: Courier) -> float | None:
    """A mailbox: deliver all that is due; return in how many seconds to look again, None if nothing is left."""
    delays = [deliver_from(alias, courier) for alias in connections]
    return min((delay for delay in delays if delay is not None), default=None)


def deliver_from(alias: str, courier: Courier) -> float | None:
    """The same for one database."""
    with apart(alias):
        if not has_outbox(alias):
            return None
        while not courier.delay and (batch := lease(alias, courier)):
            batch.deliver()
        first = living(alias).filter(target=courier.name).order_by("due_at").values_list("due_at", flat=True).first()
        return None if first is None else max(0.0, (first - timezone.now()).total_seconds())
    return settings().retry_delay


def deliver_all() -> int:
    """Deliver to every upstream what is due, one after another; return how many rows were tried."""
    tried = 0
    for alias in connections:
        with apart(alias):
            for target in due_targets(alias):
                while batch := lease(alias, courier(target)):
                    tried += batch.deliver()
                    if courier(target).delay:
                        break
    return tried


def wake_due() -> None:
    """Wake the couriers of whatever is due."""
    for alias in connections:
        with apart(alias):
            for target in due_targets(alias):
                courier(target).wake()


def due_targets(alias: str) -> list[str]:
    """Who has to be told, also upstreams that are configured no more."""
    if not has_outbox(alias):
        return []
    due = living(alias).filter(due_at__lte=timezone.now()).order_by()
    return list(due.values_list("target", flat=True).distinct())


def lease(alias: str, courier: Courier) -> Batch | None:
    """The oldest rows that are due, which nobody else delivers for a while; None if there are none."""
    now = timezone.now()
    due = living(alias).filter(target=courier.name, due_at__lte=now)
    keys = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[: min(BATCH, courier.stride)])
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
        if not upstreams.is_known(self.courier.name):
            self._postpone(f"there is no upstream {self.courier.name!r}", UNKNOWN_DELAY)
            return len(self.rows)
        began = timezone.now()
        tags = tags_of(self.rows)
        # A key alone may come again: in another database, or when this one is restored.
        reference = digest(self.alias, *(f"{row.pk}:{row.created_at}:{row.done}" for row in self.rows))
        try:
            error = self.courier.tell(tags, reference)
        except Impossible as impossible:
            if len(self.rows) > 1:  # one of them may spoil the others
                return sum(Batch(self.alias, self.courier, [row]).deliver() for row in self.rows)
            self._bury(self.rows, str(impossible))
        else:
            if error:
                self._postpone(error, self.courier.delay)
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
        groups: dict[tuple[int, int], list[int]] = {}
        for row in self.rows:
            age = (began - row.created_at).total_seconds()
            step = next((step for step in range(row.done, len(delays)) if delays[step] > age), len(delays))
            groups.setdefault((row.done, step), []).append(row.pk)
        for (done, step), keys in groups.items():
            # Whoever has them by now: they are delivered, even where that took longer than the lease.
            rows = Delivery.objects.using(self.alias).filter(pk__in=keys, done=done)
            if step == len(delays):
                rows.delete()
            else:
                due_at = F("created_at") + timedelta(seconds=delays[step])
                rows.update(done=step + 1, due_at=due_at, owner="", attempts=0, error="", is_dead=False)

    def _postpone(self, error: str, delay: float) -> None:
        """They were not delivered: later once more, but not forever; the store is withheld until it is told."""
        now = timezone.now()
        patience = timedelta.max if self.courier.name == STORE else timedelta(seconds=settings().give_up_after)
        young = [row for row in self.rows if now - row.created_at <= patience]
        due_at = now + timedelta(seconds=delay)
        self._own(young).update(due_at=due_at, owner="", attempts=F("attempts") + 1, error=error)
        if old := [row for row in self.rows if now - row.created_at > patience]:
            self._bury(old, error)

    def _bury(self, rows: Sequence[Delivery], error: str) -> None:
        """Nobody tries any more; somebody has to look."""
        if self._own(rows).update(is_dead=True, owner="", attempts=F("attempts") + 1, error=error):
            self.courier.give_up(tags_of(rows), error)
        forgotten = timezone.now() - timedelta(days=DEAD_DAYS)
        dead(self.alias).filter(created_at__lt=forgotten).delete()
