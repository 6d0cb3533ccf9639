"""Proofs: what has to be so in the store for a copy of a stored response to be true, on every backend."""

import pytest

from dumper.rules.frames import IDENTITY
from dumper.rules.tags import SITE, named_tag
from dumper.stores.base import Item, Proof
from test.stores.helpers import PAGE, PATH, TAGS, hold, key, lease, put

TAG = named_tag("some tag")
VARIANT = key(query="a=1")
#: what is stored: as long as an identity, shorter, longer
IDENTITIES = {"just": b"i" * IDENTITY, "short": b"short", "long": b"a page, whose first bytes tell it from another"}


@pytest.fixture(params=["sync", "async"])
def mode(request):
    return request.param


@pytest.fixture
def proof(store):
    """Of a variant, with the record that led to it."""
    leases = lease(store, (*TAGS, TAG))
    items = [Item(VARIANT, IDENTITIES["long"], None), Item(PAGE, b"record", None)]
    assert store.write(items, leases)
    return Proof(leases, {item.key: item.data[:IDENTITY] for item in items})


@pytest.mark.parametrize("data", IDENTITIES.values(), ids=IDENTITIES)
def test_a_proof_is_confirmed_as_long_as_nothing_changes(store, data):
    proof = Proof(put(store, data), {PAGE: data[:IDENTITY]})
    assert store.confirm(proof)
    put(store, b"of another path", key("/other/"))
    assert store.confirm(proof)


def test_one_of_several_responses_is_confirmed(store, proof):
    assert store.confirm(proof)
    assert store.confirm(proof)


@pytest.mark.parametrize("tag", [PATH, SITE, TAG])
def test_no_proof_is_confirmed_while_or_after_a_tag_is_held(store, proof, tag):
    assert store.confirm(proof)
    store.hold([tag], hold())
    assert not store.confirm(proof)
    store.release([tag], "holder")
    assert not store.confirm(proof)


@pytest.mark.parametrize("tag", [PATH, SITE, TAG])
def test_no_proof_is_confirmed_after_a_release(store, proof, tag):
    store.release([tag], "none")
    assert not store.confirm(proof)


@pytest.mark.parametrize("changed", [VARIANT, PAGE], ids=["variant", "record"])
def test_no_proof_of_a_response_is_confirmed_after_another_was_stored(store, proof, changed):
    assert store.confirm(proof)
    assert store.write([Item(changed, b"another, as true as the first", None)], proof.generations)
    assert not store.confirm(proof)


@pytest.mark.parametrize("index", range(5), ids=["variant", "path", "site", "tag", "record"])
def test_no_proof_is_confirmed_after_an_eviction(store, backend, proof, index):
    names = [*backend.names(store, VARIANT, *TAGS, TAG), *backend.names(store, PAGE)]
    backend.evict(names[index])
    assert not store.confirm(proof)


@pytest.mark.parametrize("index", range(5), ids=["variant", "path", "site", "tag", "record"])
def test_no_proof_is_confirmed_by_garbage(store, backend, proof, index):
    names = [*backend.names(store, VARIANT, *TAGS, TAG), *backend.names(store, PAGE)]
    backend.spoil(names[index], b"garbage")
    assert not store.confirm(proof)


def test_two_proofs_are_equal_whether_they_were_confirmed_or_not(store, proof):
    other = Proof(dict(proof.generations), dict(proof.identities))
    assert store.confirm(proof)
    assert other == proof
    assert other != Proof(proof.generations, {})


def test_what_one_store_has_confirmed_another_looks_for_in_its_own_place(store, backend, proof):
    assert store.confirm(proof)
    other = backend.store(key_prefix="elsewhere.")
    assert not other.confirm(proof)
    assert store.confirm(proof)
