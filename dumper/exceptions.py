"""What dumper raises."""

from django.db import DatabaseError


class DumperError(Exception):
    """Base of everything that dumper raises on purpose."""


class StoreError(DumperError):
    """The store could not be asked: it is down, too slow, or left alone for a moment after it failed."""


class InvalidationError(DumperError, DatabaseError):
    """With ``DUMPER_STRICT``: the pages that a change touches could not be held, so it was not committed.

    It is a ``django.db.DatabaseError``, so that ``transaction.atomic`` rolls back as for any failed commit.
    """
