"""The contract of dumper.stores.base, on every backend."""

import time

import pytest

from dumper.rules.tags import SITE, named_tag
from dumper.stores.base import Item
from dumper.stores.entries import Entry
from dumper.stores.redis import RedisStore
from test.stores.helpers import PATH, TAGS, admitted, hold, key, lease, put, served

TAG = named_tag("some tag")


@pytest.fixture(params=["sync", "async"])
def mode(request):
    return request.param


def test_every_byte_comes_back_as_it_was(store):
    put(store, bytes(range(256)) * 3)


@pytest.mark.parametrize("data", [b"", b"7", b"-1", b"null", b"\0", "ü".encode()], ids=repr)
def test_no_value_is_taken_for_something_else(store, data):
    put(store, data)


def test_what_is_not_there_is_not_found(store):
    assert store.read(key(), TAGS) == (None, dict.fromkeys(TAGS))
    assert store.read(key(), ()) == (None, {})
    assert store.entries(TAGS) == dict.fromkeys(TAGS)


def test_a_missing_entry_is_leased_once_and_seen_by_all(store, backend):
    leases = lease(store)
    assert len(set(leases.values())) == len(TAGS)
    assert lease(store) == lease(backend.store()) == leases
    assert store.read(key(), TAGS).entries == store.entries(TAGS) == {tag: Entry(leases[tag]) for tag in TAGS}


def test_a_lease_lasts_as_long_as_it_was_set_to(backend):
    store = backend.store(lease_timeout=1000)
    lease(store)
    for name in backend.names(store, key(), *TAGS)[1:]:
        assert 900 < backend.ttl(name) <= 1001


def test_a_lease_that_no_page_was_stored_under_passes(backend):
    store = backend.store(lease_timeout=backend.tick)
    before = lease(store)
    time.sleep(backend.tick + 1)
    assert store.entries(TAGS) == dict.fromkeys(TAGS)
    assert not set(before.values()) & set(lease(store).values())


def test_without_a_timeout_a_page_and_its_entries_last_forever(store, backend):
    tags = (*TAGS, TAG)
    assert store.write([Item(key(), b"page", None)], lease(store, tags))
    for name in backend.names(store, key(), *tags):
        assert backend.ttl(name) is None


def test_a_page_with_a_timeout_passes_and_its_entries_outlive_it(store, backend):
    leases = put(store, timeout=1000)
    page, *entries = backend.names(store, key(), *TAGS)
    assert 900 < backend.ttl(page) <= 1001
    assert all((left := backend.ttl(name)) is None or left > 900 for name in entries)
    assert store.write([Item(key(), b"short", backend.tick)], leases)
    time.sleep(backend.tick + 1)
    assert store.read(key(), TAGS).data is None
    assert admitted(store, leases)


def test_a_second_page_is_stored_under_entries_that_last_already(store):
    put(store, b"first", key("/first/"))
    put(store, b"second", key("/second/"))
    put(store, b"with a query", key("/first/", "a=1"))
    assert store.read(key("/first/"), ()).data == b"first"


def test_a_page_that_is_stored_again_replaces_the_first(store):
    leases = put(store, b"first" * 1000)
    assert put(store, b"second") == leases


def test_a_held_tag_admits_nothing(store):
    leases = put(store)
    store.hold([PATH], hold())
    assert served(store, leases) is None
    held = store.lease(TAGS)[PATH]
    assert list(held.holds) == ["holder"]
    assert not held.admits(held.generation)
    assert lease(store, [SITE]) == {SITE: leases[SITE]}


def test_a_hold_lasts_however_short_leases_are(store, backend):
    store.hold([PATH], hold())
    _, name = backend.names(store, key(), PATH)
    assert backend.ttl(name) is None
    store.release([PATH], "holder")
    assert backend.ttl(name) is not None


@pytest.mark.parametrize("tag", [PATH, SITE, TAG])
def test_a_release_gives_a_fresh_generation(store, tag):
    leases = lease(store, (*TAGS, TAG))
    assert store.write([Item(key(), b"page", None)], leases)
    store.hold([tag], hold())
    store.release([tag], "holder")
    assert served(store, leases) is None
    again = lease(store, (*TAGS, TAG))
    assert {name for name in again if again[name] != leases[name]} == {tag}


@pytest.mark.parametrize("before", [put, lease, lambda store: None], ids=["stored", "leased", "missing"])
def test_a_release_without_a_hold_invalidates_as_well(store, before):
    leases = before(store)
    store.release([PATH], "none")
    assert leases is None or served(store, leases) is None
    put(store, b"new")


def test_a_release_lifts_the_hold_of_its_holder_alone(store):
    for holder in ("one", "other"):
        store.hold([PATH], hold(holder))
    store.release([PATH], "none")
    assert set(store.entries([PATH])[PATH].holds) == {"one", "other"}
    store.release([PATH], "one")
    assert set(store.lease([PATH])[PATH].holds) == {"other"}
    store.release([PATH], "other")
    put(store)


def test_no_generation_comes_back(store):
    seen = []
    for change in (lease, lambda store: store.hold([PATH], hold()), lambda store: store.release([PATH], "holder")) * 2:
        change(store)
        seen.append(store.entries([PATH])[PATH].generation)
    leased_anew = seen.pop(3)  # a lease changes nothing
    assert leased_anew == seen[2]
    assert len(set(seen)) == 5


def test_an_overdue_hold_is_settled_with_a_fresh_generation(store):
    leases = put(store)
    store.hold([PATH], hold("overdue", seconds=-1))
    store.hold([SITE], hold("current"))
    assert store.read(key(), TAGS).entries[PATH].is_overdue(time.time())
    overdue = store.entries([PATH])[PATH].generation
    settled = store.lease(TAGS)
    assert settled[PATH].holds == {}
    assert settled[PATH].generation not in (overdue, leases[PATH])
    assert list(settled[SITE].holds) == ["current"]
    store.release([SITE], "current")
    put(store)


def test_an_overdue_hold_leaves_others_alone(store):
    for holder, seconds in (("overdue", 0.05), ("other", 600)):
        store.hold([PATH], hold(holder, seconds))
    time.sleep(0.1)
    assert set(store.lease([PATH])[PATH].holds) == {"other"}


@pytest.mark.parametrize("tag", [PATH, SITE, TAG])
@pytest.mark.parametrize("change", ["held", "released", "evicted"])
def test_a_page_that_was_rendered_during_a_change_is_never_served(store, backend, tag, change):
    leases = lease(store, (*TAGS, TAG))
    if change == "held":
        store.hold([tag], hold())
    elif change == "released":
        store.release([tag], "none")
    else:
        backend.evict(backend.names(store, key(), tag)[1])
    stored = store.write([Item(key(), b"old", None)], leases)
    if tag == PATH or not isinstance(store, RedisStore):
        assert not stored
    assert served(store, leases) is None
    store.release([tag], "holder")
    assert served(store, leases) is None
    assert not set(lease(store, (*TAGS, TAG)).items()) >= set(leases.items())


@pytest.mark.parametrize("index", range(3), ids=["response", "path", "site"])
def test_anything_may_be_evicted(store, backend, index):
    leases = put(store)
    backend.evict(backend.names(store, key(), *TAGS)[index])
    assert served(store, leases) is None
    put(store, b"again")


def test_everything_may_be_lost_at_any_moment(store, backend):
    leases = lease(store)
    backend.flush()
    store.write([Item(key(), b"old", None)], leases)
    assert served(store, leases) is None
    store.hold([PATH], hold())
    backend.flush()
    store.release([PATH], "holder")
    leases = put(store)
    backend.flush()
    store.sweep()
    assert served(store, leases) is None
    put(store)


def test_several_responses_are_stored_in_one_go_each_with_a_time_of_its_own(store, backend):
    leases = lease(store)
    items = [Item(key(query="a"), b"a", 1000), Item(key(), b"record", None)]
    assert store.write(items, leases)
    assert [store.read(item.key, ()).data for item in items] == [b"a", b"record"]
    [first], [second] = (backend.names(store, item.key) for item in items)
    assert 900 < backend.ttl(first) <= 1001
    assert backend.ttl(second) is None


def test_none_of_several_is_stored_under_a_generation_of_the_past(store):
    leases = lease(store)
    store.release([PATH], "other")
    items = [Item(key(query="a"), b"a", None), Item(key(), b"record", None)]
    if store.write(items, leases):  # where the store cannot tell, what it stores admits nobody
        assert served(store, leases) is None


def test_of_one_path_the_newest_are_kept_and_as_many_as_allowed(backend):
    store = backend.store(max_variants=3)
    leases = lease(store)
    keys = [key(query=str(number)) for number in range(10)]
    record = Item(key(), b"record", None)
    for each in keys:
        assert store.write([Item(each, each.name.encode(), None), record], leases)
    kept = [each for each in keys if store.read(each, ()).data]
    assert kept == keys[-3:]
    assert store.read(key(), ()).data == b"record"
    put(store, key=key("/other/"))
    assert store.read(keys[-1], ()).data == keys[-1].name.encode()
