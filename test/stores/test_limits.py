"""The contract at its limits, on every backend: large, many, long, side by side, and in async code."""

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import caches

from dumper.exceptions import StoreError
from dumper.rules.tags import SITE, path_tag
from dumper.stores.base import Item
from dumper.stores.guard import Breaker, Guard
from test.stores.helpers import TAGS, hold, key, lease, put, served


def test_a_large_page_is_stored_or_refused_but_breaks_nothing(store, backend):
    data = bytes(range(256)) * 20_000
    if backend.limit is None:
        put(store, data)
        return
    put(store, b"small", key("/other/"))
    with pytest.raises(StoreError):
        Guard(store, Breaker(60)).write([Item(key(), data, None)], lease(store))
    assert store.read(key(), ()).data is None
    put(store)
    assert store.read(key("/other/"), ()).data == b"small"


@pytest.mark.slow
def test_hundreds_of_tags_are_held_and_released_at_once(store):
    tags = [path_tag(f"/{number}/") for number in range(1200)]
    before = lease(store, tags[::100])
    store.hold(tags, hold())
    assert all(list(entry.holds) == ["holder"] for entry in store.entries(tags).values())
    store.release(tags, "holder")
    after = lease(store, tags)
    assert len(set(after.values()) - set(before.values())) == 1200
    store.hold([], hold())
    store.release([], "holder")


def test_a_path_may_be_long_and_in_any_script(store):
    paths = ["/" + "long" * 2500, "/" + "long" * 2499 + "lang", "/größe/日本/", "/gro\u0308ße/", "/a b\r\n\t{x}:*?[0]/"]
    leases = {path: put(store, path.encode(), key(path)) for path in paths}
    assert all(served(store, leases[path], key(path)) == path.encode() for path in paths)
    store.release([path_tag(paths[0])], "none")
    assert [path for path in paths if served(store, leases[path], key(path)) is None] == paths[:1]


def test_a_cleared_site_leaves_the_rest_of_the_cache_alone(store):
    leases = put(store)
    caches["default"].set("another", "value", None)
    store.release([SITE], "none")
    store.sweep()
    assert served(store, leases) is None
    assert caches["default"].get("another") == "value"
    put(store)


@pytest.mark.parametrize("other", [{"key_prefix": "other."}, {"cache_alias": "other"}], ids=["prefix", "alias"])
def test_sites_that_share_a_server_stay_apart(store, backend, other):
    other = backend.store(**other)
    ours, theirs = put(store, b"ours"), put(other, b"theirs")
    other.release(TAGS, "none")
    other.hold(TAGS, hold())
    other.sweep()
    assert served(other, theirs) is None
    assert served(store, ours) == b"ours"


def test_async_code_gets_the_same(store):
    async def steps():
        assert await store.aread(key(), TAGS) == (None, dict.fromkeys(TAGS))
        entries = await store.alease(TAGS)
        leases = {tag: entry.generation for tag, entry in entries.items()}
        assert await store.awrite([Item(key(), b"page", None)], leases)
        assert await store.aentries(TAGS) == entries
        assert await store.aread(key(), TAGS) == (b"page", entries)
        return leases

    assert served(store, async_to_sync(steps)()) == b"page"
