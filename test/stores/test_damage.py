"""Damaged and foreign values, on every backend: each is a miss, and mended by the next lease."""

import pickle

import pytest

from dumper.stores.base import Item
from test.stores.helpers import PATH, SITE, TAGS, hold, key, lease, put, served

NO_ENTRY = [
    b"",
    b"17",
    b"\xff\xfe" * 40,
    b"1",
    b"1 ",
    b"1 ABC",
    b"1 abc ",
    b"1 abc\n",
    b"1 abc holder",
    b"1 abc holder=1.2.3",
    b"1 abc holder=.5",
    b"2 abc",
    b"null",
    b'{"a": 1}',
    b'"1 abc',
    b"[" * 100_000,
    b"9" * 5000,
    pickle.dumps({"a": "dict"}),
    pickle.dumps(bytes(1000))[:-9],
    b"cno.such.module\nName\n.",
    b"\x8e" + b"\xff" * 8 + b".",  # a pickle of impossible length
    b"\x93NUMPY",
]

garbage = pytest.mark.parametrize("data", NO_ENTRY, ids=lambda data: repr(data)[:24])


@garbage
def test_garbage_for_an_entry_is_a_miss_and_mended(store, backend, data):
    leases = put(store)
    names = backend.names(store, key(), *TAGS)[1:]
    for name in names:
        backend.spoil(name, data)
    assert served(store, leases) is None
    assert not store.write([Item(key(), b"old", None)], leases)
    for name in names:
        backend.spoil(name, data)
    assert not set(put(store, b"new").values()) & set(leases.values())


@garbage
def test_an_entry_is_held_and_released_over_garbage(store, backend, data):
    for change in (lambda: store.hold(TAGS, hold()), lambda: store.release(TAGS, "holder")):
        for name in backend.names(store, key(), *TAGS)[1:]:
            backend.spoil(name, data)
        change()
    lease(store)
    put(store)


@garbage
def test_garbage_for_a_page_never_raises_and_is_replaced(store, backend, data):
    leases = put(store)
    backend.spoil(backend.names(store, key())[0], data)
    assert store.read(key(), TAGS).data != b"page"
    assert put(store, b"new") == leases


def test_a_truncated_page_never_raises(store, backend):
    leases = put(store, b"page" * 100)
    backend.spoil(backend.names(store, key())[0], b"\x80\x05" + b"B" * 30)
    data, entries = store.read(key(), TAGS)
    assert data != b"page" * 100
    assert {tag: entry.generation for tag, entry in entries.items()} == leases


def test_values_of_another_redis_type_are_a_miss_and_mended(backend, store):
    """Any value stands for them where there are no types, and in shards: there, django-redis raises on a read."""
    leases = put(store)
    client = getattr(backend, "client", None)
    for index, name in enumerate(backend.names(store, key(), PATH, SITE)):
        if not hasattr(client, "rpush") or "sharded" in backend.id:
            backend.spoil(name, b"list")
            continue
        client.delete(name)
        (client.rpush, client.sadd)[index % 2](name, "member")
    assert served(store, leases) is None
    store.hold([SITE], hold())
    store.release([SITE], "holder")
    put(store, b"new")
