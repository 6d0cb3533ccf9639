"""What database transactions are about to change, from the first write until it is settled.

While a transaction is open, the tags that it touches are known to this process alone, which withholds them. When the
transaction is committed they are held in the store, the commit is made, and they are released: a handful of store
operations for any number of writes, and none for a rollback.

Django's ``TestCase`` never commits. There, what happens outside of the test's own atomic blocks takes effect at once,
and what happens inside of them when they end.
"""

from __future__ import annotations

import logging
import weakref
from collections import defaultdict
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from dumper import in_test, stores
from dumper.backlog import announce, hold, record, recorded, release
from dumper.database import MANUAL, is_of_testcase, outermost, watch
from dumper.rules.tags import SITE, Tag
from dumper.stores.entries import token
from dumper.stores.guard import withheld

logger = logging.getLogger("dumper.invalidation")

Row = Any  # as dumper.family has it
Ask = Callable[[Collection[Row]], set[Tag]]
Call = Callable[[], object]

_open: weakref.WeakKeyDictionary[BaseDatabaseWrapper, Transaction] = weakref.WeakKeyDictionary()


class Transaction:
    """The tags that one open database transaction has touched, and the rows whose new state will tell more."""

    def __init__(self, connection: BaseDatabaseWrapper, block: object) -> None:
        self.tags: set[Tag] = set()
        #: what is to be done once it is committed and the connection can be used again
        self.afterwards: list[Call] = []
        self.block = block
        self.is_test = any(map(is_of_testcase, connection.atomic_blocks))
        self.is_ending = False
        #: rows whose state before the transaction is known, and the savepoints inside which they were touched
        self._known: dict[Row, tuple[object, ...]] = {}
        self._unasked: dict[Row, Ask] = {}
        self._holder = token()
        self._held = False
        self._is_recorded = False
        self._using = connection.alias
        self._connection = weakref.ref(connection)
        withheld.add(self)
        # A connection that is dropped with its thread takes its transaction with it.
        self._forget = weakref.finalize(connection, withheld.remove, self)
        self._forget.atexit = False

    @property
    def is_over(self) -> bool:
        """Whether the database transaction has ended without a word to us."""
        connection = self._connection()
        return not self.is_ending and (connection is None or outermost(connection) is not self.block)

    def knows(self, row: Row) -> bool:
        """Whether the state of ``row`` before is known; a savepoint that is left may have given its lock back."""
        inside = self._known.get(row)
        return inside is not None and self._savepoints()[: len(inside)] == inside

    def touch(self, row: Row, ask: Ask) -> None:
        """The state of ``row`` before is known; ``ask`` for that after it right before the commit, with all others."""
        self._known[row] = self._savepoints()
        self._unasked[row] = ask

    def _savepoints(self) -> tuple[object, ...]:
        connection = self._connection()
        return tuple(connection.savepoint_ids) if connection else ()

    def prepare(self) -> None:
        """Hold the tags, so that the commit may come at any moment.

        Raises InvalidationError with DUMPER_STRICT, and what asking a row or recording the tags raises.
        """
        self.is_ending = True
        self._ask()
        seen: set[Tag] = set()
        while new := self.tags - seen:  # who records them may change more
            self._held = True  # even if there is no answer, it may have got through
            self._is_recorded = record(new, self._using, hold(new, self._holder)) and (self._is_recorded or not seen)
            seen |= new
            self._ask()

    def _ask(self) -> None:
        """Add the tags of the rows as they are now. Models' methods run, which may touch more rows."""
        while self._unasked and SITE not in self.tags:
            asks: defaultdict[Ask, list[Row]] = defaultdict(list)
            for row, ask in self._unasked.items():
                asks[ask].append(row)
            self._unasked = {}
            for ask, rows in asks.items():
                self.tags |= ask(rows)

    def conclude(self) -> None:
        """Release the tags after the commit, unless that has to wait until the connection can be used again."""
        if stores.current().in_database:
            self.afterwards.insert(0, self._release)
        elif self.tags and release(self.tags, self._holder, self._is_recorded):
            self.afterwards.insert(0, partial(announce, self.tags, self._is_recorded))
        self.discard()
        connection = self._connection()
        if connection is None or self.block is MANUAL:
            run(self.afterwards)
        else:
            _later.setdefault(connection, []).extend(self.afterwards)

    def _release(self) -> None:
        if self.tags and release(self.tags, self._holder, self._is_recorded):
            announce(self.tags, self._is_recorded)

    def roll_back(self) -> None:
        """Nothing has changed; only what had been held for a commit that failed is released."""
        self.discard()
        if self._held:
            release(self.tags, self._holder)

    def end(self) -> None:
        """It is over without a commit: in a test that counts as one, else the connection was lost."""
        connection = self._connection()
        self.is_ending = True
        if self.is_test:
            try:
                self._ask()
            except transaction.TransactionManagementError:  # the test cannot ask the database any more
                self.tags.add(SITE)
            finally:
                self.conclude()
            if connection:
                in_test.note(connection, self.tags)
                watcher.usable(connection)
        else:
            self.discard()

    def discard(self) -> None:
        """Forget the transaction. What it holds in the store stays held until the deadline."""
        connection = self._connection()
        if connection and _open.get(connection) is self:
            del _open[connection]
        self._forget()


def current(using: str) -> Transaction | None:
    """The transaction that is open on the database ``using`` in this thread; None in autocommit mode."""
    connection = connections[using]
    found = _open.get(connection)
    if found and found.is_over:
        found.end()
        found = None
    if found is None and (block := outermost(connection)) is not None:
        watch(connection, watcher)
        found = _open[connection] = Transaction(connection, block)
    return found


def change(tags: Collection[Tag], using: str | None = None, then: Call | None = None) -> None:
    """Invalidate ``tags`` when the transaction open on ``using`` is committed, or else at once; then call ``then``.

    Where no database is named, the transactions open in this thread on any database are waited for.
    """
    opened = [connections[using]] if using else connections.all(initialized_only=True)
    waited_for = [found for connection in opened if (found := current(connection.alias))]
    for found in waited_for:
        found.tags.update(tags)
        found.afterwards.extend([then] if then else [])
    if not waited_for:
        if tags:
            is_told = release(tags)
            is_recorded = not any(map(in_test.depth, opened)) and recorded(tags, using or DEFAULT_DB_ALIAS, is_told)
            if is_told:
                announce(tags, is_recorded)
        for connection in opened:
            if in_test.note(connection, tags):
                watch(connection, watcher)
        run([then] if then else [])


def unsettled() -> list[Transaction]:
    """The transactions of tests that have ended; they are never committed."""
    known = [owner for owner in withheld if isinstance(owner, Transaction)] if withheld else []
    return [found for found in known if found.is_test and found.is_over]


def settle() -> None:
    """Let take effect what tests have changed."""
    for found in unsettled():
        found.end()


def run(calls: list[Call]) -> None:
    """Make ``calls``. What is committed is committed: an error of one of them is logged."""
    for call in calls:
        try:
            call()
        except Exception:
            logger.exception("Failed after a commit")


_later: weakref.WeakKeyDictionary[BaseDatabaseWrapper, list[Call]] = weakref.WeakKeyDictionary()


def is_changing() -> bool:
    """Whether a transaction of this thread has touched anything."""
    return bool(_open) and any(map(_open.get, connections.all(initialized_only=True)))


class Watcher:
    """Is told how the transactions on a connection end."""

    def committing(self, connection: BaseDatabaseWrapper) -> None:
        if found := _open.get(connection):
            found.prepare()

    def committed(self, connection: BaseDatabaseWrapper) -> None:
        if found := _open.get(connection):
            found.conclude()

    def usable(self, connection: BaseDatabaseWrapper) -> None:
        run(_later.pop(connection, []))

    def undone(self, connection: BaseDatabaseWrapper) -> None:
        if tags := in_test.undone(connection):
            release(tags)

    def rolled_back(self, connection: BaseDatabaseWrapper) -> None:
        if found := _open.get(connection):
            found.roll_back()
        self.undone(connection)

    def lost(self, connection: BaseDatabaseWrapper) -> None:
        if found := _open.get(connection):
            found.discard()

    def closing(self, connection: BaseDatabaseWrapper) -> None:
        if found := _open.get(connection):
            found.end()


watcher = Watcher()
