"""Writing down what is about to be changed, in the very transaction of the change."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import Error, connections, router

from dumper import upstreams
from dumper.outbox.models import STORE, Delivery, lines_of
from dumper.rules.tags import Tag
from dumper.upstreams.base import batched
from dumper.upstreams.dispatch import public

logger = logging.getLogger("dumper.outbox")

#: Tags in one row: about 100 kB.
MOST_TAGS = 1000

_migrated: set[str] = set()
_unmigrated: set[str] = set()
_failing: set[str] = set()


def record(sender: object, tags: Collection[Tag], using: str, is_told: bool, **kwargs: Any) -> bool:
    """``committing``: a row for each upstream and, where the store could not be told, for that.

    Return whether they are there: not so in a database that has no outbox.
    """
    if not has_outbox(using):
        return False
    rows = [row for target in targets(is_told) for row in rows_for(target, tags)]
    if rows:
        Delivery.objects.using(using).bulk_create(rows, batch_size=50)
    return True


def targets(is_told: bool) -> list[str]:
    """Who has to be told."""
    found = [name for name, upstream in upstreams.current().items() if not upstream.is_immediate]
    return found if is_told else [STORE, *found]


def rows_for(target: str, tags: Collection[Tag]) -> Iterator[Delivery]:
    """The rows that name ``tags``, as ``target`` knows them."""
    for some in batched(sorted(tags if target == STORE else public(tags)), MOST_TAGS):
        yield Delivery(target=target, lines=lines_of(some))


def has_outbox(using: str) -> bool:
    """Whether the database ``using`` has the table, or is about to have: while it is migrated, models are saved."""
    if using in _migrated:
        return True
    if not router.allow_migrate_model(using, Delivery):
        return False
    connection = connections[using]
    with connection.cursor() as cursor:
        found = Delivery._meta.db_table in connection.introspection.table_names(cursor)
    if found:
        _migrated.add(using)
    elif using not in _unmigrated:
        _unmigrated.add(using)
        logger.warning("The database %r has no outbox yet: run manage.py migrate.", using)
    return found


def databases() -> list[str]:
    """The databases that have an outbox."""
    return [alias for alias in connections if has_outbox(alias)]


@contextmanager
def apart(using: str) -> Iterator[None]:
    """Keep to ``using`` what goes wrong with its outbox: other databases are seen to. It is said once."""
    try:
        yield
    except Exception as error:
        if using not in _failing:
            is_unexpected = not isinstance(error, Error)
            logger.error("The outbox of the database %r does not work: %r", using, error, exc_info=is_unexpected)
        _failing.add(using)
    else:
        _failing.discard(using)
