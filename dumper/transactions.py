"""What database transactions are about to change, from the first write until it is settled.

While a transaction is open, the tags that it touches are known to this process alone, which withholds them. When the
transaction is committed they are held in the store, the commit is made, and they are released: a handful of store
operations for any number of writes, and none for a rollback. Django has no hook before a commit, so ``commit()`` of
the connection in use is wrapped; this is the only place where dumper stands inside Django's database layer.

Django's ``TestCase`` never commits. There, what happens outside of the test's own atomic blocks takes effect at once,
and what happens inside of them when they end.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import filterfalse
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from dumper.backlog import hold, release
from dumper.conf import settings
from dumper.exceptions import InvalidationError, StoreError
from dumper.rules.tags import Tag
from dumper.store.entries import token
from dumper.store.guard import withheld

logger = logging.getLogger("dumper.invalidation")


_open: weakref.WeakKeyDictionary[BaseDatabaseWrapper, Transaction] = weakref.WeakKeyDictionary()
_wrapped: weakref.WeakSet[BaseDatabaseWrapper] = weakref.WeakSet()


class Transaction:
    """The tags that one open database transaction has touched."""

    def __init__(self, connection: BaseDatabaseWrapper, block: object) -> None:
        self.tags: set[Tag] = set()
        #: rows whose state before the transaction is known
        self.rows: set[object] = set()
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

    def prepare(self) -> None:
        """Hold the tags, so that the commit may come at any moment. Raises InvalidationError with DUMPER_STRICT."""
        try:
            self.tags.update(*(resolve() for resolve in self.postponed))
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
        if self.is_test:
            self.tags.update(*(resolve() for resolve in self.postponed))
            self.conclude()
        else:
            self.discard()

    def discard(self) -> None:
        """Forget the transaction. What it holds in the store stays held until the deadline."""
        if connection := self._connection():
            _open.pop(connection, None)
        self._forget()


def outermost(connection: BaseDatabaseWrapper) -> object:
    """What stands for the transaction that is open on ``connection``; None in autocommit mode.

    It is the outermost atomic block but for those of a TestCase or, in manual transaction management, the connection.
    """
    if connection.connection is None:
        return None
    if connection.in_atomic_block and connection.commit_on_exit:
        return next(filterfalse(is_of_testcase, connection.atomic_blocks), None)
    return None if connection.autocommit else connection


def is_of_testcase(block: Any) -> bool:
    """Whether an atomic block is one that a Django TestCase rolls back when the test is over."""
    return bool(block._from_testcase)


def current(using: str) -> Transaction | None:
    """The transaction that is open on the database ``using`` in this thread; None in autocommit mode."""
    connection = connections[using]
    found = _open.get(connection)
    if found and found.is_over:
        found.end()
        found = None
    if found is None and (block := outermost(connection)) is not None:
        _wrap(connection)
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


def in_transaction() -> bool:
    """Whether a transaction is open in this thread."""
    return any(outermost(connection) is not None for connection in connections.all(initialized_only=True))


def block(using: str) -> AbstractContextManager[Any]:
    """A transaction on ``using``, if there is none yet."""
    if outermost(connections[using]) is None:
        return transaction.atomic(using, savepoint=False)
    return nullcontext()


@contextmanager
def spared(using: str) -> Iterator[None]:
    """A savepoint, if a transaction is open: what fails inside does not break it."""
    connection = connections[using]
    if connection.autocommit or not connection.features.uses_savepoints:
        yield
        return
    savepoint = transaction.savepoint(using)
    try:
        yield
    except Exception:
        transaction.savepoint_rollback(savepoint, using)
        raise
    transaction.savepoint_commit(savepoint, using)


def unsettled() -> list[Transaction]:
    """The transactions of tests that have ended; they are never committed."""
    known = [owner for owner in withheld if isinstance(owner, Transaction)]
    return [found for found in known if found.is_test and found.is_over]


def settle() -> None:
    """Let take effect what tests have changed."""
    for found in unsettled():
        found.end()


def _wrap(connection: BaseDatabaseWrapper) -> None:
    """See to it that commits and rollbacks on ``connection`` are told to us."""
    if connection in _wrapped:
        return
    _wrapped.add(connection)
    commit, rollback, set_autocommit = connection.commit, connection.rollback, connection.set_autocommit

    def commit_and_release() -> None:
        with _committing(connection):
            commit()

    def roll_back_and_forget() -> None:
        found = _open.get(connection)
        try:
            rollback()
        except Exception:
            # The connection is lost, and perhaps the answer to a commit with it.
            if found:
                found.discard()
            raise
        if found:
            found.roll_back()

    def set_autocommit_and_release(autocommit: bool, *args: Any, **kwargs: Any) -> None:
        with _committing(connection) if autocommit else nullcontext():  # some databases commit then
            set_autocommit(autocommit, *args, **kwargs)

    wrappers = {
        "commit": commit_and_release,
        "rollback": roll_back_and_forget,
        "set_autocommit": set_autocommit_and_release,
    }
    for name, wrapper in wrappers.items():
        setattr(connection, name, wrapper)


@contextmanager
def _committing(connection: BaseDatabaseWrapper) -> Iterator[None]:
    found = _open.get(connection)
    if found is None:
        yield
        return
    found.prepare()
    yield
    found.conclude()
