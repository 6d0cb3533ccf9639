"""The rules of the protocol, each turned off: what dumper's own names are replaced with.

Some rules secure the same thing twice: a hold gives a fresh generation, and so does a release; what was leased under a
hold is not stored, and would not be served. Such rules are turned off together.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from dumper.exchange import Exchange
from dumper.steps import Call, Steps
from dumper.stores.entries import Entry, Hold
from dumper.stores.locmem import LocMemStore
from dumper.transactions import Transaction
from test.races.actors import pause

ENTRY = "dumper.stores.entries.Entry."
EXCHANGE = "dumper.exchange.Exchange."
_settle = Exchange.settle


def settle_with_new_leases(self: Exchange, response: Any) -> Steps[Any]:
    self._leases = yield Call("lease", (self.request.tags,))
    return (yield from _settle(self, response))


def release_before_commit(self: Transaction) -> None:
    from dumper.backlog import release

    release(self.tags)
    self.tags.clear()


def change_in_two_steps(self: LocMemStore, tags: Any, changed: Any) -> None:
    before = self.entries(tags)
    pause("between")
    self.put({tag: changed(entry or Entry()) for tag, entry in before.items()})


def no_lock(self: LocMemStore) -> AbstractContextManager[Any]:
    return nullcontext()


def held_alone(self: Entry, hold: Hold, now: float) -> Entry:
    return Entry(holds={hold.holder: hold.deadline})


def held_as_it_was(self: Entry, hold: Hold, now: float) -> Entry:
    return Entry(self.generation, {**self.holds, hold.holder: hold.deadline})


def released_as_it_was(self: Entry, holder: str, now: float) -> Entry:
    return Entry(self.generation, {other: at for other, at in self.holds.items() if other != holder})


def released_for_all(self: Entry, holder: str, now: float) -> Entry:
    return Entry()


def nothing(*args: Any, **kwargs: Any) -> None:
    return None


def is_same(self: Entry, generation: str | None) -> bool:
    return self.generation == generation


def is_overdue(self: Entry, now: float) -> bool:
    return bool(self.holds)


def settled_at_once(self: Entry, now: float) -> Entry:
    return Entry()


MUTANTS: dict[str, dict[str, Any]] = {
    "1: generations are not compared": {"dumper.stores.leases.untrue": nothing},
    "1 and 3: holds are overlooked": {ENTRY + "admits": is_same, "dumper.settlement.held": nothing},
    "2: leased after rendering": {EXCHANGE + "settle": settle_with_new_leases},
    "5: not held before the commit": {"dumper.transactions.hold": nothing},
    "5 and 6: released before the commit": {"dumper.transactions.Transaction.prepare": release_before_commit},
    "6: a release lifts the holds of others": {ENTRY + "released": released_for_all},
    "6 and 10: no fresh generation": {ENTRY + "held": held_as_it_was, ENTRY + "released": released_as_it_was},
    "8: holds lapse while the change is open": {
        ENTRY + "is_overdue": is_overdue,
        ENTRY + "settled": settled_at_once,
    },
    "9: one hold at a time": {ENTRY + "held": held_alone},
    "9: changes are not atomic": {
        "dumper.stores.locmem.LocMemStore.change": change_in_two_steps,
        "dumper.stores.locmem.LocMemStore.lock": no_lock,
    },
}
