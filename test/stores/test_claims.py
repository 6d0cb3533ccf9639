"""Who renders what: the claims of the contract, on every backend."""

import time

import pytest

from dumper.crowd import VAIN
from dumper.rules.frames import framed, identity_of
from dumper.stores.base import Item
from test.stores.helpers import PAGE, PATH, hold, key, lease

OTHER = key("/other/")


@pytest.fixture(params=["sync", "async"])
def mode(request):
    return request.param


DATA = framed(b"TEST", ["head"], b"body")


def test_of_several_the_first_claims(store, backend):
    assert store.claim(PAGE, "one", 100) == ("one", None)
    assert backend.store().claim(PAGE, "two", 100) == ("one", None)
    assert store.claim(OTHER, "two", 100) == ("two", None)


def test_who_claims_again_keeps_it(store):
    for _ in range(2):
        assert store.claim(PAGE, "one", 100) == ("one", None)
    assert store.claim(PAGE, "two", 100).holder == "one"


def test_who_claims_is_told_what_is_stored_by_now(store):
    assert store.write([Item(PAGE, DATA, None)], lease(store))
    assert store.claim(PAGE, "one", 100) == ("one", identity_of(DATA))
    assert store.claim(PAGE, "two", 100) == ("one", None)


def test_what_is_given_back_is_free(store):
    store.claim(PAGE, "one", 100)
    store.unclaim(PAGE, "one", None)
    assert store.claim(PAGE, "two", 100).holder == "two"


def test_nobody_gives_back_what_another_holds(store):
    store.claim(PAGE, "one", 100)
    store.unclaim(PAGE, "two", None)
    assert store.claim(PAGE, "two", 100).holder == "one"
    store.unclaim(OTHER, "two", None)


@pytest.mark.parametrize("holder", ["one", "two"])
def test_what_is_in_vain_is_so_for_all(store, holder):
    store.claim(PAGE, "one", 100)
    store.unclaim(PAGE, holder, 100)
    for other in ("one", "two"):
        assert store.claim(PAGE, other, 100).holder == VAIN


def test_a_claim_passes_and_so_does_what_is_in_vain(store, backend):
    store.claim(PAGE, "one", backend.tick)
    store.claim(OTHER, "one", 100)
    store.unclaim(OTHER, "one", backend.tick)
    time.sleep(backend.tick + 1)
    assert store.claim(PAGE, "two", 100).holder == "two"
    assert store.claim(OTHER, "two", 100).holder == "two"


def test_what_is_stored_is_claimed_no_more(store):
    leases = lease(store)
    store.claim(PAGE, "one", 100)
    assert store.write([Item(PAGE, DATA, None)], leases)
    assert store.claim(PAGE, "two", 100).holder == "two"
    store.unclaim(PAGE, "two", 100)
    assert store.write([Item(key(query="a"), DATA, None), Item(PAGE, DATA, None)], leases)
    assert store.claim(PAGE, "two", 100).holder == "two"


def test_what_was_not_stored_is_claimed_still(store):
    leases = lease(store)
    store.claim(PAGE, "one", 100)
    store.hold([PATH], hold())
    assert not store.write([Item(PAGE, DATA, None)], leases)
    assert store.claim(PAGE, "two", 100).holder == "one"


@pytest.mark.parametrize("data", [b"", b"\x80garbage", b"one" * 1000], ids=["empty", "garbage", "long"])
def test_garbage_in_the_place_of_a_claim_passes_at_the_latest(store, data):
    """Nobody may take it for a page that was stored, nor may it raise."""
    name = store.claim_name(PAGE)
    if hasattr(store, "client"):
        store.client.set(name, data, px=50_000)
    else:
        store.in_form(store.cache.set, name, data, 50)
    assert store.claim(PAGE, "one", 100).identity is None
    store.unclaim(PAGE, "one", 100)
    assert store.claim(PAGE, "one", 100).holder == VAIN
