"""Which registered models a row belongs to: its own, and those that share a table with it (multi-table, proxies)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import Model, QuerySet

from dumper.rules.tags import Tag, row_tag

registered: set[type[Model]] = set()
#: rows read by one query
CHUNK = 200


class Row(NamedTuple):
    """One row, as an instance of ``model`` shows it."""

    model: type[Model]
    using: str
    field: str
    value: Any

    def read(self) -> Iterator[Model]:
        """The instance, if the row exists; nobody else changes it until the transaction is over."""
        connection = connections[self.using]
        queryset: QuerySet[Model] = QuerySet(self.model, using=self.using).filter(**{self.field: self.value})
        if connection.features.has_select_for_update:
            no_key = connection.features.has_select_for_no_key_update
            queryset = queryset.order_by().select_for_update(no_key=no_key)
        elif connection.vendor == "sqlite":
            # Who reads first may not be let to write later. This changes nothing, and waits until it may.
            table, column = map(connection.ops.quote_name, written_to(self.model))
            with connection.cursor() as cursor:
                cursor.execute(f"UPDATE {table} SET {column} = {column} WHERE 0")
        yield from queryset


def written_to(model: type[Model]) -> tuple[str, str]:
    """The table of ``model`` and one of its columns."""
    field: Any = tables(model)[0]._meta.local_concrete_fields[0]
    return field.model._meta.db_table, field.column


def read(rows: Collection[Row]) -> Iterator[tuple[str, Model]]:
    """The instances of ``rows`` that exist, with their databases; one query reads some hundred."""
    groups: defaultdict[tuple[type[Model], str, str], list[Any]] = defaultdict(list)
    for row in rows:
        groups[row.model, row.using, row.field].append(row.value)
    for (model, using, field), values in groups.items():
        for start in range(0, len(values), CHUNK):
            chunk = {f"{field}__in": values[start : start + CHUNK]}
            queryset: QuerySet[Model] = QuerySet(model, using=using).filter(**chunk)
            yield from ((using, stored) for stored in queryset)


def tables(model: type[Model]) -> tuple[type[Model], ...]:
    """The models whose tables a row of ``model`` is spread over."""
    bases = (base for base in model.__mro__ if issubclass(base, Model) and hasattr(base, "_meta"))
    return tuple(base for base in bases if not base._meta.abstract and not base._meta.proxy)


@cache
def relatives(model: type[Model]) -> tuple[type[Model], ...]:
    """The models whose methods are asked when a row of ``model`` changes; none where no registered one is concerned."""
    own = set(tables(model))
    found = {other for other in registered if own.intersection(tables(other))}
    if any(issubclass(model, other) for other in found):
        found.add(model)  # perhaps with methods of its own
    return tuple(sorted(found, key=lambda other: other._meta.label))


def rows(instance: Model, using: str) -> list[Row]:
    """The row of ``instance``, as each of its relatives shows it; none where it has no key yet."""
    found = []
    for model in relatives(type(instance)):
        shared = next(table for table in tables(type(instance)) if table in tables(model))
        key = shared._meta.pk
        value = getattr(instance, key.attname)
        if value is None and (link := instance._meta.get_ancestor_link(shared)):
            value = getattr(instance, link.attname)  # of an instance that was given its own key alone
        if value is not None:
            found.append(Row(model, using, key.name, value))
    return found


def row_tags(rows: Iterable[Row]) -> set[Tag]:
    """The tags of ``rows`` themselves, whatever pages they name."""
    return {row_tag(tables(row.model)[0]._meta.label_lower, row.value) for row in rows}


def descendants(model: type[Model]) -> Iterator[type[Model]]:
    """``model`` and all that inherit from it."""
    yield model
    for child in model.__subclasses__():
        yield from descendants(child)


def members(model: type[Model]) -> set[type[Model]]:
    """Every model of which a row may be a row of ``model`` as well."""
    known = (member for table in tables(model) for member in descendants(table))
    return {member for member in known if not member._meta.abstract and relatives(member)}
