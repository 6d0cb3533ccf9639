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
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from dumper.backlog import hold, release
from dumper.conf import settings
from dumper.database import is_of_testcase, outermost, watch
from dumper.exceptions import InvalidationError, StoreError
from dumper.rules.tags import SITE, Tag
from dumper.store.entries import token
from dumper.store.guard import withheld

logger = logging.getLogger("dumper.invalidation")

_open: weakref.WeakKeyDictionary[BaseDatabaseWrapper, Transaction] = weakref.WeakKeyDictionary()


class Transaction:
    """The tags that one open database transaction has touched."""

    def __init__(self, connection: BaseDatabaseWrapper, block: object) -> None:
        self.tags: set[Tag] = set()
        #: rows whose state before the transaction is known, and the savepoints inside which they were written
        self._rows: dict[object, tuple[object, ...]] = {}
        #: what can be found out only when all rows are there
        self.postponed: list[Callable[[], Collection[Tag]]] = []
        self.block = block
        self.is_test = any(map(is_of_testcase, connection.atomic_blocks))
        self._holder = token()
        self._held = False
        self._connection = weakref.ref(connection)
        withheld.add(self)
        # A connection that is dropped with its thread takes its transaction with it.
        self._forget = weakref.finalize(connection, withheld.remove, self)
        self._forget.atexit = False

    @property
    def is_over(self) -> bool:
        """Whether the database transaction has ended without a word to us."""
        connection = self._connection()
        return connection is None or outermost(connection) is not self.block

    def learn(self, row: object) -> None:
        """The state of ``row`` before the transaction is known; nobody else changes it from now on."""
        self._rows[row] = self._savepoints()

    def knows(self, row: object) -> bool:
        """Whether ``row`` need not be looked up; a savepoint that is left may have given its lock back."""
        inside = self._rows.get(row)
        return inside is not None and self._savepoints()[: len(inside)] == inside

    def _savepoints(self) -> tuple[object, ...]:
        connection = self._connection()
        return tuple(connection.savepoint_ids) if connection else ()

    def prepare(self) -> None:
        """Hold the tags, so that the commit may come at any moment. Raises InvalidationError with DUMPER_STRICT."""
        try:
            self.resolve()
            if self.tags:
                hold(self.tags, self._holder)
                self._held = True
        except StoreError as error:
            if settings().strict:
                raise InvalidationError(f"not committed: {error}") from error
            logger.error("Could not hold %d tags before a commit: %s", len(self.tags), error)

    def conclude(self) -> None:
        """Release the tags after the commit."""
        if self.tags:
            release(self.tags, self._holder)
        self.discard()

    def roll_back(self) -> None:
        """Nothing has changed; only what had been held for a commit that failed is released."""
        if self._held:
            release(self.tags, self._holder)
        self.discard()

    def end(self) -> None:
        """It is over without a commit: in a test that counts as one, else the connection was lost."""
        if not self.is_test:
            self.discard()
            return
        try:
            self.resolve()
        except transaction.TransactionManagementError:  # the test cannot ask the database any more
            self.tags.add(SITE)
        finally:
            self.conclude()

    def resolve(self) -> None:
        """Add the tags that could not be found earlier."""
        self.tags.update(*(resolve() for resolve in self.postponed))

    def discard(self) -> None:
        """Forget the transaction. What it holds in the store stays held until the deadline."""
        if connection := self._connection():
            _open.pop(connection, None)
        self._forget()


def current(using: str) -> Transaction | None:
    """The transaction that is open on the database ``using`` in this thread; None in autocommit mode."""
    connection = connections[using]
    found = _open.get(connection)
    if found and found.is_over:
        found.end()
        found = None
    if found is None and (block := outermost(connection)) is not None:
        watch(connection, Watcher())
        found = _open[connection] = Transaction(connection, block)
    return found


def change(tags: Collection[Tag], using: str | None = None) -> None:
    """Invalidate ``tags`` when the transaction open on ``using`` is committed, or else at once.

    Where no database is named, the transactions open in this thread on any database are waited for.
    """
    aliases = [using] if using else [connection.alias for connection in connections.all(initialized_only=True)]
    waited_for = [found for alias in aliases if (found := current(alias))]
    for found in waited_for:
        found.tags.update(tags)
    if not waited_for and tags:
        release(tags)


def unsettled() -> list[Transaction]:
    """The transactions of tests that have ended; they are never committed."""
    known = [owner for owner in withheld if isinstance(owner, Transaction)]
    return [found for found in known if found.is_test and found.is_over]


def settle() -> None:
    """Let take effect what tests have changed."""
    for found in unsettled():
        found.end()


class Watcher:
    """Is told how the transactions on a connection end."""

    @contextmanager
    def committing(self, connection: BaseDatabaseWrapper) -> Iterator[None]:
        found = _open.get(connection)
        if found is None:
            yield
            return
        found.prepare()
        yield
        found.conclude()

    def rolled_back(self, connection: BaseDatabaseWrapper) -> None:
        if found := _open.get(connection):
            found.roll_back()

    def lost(self, connection: BaseDatabaseWrapper) -> None:
        if found := _open.get(connection):
            found.discard()

    def closing(self, connection: BaseDatabaseWrapper) -> None:
        if found := _open.get(connection):
            found.end()
