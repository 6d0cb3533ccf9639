"""register(): whose changes invalidate pages.

A save, a delete or an m2m change of a registered model invalidates the paths that the instance named before and those
that it names after. Deletes and m2m changes send their signals inside a transaction. A save need not have one, and
``post_save`` comes after the commit: too late. So the write of a row (``Model._save_table``) is wrapped: in one
transaction the state before is read, the row is written, and the state after is asked for its paths.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from functools import partial, wraps
from typing import Any, TypeVar

from django.db.models import Model
from django.db.models.signals import class_prepared, m2m_changed, pre_delete

from dumper import database, family, transactions
from dumper.dependents import dependents, has_paths, safely
from dumper.family import Row, relatives, rows, tables
from dumper.rules.tags import SITE, Tag

logger = logging.getLogger("dumper.site")
M = TypeVar("M", bound=type[Model])


def register(model: M) -> M:
    """Invalidate the paths that instances of ``model`` name whenever one is changed. Also a class decorator.

    Raises TypeError for what is no model, or an abstract one.
    """
    if not (isinstance(model, type) and issubclass(model, Model)) or model._meta.abstract:
        raise TypeError(f"register() takes a model that has a table, not {model!r}")
    family.registered.add(model)
    relatives.cache_clear()
    for member in family.members(model):
        connect(member)
    m2m_changed.connect(related, dispatch_uid="dumper.site")
    logger.debug("registered: %s", model._meta.label)
    return model


def unregister(model: type[Model]) -> None:
    """Undo register(); without effect on a model that is not registered."""
    members = family.members(model)
    family.registered.discard(model)
    relatives.cache_clear()
    for member in members:
        if not relatives(member):
            pre_delete.disconnect(sender=member, dispatch_uid="dumper.site")
    logger.debug("unregistered: %s", model._meta.label)


def without_paths() -> list[type[Model]]:
    """The registered models that have no method to name paths."""
    return [model for model in family.registered if not has_paths(model)]


def connect(model: type[Model]) -> None:
    """See to it that saves and deletes of ``model`` come to our notice."""
    pre_delete.connect(deleting, sender=model, dispatch_uid="dumper.site")
    save_table = getattr(model, "_save_table")  # noqa: B009 (typed stubs leave private names out)
    if not hasattr(save_table, "by_dumper"):
        setattr(model, "_save_table", observed(save_table))  # noqa: B010


def prepared(sender: type[Model], **kwargs: Any) -> None:
    """A model was defined after its relatives were registered."""
    relatives.cache_clear()
    if relatives(sender):
        connect(sender)


class_prepared.connect(prepared, dispatch_uid="dumper.site")


def observed(save_table: Any) -> Any:
    """``Model._save_table``, with the states before and after the write."""

    @wraps(save_table)
    def _save_table(
        self: Model,
        raw: bool = False,
        cls: Any = None,
        force_insert: bool = False,
        force_update: bool = False,
        using: Any = None,
        update_fields: Any = None,
    ) -> Any:
        write = partial(save_table, self, raw, cls, force_insert, force_update, using, update_fields)
        if not relatives(type(self)):
            return write()
        is_new = force_insert or (self._state.adding and has_key_of_its_own(cls) and not (raw or force_update))
        with database.block(using):
            was_there = not is_new and before(self, using)
            updated = write()
            if updated and not was_there and cls is self._meta.concrete_model:
                # Somebody has inserted the row after we had looked for it: nobody knows what it was like.
                transactions.change({SITE}, using)
            touch(self, using)
        transactions.settle()
        return updated

    _save_table.by_dumper = True  # type: ignore[attr-defined]
    return _save_table


def before(instance: Model, using: str) -> bool:
    """Add the tags of the row as the database has it; return whether all that has to be there was there.

    Nothing is asked if the open transaction knows the row already, or invalidates the whole site.
    """
    current = transactions.current(using)
    own, are_there = set(tables(type(instance))), True
    for row in rows(instance, using):
        if current and (current.knows(row) or SITE in current.tags):
            continue
        found = list(row.read())
        are_there = are_there and (bool(found) or not own.issuperset(tables(row.model)))
        for stored in found:
            transactions.change(safely(stored, dependents(stored, using)), using)
    return are_there


def touch(instance: Model, using: str) -> None:
    """Have the row asked for the state after, when the open transaction is about to be committed."""
    if current := transactions.current(using):
        for row in rows(instance, using):
            current.touch(row, after)


def after(rows: Collection[Row]) -> set[Tag]:
    """The tags of ``rows`` as the database has them now."""
    tags = family.row_tags(rows)
    for using, stored in family.read(rows):
        tags |= safely(stored, dependents(stored, using))
    return tags


def deleting(sender: type[Model], instance: Model, using: str, **kwargs: Any) -> None:
    """``pre_delete``: the relations of the row are still there. The instance may have been changed in memory."""
    before(instance, using)
    touch(instance, using)


def related(
    sender: type[Model],
    instance: Model,
    action: str,
    reverse: bool,
    model: type[Model],
    pk_set: Collection[Any] | None,
    using: str,
    **kwargs: Any,
) -> None:
    """``m2m_changed``: the pages of both sides."""
    if action.startswith("pre_"):
        far = others(sender, instance, reverse, model, pk_set, using) if relatives(model) else ()
        for side in (instance, *far):
            before(side, using)
            touch(side, using)


def others(
    through: type[Model],
    instance: Model,
    reverse: bool,
    model: type[Model],
    pk_set: Collection[Any] | None,
    using: str,
) -> Iterable[Model]:
    """The instances at the other side of an m2m change: those of ``pk_set`` or, before all are cleared, all."""
    fields = (*type(instance)._meta.many_to_many, *model._meta.many_to_many)
    field = next((field for field in fields if field.remote_field.through is through), None)
    if field is None:  # somebody else's signal, about a table that is none of an m2m field
        return ()
    names = field.m2m_field_name(), field.m2m_reverse_field_name()
    source, target = map(through._meta.get_field, reversed(names) if reverse else names)  # type: Any, Any
    if pk_set is None:
        key = getattr(instance, source.target_field.attname)
        pk_set = through._base_manager.using(using).filter(**{source.name: key}).values_list(target.attname, flat=True)
    return model._base_manager.using(using).filter(**{f"{target.target_field.name}__in": list(pk_set)})


def has_key_of_its_own(model: type[Model]) -> bool:
    """Whether a new instance is given a key, so that Django inserts it without a look for an older row."""
    key = model._meta.pk
    return key.has_default() or key.has_db_default()
