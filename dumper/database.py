"""Where dumper touches Django's database layer; it knows nothing of pages.

Django has no hook before a commit, and none for a rollback. So the methods of a connection that end a transaction are
wrapped, on the connection itself, once it is seen in a transaction that matters.
"""

from __future__ import annotations

import weakref
from contextlib import AbstractContextManager, nullcontext
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


def sees_the_past() -> bool:
    """Whether a transaction is open in this thread that may go on reading what others have changed since it began."""
    opened = connections.all(initialized_only=True)
    return any(outermost(connection) is not None and not reads_committed(connection) for connection in opened)


def reads_committed(connection: BaseDatabaseWrapper) -> bool:
    """Whether each statement on ``connection`` sees all that was committed before it."""
    level = connection.settings_dict.get("OPTIONS", {}).get("isolation_level")
    if connection.vendor == "postgresql":
        return level is None or getattr(level, "name", "") == "READ_COMMITTED"
    if connection.vendor == "mysql":  # for which Django asks for it, where nothing else is said
        return "isolation_level" not in connection.settings_dict.get("OPTIONS", {}) or level == "read committed"
    return connection.vendor == "oracle"


def block(using: str) -> AbstractContextManager[Any]:
    """A transaction on ``using``, if there is none yet."""
    if outermost(connections[using]) is not None:
        return nullcontext()
    return transaction.atomic(using, savepoint=False)


def spared(using: str) -> AbstractContextManager[Any]:
    """A savepoint, if a transaction is open: what fails inside does not break it."""
    connection = connections[using]
    in_transaction = connection.in_atomic_block or not connection.get_autocommit()
    return transaction.atomic(using) if in_transaction else nullcontext()


class Watcher(Protocol):
    """Who is told how the transactions on a connection end."""

    def committing(self, connection: BaseDatabaseWrapper) -> None: ...
    def committed(self, connection: BaseDatabaseWrapper) -> None: ...
    def usable(self, connection: BaseDatabaseWrapper) -> None: ...
    def undone(self, connection: BaseDatabaseWrapper) -> None: ...
    def rolled_back(self, connection: BaseDatabaseWrapper) -> None: ...
    def lost(self, connection: BaseDatabaseWrapper) -> None: ...
    def closing(self, connection: BaseDatabaseWrapper) -> None: ...


def watch(connection: BaseDatabaseWrapper, watcher: Watcher) -> None:
    """Tell ``watcher`` of all commits, rollbacks and the end of ``connection``."""
    if connection in _watched:
        return
    _watched.add(connection)
    commit, rollback, close = connection.commit, connection.rollback, connection.close
    savepoint_rollback, set_autocommit = connection.savepoint_rollback, connection.set_autocommit

    def prepared() -> None:
        try:
            watcher.committing(connection)
        except Exception:
            watched_rollback()  # Django does so only for errors of the database
            raise

    def watched_commit() -> None:
        prepared()
        commit()
        watcher.committed(connection)

    def watched_rollback() -> None:
        try:
            rollback()
        except Exception:
            watcher.lost(connection)  # and perhaps the answer to a commit with it
            raise
        watcher.rolled_back(connection)

    def watched_savepoint_rollback(*args: Any) -> None:
        savepoint_rollback(*args)
        watcher.undone(connection)

    def watched_set_autocommit(autocommit: bool, *args: Any, **kwargs: Any) -> None:
        if autocommit:
            prepared()  # some databases commit now
        set_autocommit(autocommit, *args, **kwargs)
        if autocommit:
            watcher.committed(connection)
            watcher.usable(connection)

    def watched_close() -> None:
        watcher.closing(connection)
        close()

    wrappers = {
        "commit": watched_commit,
        "rollback": watched_rollback,
        "savepoint_rollback": watched_savepoint_rollback,
        "set_autocommit": watched_set_autocommit,
        "close": watched_close,
    }
    for name, wrapper in wrappers.items():
        setattr(connection, name, wrapper)
