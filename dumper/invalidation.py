"""Invalidate by hand: everything that a model's signals do by themselves. All of it waits for open transactions."""

from __future__ import annotations

from collections.abc import Iterable

from asgiref.sync import sync_to_async
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from dumper import stores, transactions
from dumper.dependents import dependents, has_paths, safely, tags_of, text
from dumper.family import relatives, row_tags, rows
from dumper.rules.tags import SITE, Tag, named_tag


def invalidate_paths(paths: Iterable[object], using: str | None = None) -> None:
    """Invalidate every page at ``paths``: paths, URLs of this site, lazy ones too; None is passed over.

    It takes effect when the transaction open on the database ``using`` is committed (by default: those on all
    databases), at once where there is none, and never where it is rolled back. Raises TypeError for a single str, and
    for what is no path.
    """
    if isinstance(paths, (str, bytes)):
        raise TypeError(f"invalidate_paths() takes an iterable of paths, not {paths!r}")
    tags: set[Tag] = set()
    for path in paths:
        for url in text(path, "invalidate_paths()"):
            tags |= tags_of(url)
    transactions.change(tags, using)


def invalidate(*targets: Model | str, using: str | None = None) -> None:
    """Invalidate what depends on each target: an instance, as if it had been saved, or a tag by its name.

    Raises TypeError for anything else, and for an instance whose model is neither registered nor names paths.
    """
    tags: set[Tag] = set()
    for target in targets:
        if isinstance(target, str):
            tags.add(named_tag(target))
        elif isinstance(target, Model) and (has_paths(type(target)) or relatives(type(target))):
            alias = using or target._state.db or DEFAULT_DB_ALIAS
            tags |= row_tags(rows(target, alias)) | safely(target, dependents(target, alias))
        else:
            raise TypeError(f"{target!r} is neither a tag nor an instance of a model that is registered or names paths")
    transactions.change(tags, using)


def clear(using: str | None = None) -> None:
    """Invalidate every page of this site and nothing else in the cache, at a cost that does not grow with their number.

    The store is then swept of what was stored, where it keeps account of that.
    """
    transactions.change({SITE}, using, then=lambda: stores.current().sweep())


ainvalidate_paths = sync_to_async(invalidate_paths)
ainvalidate = sync_to_async(invalidate)
aclear = sync_to_async(clear)
