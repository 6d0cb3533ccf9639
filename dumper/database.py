"""Where dumper touches Django's database layer; it knows nothing of pages.

Django has no hook before a commit, and none for a rollback. So the methods of a connection that end a transaction are
wrapped, on the connection itself, once it is seen in a transaction that matters.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import filterfalse
from typing import Any, Protocol

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

#: Stands for a transaction that is no atomic block.
MANUAL = object()

_watched: weakref.WeakSet[BaseDatabaseWrapper] = weakref.WeakSet()


def outermost(connection: BaseDatabaseWrapper) -> object:
    """What stands for the transaction that is open on ``connection``; None in autocommit mode.

    It is the outermost atomic block but for those of a TestCase or, in manual transaction management, ``MANUAL``.
    """
    if connection.connection is None:
        return None
    if connection.in_atomic_block and connection.commit_on_exit:
        return next(filterfalse(is_of_testcase, connection.atomic_blocks), None)
    return None if connection.autocommit else MANUAL


def is_of_testcase(block: Any) -> bool:
    """Whether an atomic block is one that a Django TestCase rolls back when the test is over."""
    return bool(block._from_testcase)


def in_transaction() -> bool:
    """Whether a transaction is open in this thread."""
    return any(outermost(connection) is not None for connection in connections.all(initialized_only=True))


@contextmanager
def block(using: str) -> Iterator[None]:
    """A transaction on ``using``, if there is none yet."""
    connection = connections[using]
    if outermost(connection) is not None:
        yield
        return
    connection.ensure_connection()
    mode = getattr(connection, "transaction_mode", None)
    if connection.vendor == "sqlite" and mode in (None, "DEFERRED"):
        # SQLite cannot lock a row: what is read first could be old when the write gets its turn, or keep it from one.
        setattr(connection, "transaction_mode", "IMMEDIATE")  # noqa: B010
    try:
        with transaction.atomic(using, savepoint=False):
            yield
    finally:
        if connection.vendor == "sqlite":
            setattr(connection, "transaction_mode", mode)  # noqa: B010


@contextmanager
def spared(using: str) -> Iterator[None]:
    """A savepoint, if a transaction is open: what fails inside does not break it."""
    connection = connections[using]
    if connection.autocommit or not connection.features.uses_savepoints:
        yield
        return
    savepoint: Any = connection.savepoint()
    try:
        yield
    except Exception:
        connection.savepoint_rollback(savepoint)
        raise
    connection.savepoint_commit(savepoint)


class Watcher(Protocol):
    """Who is told how the transactions on a connection end."""

    def committing(self, connection: BaseDatabaseWrapper) -> AbstractContextManager[None]: ...
    def rolled_back(self, connection: BaseDatabaseWrapper) -> None: ...
    def lost(self, connection: BaseDatabaseWrapper) -> None: ...
    def closing(self, connection: BaseDatabaseWrapper) -> None: ...


def watch(connection: BaseDatabaseWrapper, watcher: Watcher) -> None:
    """Tell ``watcher`` of all commits, rollbacks and the end of ``connection``."""
    if connection in _watched:
        return
    _watched.add(connection)
    commit, rollback, close = connection.commit, connection.rollback, connection.close
    set_autocommit = connection.set_autocommit

    def watched_commit() -> None:
        with watcher.committing(connection):
            commit()

    def watched_rollback() -> None:
        try:
            rollback()
        except Exception:
            watcher.lost(connection)  # and perhaps the answer to a commit with it
            raise
        watcher.rolled_back(connection)

    def watched_set_autocommit(autocommit: bool, *args: Any, **kwargs: Any) -> None:
        with watcher.committing(connection) if autocommit else nullcontext():  # some databases commit then
            set_autocommit(autocommit, *args, **kwargs)

    def watched_close() -> None:
        watcher.closing(connection)
        close()

    wrappers = {
        "commit": watched_commit,
        "rollback": watched_rollback,
        "set_autocommit": watched_set_autocommit,
        "close": watched_close,
    }
    for name, wrapper in wrappers.items():
        setattr(connection, name, wrapper)
