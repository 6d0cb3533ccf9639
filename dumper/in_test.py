"""What Django's TestCases change, in transactions that they roll back when the test is over.

It takes effect while the test runs, so it has to take effect once more when the test undoes it.
"""

from __future__ import annotations

import weakref
from collections.abc import Collection

from django.db.backends.base.base import BaseDatabaseWrapper

from dumper.database import is_of_testcase
from dumper.rules.tags import Tag


class Changes:
    """The tags that were touched, and how many blocks of TestCases (the class's, the test's) were open then."""

    def __init__(self) -> None:
        self.tags: set[Tag] = set()
        self.depth = 0


_changes: weakref.WeakKeyDictionary[BaseDatabaseWrapper, Changes] = weakref.WeakKeyDictionary()


def depth(connection: BaseDatabaseWrapper) -> int:
    """How many blocks of TestCases are open."""
    return sum(map(is_of_testcase, connection.atomic_blocks))


def note(connection: BaseDatabaseWrapper, tags: Collection[Tag]) -> bool:
    """Take a note of ``tags`` if a TestCase is going to undo the change; return whether it is."""
    if not (now := depth(connection)):
        return False
    changes = _changes.setdefault(connection, Changes())
    changes.tags.update(tags)
    changes.depth = max(changes.depth, now)
    return True


def undone(connection: BaseDatabaseWrapper) -> Collection[Tag]:
    """The tags to invalidate after a rollback: all, if it was that of a test or of its class."""
    changes = _changes.get(connection)
    if changes is None or depth(connection) >= changes.depth:
        return ()
    changes.depth = depth(connection)
    if not changes.depth:
        del _changes[connection]
    return changes.tags
