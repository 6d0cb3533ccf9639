"""A store on Django's DatabaseCache, which is part of the very transactions that it is to be told of."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from django.db import router

from dumper.database import spared
from dumper.rules.tags import Tag
from dumper.stores.django import DjangoStore
from dumper.stores.entries import Hold


class DatabaseStore(DjangoStore):
    """Where the cache is in the database that is changed, a hold is committed together with the change.

    Nobody sees it before that, nor can what was rendered before be served afterwards: the generation is a fresh one.
    """

    in_database = True

    def hold(self, tags: Collection[Tag], hold: Hold) -> None:
        using = router.db_for_write(cast(Any, self.cache).cache_model_class)
        with spared(using):
            super().hold(tags, hold)
