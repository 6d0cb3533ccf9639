"""depends_on(): what a page is made of, said by its view."""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from dumper import database, family, stores
from dumper.exchange import Exchange
from dumper.rules.tags import Tag, named_tag
from dumper.steps import arun, run

_current: ContextVar[Exchange | None] = ContextVar("dumper_exchange", default=None)


class followed(AbstractContextManager[None]):
    """Whatever is depended on inside, ``exchange`` depends on."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __enter__(self) -> None:
        self._exchange.is_nested = _current.get() is not None
        self._before = _current.set(self._exchange)

    def __exit__(self, *raised: object) -> None:
        _current.reset(self._before)


def depends_on(*targets: Model | str) -> None:
    """Have the page that is being rendered be invalidated together with each target: an instance, or a tag by its name.

    Call it *before* the data is read: what was read earlier may have changed in between. Without effect where nothing
    is going to be stored. Raises TypeError for anything else, and for an instance of a model that is not registered.
    """
    tags = tags_of_targets(targets)
    if exchange := _following():
        run(exchange.depend(tags), stores.current())


async def adepends_on(*targets: Model | str) -> None:
    """The same for async views."""
    tags = tags_of_targets(targets)
    if exchange := _following():
        await arun(exchange.depend(tags), stores.current())


def forbid(reason: str) -> None:
    """Have nothing of what is being rendered be stored."""
    if exchange := _current.get():
        exchange.forbid(reason)


def _following() -> Exchange | None:
    exchange = _current.get()
    if exchange and exchange.is_open and database.sees_the_past():
        # The lease would be newer than what the transaction may have read, and will go on reading.
        exchange.forbid("depends on something inside a transaction")
    return exchange


def tags_of_targets(targets: tuple[Model | str, ...]) -> set[Tag]:
    """The tags that each of ``targets`` has, whatever its pages. Raises TypeError."""
    tags: set[Tag] = set()
    for target in targets:
        if isinstance(target, str):
            tags.add(named_tag(target))
        elif isinstance(target, Model) and family.relatives(type(target)):
            tags |= family.row_tags(family.rows(target, target._state.db or DEFAULT_DB_ALIAS))
        else:
            raise TypeError(f"{target!r} is neither a tag nor an instance of a model registered with dumper")
    return tags
