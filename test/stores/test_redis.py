"""What RedisStore does beyond the contract: round trips, what is left behind, a server that does not answer."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
import redis
from django.core.cache import caches
from django.test import override_settings

from dumper import conf
from dumper.rules.tags import path_tag
from dumper.stores import make
from dumper.stores.base import Item
from dumper.stores.redis import CHUNK, RedisStore
from dumper.stores.scripts import SWEEP
from test.stores.backends import DJANGO_REDIS, OWN_REDIS
from test.stores.helpers import PATH, SITE, TAGS, hold, key, lease, put, served

pytestmark = pytest.mark.slow


@pytest.fixture
def alias(request):
    return getattr(request, "param", {"BACKEND": DJANGO_REDIS})


@pytest.fixture
def store(redis_server, alias):
    redis_server.flush()
    with override_settings(CACHES={"default": {"LOCATION": redis_server.url, **alias}}):
        store = make(conf.settings())
        assert type(store) is RedisStore
        yield store
        store.client.close()
        caches.close_all()


def commands(store):
    """How often each command was called, those of scripts included, since the last call."""
    stats = store.client.info("commandstats")
    store.client.config_resetstat()
    own = {"config|resetstat", "info", "client|setinfo", "hello", "client|maint_notifications"}
    return {name[8:]: stats[name]["calls"] for name in stats if name[8:] not in own}


def round_trips(store, monkeypatch):
    """How often bytes are sent by the store's client."""
    sent = []
    connection_class = store.client.connection_pool.connection_class
    send = connection_class.send_packed_command

    def counted(connection, command, *args, **kwargs):
        sent.append(command)
        return send(connection, command, *args, **kwargs)

    monkeypatch.setattr(connection_class, "send_packed_command", counted)
    return sent


def test_a_look_up_is_one_command(store, monkeypatch):
    put(store)
    commands(store)
    store.read(key(), TAGS)
    assert commands(store) == {"mget": 1}
    sent = round_trips(store, monkeypatch)
    store.read(key(), TAGS)
    assert len(sent) == 1


def test_leasing_writing_holding_and_releasing_are_one_round_trip_each(store, monkeypatch):
    put(store)
    store.hold(TAGS, hold())
    store.release(TAGS, "holder")  # the server knows all scripts by now
    sent = round_trips(store, monkeypatch)
    leases = {tag: entry.generation for tag, entry in store.lease(TAGS).items()}
    assert len(sent) == 1
    assert store.write([Item(key(), b"page", None)], leases)
    assert len(sent) == 2
    store.hold(TAGS, hold())
    store.release(TAGS, "holder")
    assert len(sent) == 4


def test_keys_are_never_scanned_and_the_cost_of_clearing_does_not_grow(store):
    store.release([SITE], "none")  # the server knows the script from now on
    costs = []
    for pages in (2, 20):
        for number in range(pages):
            put(store, key=key(f"/{number}/"))
        commands(store)
        store.release([SITE], "none")
        costs.append(commands(store))
        store.sweep()
        assert not {"keys", "scan", "sscan", "flushdb", "flushall"} & commands(store).keys()
    assert costs[0] == costs[1]


def test_every_variant_of_a_released_path_is_gone(store):
    for number in range(50):
        put(store, key=key("/page/", f"number={number}"))
    put(store, key=key("/other/"))
    before = store.client.dbsize()
    store.release([PATH], "none")
    assert before - store.client.dbsize() == 51  # with the set of their names
    assert store.read(key("/other/"), ()).data == b"page"


def test_a_sweep_leaves_no_page_behind(store):
    paths = [f"/{number}/" for number in range(CHUNK + 20)]
    for path in paths:
        put(store, key=key(path))
    store.release([SITE], "none")
    store.sweep()
    left = store.client.keys()  # the test may
    assert len(left) == len(paths) + 1
    assert all(name.endswith(b"}g") for name in left)


def test_an_interrupted_sweep_is_taken_up_again(store, monkeypatch):
    paths = [f"/{number}/" for number in range(2 * CHUNK)]
    for path in paths:
        put(store, key=key(path))
    script, calls = store.script, []

    def interrupted(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return script(*args)

    monkeypatch.setattr(store, "script", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.sweep()
    assert [call[0] for call in calls] == [SWEEP, SWEEP]
    put(store, b"stored in between", key=key("/new/"))
    store.sweep()
    assert {store.read(key(path), ()).data for path in (*paths, "/new/")} == {None}


def test_a_sweep_mends_its_own_account(store):
    for name in (store.paths, store.cleared):
        leases = put(store)
        store.client.delete(name)
        store.client.rpush(name, "garbage")
        store.sweep()
        assert served(store, leases) == b"page"
        assert store.client.exists(store.paths, store.cleared) == 0
    store.client.sadd(store.paths, b"\xff\xfe")
    put(store)
    store.client.rpush(store.cleared, "garbage")
    store.sweep()
    put(store)
    store.sweep()
    assert store.read(key(), ()).data is None


def test_a_refusal_of_the_server_is_not_taken_for_garbage(store):
    put(store)
    maximum = store.client.config_get("maxmemory")["maxmemory"]
    store.client.config_set("maxmemory", 1)
    try:
        with pytest.raises(redis.ResponseError, match="maxmemory"):
            store.sweep()
    finally:
        store.client.config_set("maxmemory", maximum)
    store.sweep()
    assert store.read(key(), ()).data is None


def test_a_full_server_serves_what_it_has_and_adds_nothing(store):
    leases = put(store)
    many = [path_tag(f"/{number}/") for number in range(CHUNK + 1)]
    maximum = store.client.config_get("maxmemory")["maxmemory"]
    store.client.config_set("maxmemory", 1)
    try:
        assert store.lease(many) == dict.fromkeys(many)
        assert served(store, leases) == b"page"
    finally:
        store.client.config_set("maxmemory", maximum)
    assert all(store.lease(many).values())


JSON = {"SERIALIZER": "django_redis.serializers.json.JSONSerializer"}
ALIASES = [
    {"BACKEND": DJANGO_REDIS, "OPTIONS": {**JSON, "COMPRESSOR": "django_redis.compressors.zlib.ZlibCompressor"}},
    {"BACKEND": DJANGO_REDIS, "OPTIONS": {"CONNECTION_POOL_KWARGS": {"decode_responses": True}}},
    {"BACKEND": DJANGO_REDIS, "OPTIONS": {"CONNECTION_POOL_CLASS": "redis.BlockingConnectionPool"}},
    {"BACKEND": OWN_REDIS, "OPTIONS": {"decode_responses": True, "db": 3, "protocol": 3}},
]


@pytest.mark.parametrize("alias", ALIASES, indirect=True, ids=["json-zlib", "decoding", "blocking", "own"])
def test_what_the_alias_does_to_values_does_not_matter(store):
    put(store, bytes(range(256)))
    store.hold(TAGS, hold())
    store.release(TAGS, "holder")
    put(store, b"raw bytes")
    assert store.client.get(store.response_name(key())) == b"raw bytes"
    assert store.client.get(store.entry_name(SITE)).startswith(b"1 g")


def test_no_value_is_a_pickle(store):
    put(store)
    store.hold([PATH], hold())
    for name in store.client.scan_iter():
        kind = store.client.type(name)
        read = {b"set": store.client.smembers, b"zset": lambda name: store.client.zrange(name, 0, -1)}
        values = read[kind](name) if kind in read else [store.client.get(name)]
        assert all(value.isascii() for value in values)


def test_scripts_that_the_server_has_forgotten_are_sent_again(store):
    changes = [
        lambda: put(store),
        lambda: store.hold(TAGS, hold()),
        lambda: store.release(TAGS, "holder"),
        lambda: put(store),
        store.sweep,
    ]
    for change in changes:
        store.client.script_flush()
        change()
    leases = lease(store)
    store.client.script_flush()
    assert store.write([Item(key(), b"page", None)], leases)


def hold_and_release(location, name):
    """In a process of its own: hold a tag again and again; each hold stands until it is released."""
    with override_settings(CACHES={"default": {"BACKEND": OWN_REDIS, "LOCATION": location}}):
        store = make(conf.settings())
        for number in range(100):
            holder = f"{name}x{number}"
            store.hold([PATH], hold(holder))
            before = store.entries([PATH])[PATH]
            assert holder in before.holds, f"{holder} was lost"
            store.release([PATH], holder)
            after = store.lease([PATH])[PATH]
            assert holder not in after.holds
            assert after.generation != before.generation
    return name


def test_processes_that_change_the_same_page_never_lose_a_hold(store, redis_server):
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as pool:
        jobs = [pool.submit(hold_and_release, redis_server.url, name) for name in "abcd"]
        assert [job.result(timeout=60) for job in jobs] == list("abcd")
    put(store)


def test_what_belongs_to_pages_with_lifetimes_passes_with_them(store):
    for number in range(3):
        put(store, key=key(f"/{number}/"), timeout=0.05)
    put(store, key=key("/forever/"))
    lasting = {name for name in store.client.scan_iter() if store.client.ttl(name) == -1}
    assert len(lasting) == 5  # the page that lasts, its entry, its set, the site's entry, the set of paths
