"""What LocMemStore does beyond the contract: it is atomic among threads, and keeps nothing that is dead."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.test import override_settings

from dumper import conf
from dumper.stores import make
from dumper.stores.base import Item
from dumper.stores.locmem import LocMemStore
from test.stores.helpers import SITE, TAGS, hold, key, lease, put, served


@pytest.fixture
def store(tmp_path):
    backend = "django.core.cache.backends.locmem.LocMemCache"
    with override_settings(CACHES={"default": {"BACKEND": backend, "LOCATION": str(tmp_path)}}):
        store = make(conf.settings())
        assert type(store) is LocMemStore
        yield store


def test_threads_that_change_the_same_page_never_lose_a_hold(store):
    barrier = Barrier(8)

    def hold_and_release(name):
        barrier.wait()
        for number in range(100):
            holder = f"{name}x{number}"
            store.hold(TAGS, hold(holder))
            assert all(holder in entry.holds for entry in store.entries(TAGS).values()), f"{holder} was lost"
            store.release(TAGS, holder)
        return name

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(hold_and_release, "abcdefgh")) == list("abcdefgh")
    put(store)


def test_threads_that_miss_an_entry_at_once_lease_the_same(store):
    barrier = Barrier(8)

    def leased(_):
        barrier.wait()
        return lease(store)

    with ThreadPoolExecutor(8) as pool:
        first, *others = pool.map(leased, range(8))
    assert all(other == first for other in others)


def test_a_page_is_never_stored_under_leases_that_a_thread_has_ended(store):
    barrier = Barrier(2)

    def writes():
        for _ in range(200):
            leases = {tag: entry.generation for tag, entry in store.lease(TAGS).items()}
            barrier.wait()
            if store.write([Item(key(), str(leases).encode(), None)], leases):
                data, entries = store.read(key(), TAGS)
                assert (
                    data is None
                    or {tag: entry.generation for tag, entry in entries.items()} == leases
                    or not all(entry.admits(leases[tag]) for tag, entry in entries.items())
                )

    def releases():
        for _ in range(200):
            barrier.wait()
            store.release(TAGS, "none")

    with ThreadPoolExecutor(2) as pool:
        for job in (pool.submit(writes), pool.submit(releases)):
            job.result(timeout=60)


def test_clearing_is_seen_by_every_page(store):
    first, second = put(store, key=key("/first/")), put(store, key=key("/second/"))
    store.release([SITE], "none")
    store.sweep()
    assert served(store, first, key("/first/")) is served(store, second, key("/second/")) is None
