"""The store of this site, as one more that has to be told: of changes that it could not be told of in time."""

from __future__ import annotations

from collections.abc import Collection

from dumper import stores
from dumper.backlog import announce
from dumper.outbox.models import STORE
from dumper.rules.tags import Tag
from dumper.upstreams.base import Config, Upstream


class OwnStore(Upstream):
    """Releases tags; what was rendered meanwhile carries other generations, so that once is enough."""

    can = frozenset({"tag", "clear"})
    again_after = ()

    def purge(self, tags: Collection[Tag], reference: str) -> None:
        stores.current().release(tags, "none")
        announce(tags, is_recorded=True)


own_store = OwnStore(Config(name=STORE))
