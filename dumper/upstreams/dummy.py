"""An upstream for tests: it keeps account of what it is told, and never fails."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from dumper.rules.tags import Tag
from dumper.upstreams.base import Config, Upstream


class Dummy(Upstream):
    """``dumper.upstreams.current()["name"].purged`` lists the tags of each purge, ``urls()`` those of its paths."""

    can = frozenset({"url", "tag", "clear"})
    is_immediate: ClassVar[bool] = True
    is_labelling: ClassVar[bool] = False
    again_after = ()

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.purged: list[frozenset[Tag]] = []

    def purge(self, tags: Collection[Tag], reference: str) -> None:
        self.purged.append(frozenset(tags))
