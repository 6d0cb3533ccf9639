"""What was read of a tag before it was released, and comes back after that, is not true."""

import pytest
from asgiref.sync import async_to_sync

from dumper.stores.base import Reading
from dumper.stores.entries import Entry
from dumper.stores.guard import Breaker, Guard, withheld
from test.stores.helpers import PATH, key


class Owner:
    """A change that the store was not told of in time."""

    tags = frozenset({PATH})


class Slow:
    """A store whose answer is on its way while what waited is released."""

    def __init__(self, owner):
        self.owner = owner

    def entries(self, tags):
        found = {tag: Entry("g1") for tag in tags}
        withheld.remove(self.owner)
        return found

    lease = entries

    def read(self, key, tags):
        return Reading(b"old", self.entries(tags))

    async def aentries(self, tags):
        return self.entries(tags)

    alease = aentries

    async def aread(self, key, tags):
        return self.read(key, tags)


@pytest.mark.parametrize("name", ["read", "aread", "entries", "aentries", "lease", "alease"])
def test_it_is_not_admitted(name):
    owner = Owner()
    withheld.add(owner)
    method = getattr(Guard(Slow(owner), Breaker(1)), name)
    if name.startswith("a"):
        method = async_to_sync(method)
    found = method(key(), [PATH]).entries if name.endswith("read") else method([PATH])
    assert not found[PATH].admits("g1")
    assert not list(withheld)
