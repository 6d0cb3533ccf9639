"""register(): whose changes invalidate pages.

A save, a delete or an m2m change of a registered model invalidates the paths that the instance named before and those
that it names after. Deletes and m2m changes send their signals inside a transaction. A save need not have one, and
``post_save`` comes after the commit: too late. So the write of a row (``Model._save_table``) is wrapped: in one
transaction the state before is read, the row is written, and the state after is asked for its paths.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from functools import partial, wraps
from itertools import chain
from typing import Any, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db import connections
from django.db.models import Model
from django.db.models.signals import class_prepared, m2m_changed, pre_delete

from dumper import database, family, transactions
from dumper.dependents import NoPaths, dependents, has_paths, safely
from dumper.exceptions import InvalidationError
from dumper.family import relatives, rows
from dumper.rules.tags import Tag

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
        is_new = force_insert or (self._state.adding and has_key_of_its_own(self) and not (raw or force_update))
        locks = connections[using].features.has_select_for_update
        with database.block(using):
            before = set() if is_new else states_before(self, using, lock=locks)
            written = write()
            transactions.change(before, using)
            if cls is self._meta.concrete_model:
                after(self, using)
        transactions.settle()
        return written

    _save_table.by_dumper = True  # type: ignore[attr-defined]
    return _save_table


def states_before(instance: Model, using: str, *, lock: bool) -> set[Tag]:
    """The tags of the row as the database has it, unless the open transaction has found them already."""
    current = transactions.current(using)
    tags: set[Tag] = set()
    for row in rows(instance, using):
        if not (current and current.knows(row)):
            for stored in row.read(lock=lock):
                tags |= safely(stored, dependents(stored, using))
    return tags


def after(instance: Model, using: str) -> None:
    """Add the tags of the state after a write: of the row, since the instance may say something else.

    Fields may be deferred, left out by ``update_fields``, or computed by the database; relations may be cached.
    """
    for stored in states(instance, using):
        find(stored, using)
    if current := transactions.current(using):
        for row in rows(instance, using):
            current.learn(row)


def states(instance: Model, using: str) -> Iterator[Model]:
    """The row of ``instance`` as the database has it, as each of its relatives shows it."""
    for row in rows(instance, using):
        yield from row.read()


def states_of_fresh(instance: Model, using: str) -> Iterator[Model]:
    """The same for an instance that was read a moment ago."""
    for row in rows(instance, using):
        if row.model is type(instance):
            yield instance
        else:
            yield from row.read()


def find(instance: Model, using: str) -> None:
    """Add the tags of ``instance`` to the open transaction; when it is committed, if rows are missing until then."""
    found = dependents(instance, using)
    current = transactions.current(using)
    if isinstance(found.error, ObjectDoesNotExist) and current:
        transactions.change(found.tags, using)
        current.postponed.append(partial(found_at_last, instance, using))
    else:
        transactions.change(safely(instance, found), using)


def found_at_last(instance: Model, using: str) -> set[Tag]:
    """The tags of the row of ``instance`` right before the commit, when all other rows are there."""
    tags: set[Tag] = set()
    for stored in states(instance, using):
        try:
            tags |= safely(stored, dependents(stored, using))
        except NoPaths as error:
            raise InvalidationError(str(error)) from error  # which makes Django roll back
    return tags


def deleting(sender: type[Model], instance: Model, using: str, **kwargs: Any) -> None:
    """``pre_delete``: the relations of the row are still there. The instance may have been changed in memory."""
    lock = connections[using].features.has_select_for_update and transactions.current(using) is not None
    transactions.change(states_before(instance, using, lock=lock), using)


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
    """``m2m_changed``: the pages of both sides, before and after."""
    far = list(others(sender, instance, reverse, model, pk_set, using)) if relatives(model) else []
    for stored in chain(states(instance, using), *(states_of_fresh(other, using) for other in far)):
        if action.startswith("pre_"):
            transactions.change(safely(stored, dependents(stored, using)), using)
        else:
            find(stored, using)
    if action == "pre_clear" and (current := transactions.current(using)):
        # Afterwards nothing tells which they were.
        current.postponed.extend(partial(found_at_last, other, using) for other in far)


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


def has_key_of_its_own(instance: Model) -> bool:
    """Whether the key of a new instance was made up for it, so that Django inserts without a look for an older row."""
    key = instance._meta.pk
    return key.has_default() or key.has_db_default()
