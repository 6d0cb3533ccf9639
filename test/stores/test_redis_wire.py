"""The connections of RedisStore: what they cost, how they are shared, what becomes of one that fails."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import redis
from asgiref.sync import async_to_sync
from django.core.cache import caches
from django.test import override_settings

from dumper import conf
from dumper.rules.frames import IDENTITY
from dumper.stores import connections as connections_module
from dumper.stores import loops, make
from dumper.stores.base import Item, Proof
from dumper.stores.connections import packed
from dumper.stores.redis import RedisStore
from test.servers import ROOT
from test.stores.backends import OWN_REDIS
from test.stores.helpers import PAGE, PATH, TAGS, hold, key, lease, on_loop, one_loop, put, served
from test.stores.test_redis import commands

pytestmark = pytest.mark.slow
DATA = bytes(range(256)) * 2000


@contextmanager
def store_on(location, **alias):
    with override_settings(CACHES={"default": {"BACKEND": OWN_REDIS, "LOCATION": location, **alias}}):
        store = make(conf.settings())
        yield store
        store.client.close()
        caches.close_all()


@pytest.fixture
def store(redis_server):
    """On a server that nobody else is connected to."""
    redis_server.flush()
    with store_on(redis_server.url) as store:
        store.client.client_kill_filter(_type="normal", skipme=True)
        yield store


@pytest.fixture(params=["sync", "async"])
def either(request, store):
    """The store by its sync methods, and by its async ones on one loop."""
    if request.param == "sync":
        yield store
    else:
        with one_loop() as run:
            yield on_loop(store, run)


class Interrupted(BaseException):
    pass


def connections(store):
    """The server's numbers of all connections but that of the client that asks."""
    own = store.client.client_id()
    return {int(client["id"]) for client in store.client.client_list()} - {own}


COMMANDS = [("GET", "ü"), ("SET", b"\0\r\n", 7), ("SET", "", 1.5), ("EVAL", "x" * 100_000, 0)]


def test_commands_are_packed_as_redis_py_packs_them(store):
    connection = store.client.connection_pool.connection_class()
    data, count = packed(*COMMANDS)
    assert data == b"".join(connection.pack_commands(COMMANDS))
    assert count == len(COMMANDS)


def test_a_confirmation_is_one_round_trip_that_moves_no_page(either, monkeypatch):
    proof = Proof(put(either, DATA), {PAGE: DATA[:IDENTITY], key(query="a"): b""})
    assert either.confirm(proof)
    before = either.client.info("stats")["total_net_output_bytes"]
    commands(either)
    assert either.confirm(proof)
    assert commands(either) == {"mget": 1, "getrange": 2}
    assert either.client.info("stats")["total_net_output_bytes"] - before < 20_000


def test_one_connection_is_used_again_and_again(either):
    put(either)
    before = connections(either)
    for _ in range(50):
        put(either)
        assert either.read(PAGE, TAGS).data == b"page"
    assert connections(either) == before


def test_an_error_amid_other_answers_leaves_nothing_in_the_connection(either):
    leases = put(either)
    either.client.delete(either.response_name(PAGE))
    either.client.rpush(either.response_name(PAGE), "a list")  # GETRANGE is refused, MGET is not
    proof = Proof(leases, {PAGE: b"page", key("/other/"): b""})
    before = connections(either)
    for _ in range(3):
        assert not either.confirm(proof)
        assert either.entries([PATH])[PATH].generation == leases[PATH]
    assert connections(either) == before


def test_a_refusal_is_raised_and_the_connection_kept(either):
    either.release([PATH], "none")
    leases = put(either)
    before = connections(either)
    either.client.config_set("min-replicas-to-write", 1)
    try:
        for change in (
            lambda: either.write([Item(PAGE, b"page", None)], leases),
            lambda: either.lease(["unknown"]),
            lambda: either.hold([PATH], hold()),
        ):
            with pytest.raises(redis.ResponseError, match="NOREPLICAS"):
                change()
    finally:
        either.client.config_set("min-replicas-to-write", 0)
    put(either)
    assert connections(either) == before


@pytest.mark.parametrize("name", ["read", "entries", "lease", "write", "confirm", "hold"])
def test_a_connection_that_the_server_has_closed_is_replaced_unnoticed(either, name):
    leases = put(either)
    proof = Proof(leases, {PAGE: b"page"})
    before = connections(either)
    for number in before:
        either.client.client_kill_filter(_id=number)
    calls = {
        "read": lambda: served(either, leases) == b"page",
        "entries": lambda: either.entries(TAGS)[PATH],
        "lease": lambda: lease(either) == leases,
        "write": lambda: put(either) == leases,
        "confirm": lambda: either.confirm(proof),
        "hold": lambda: either.hold([PATH], hold()) is None,
    }
    assert calls[name]()
    assert not connections(either) & before


def test_threads_share_the_connections_and_none_reads_the_answer_of_another(store):
    for number in range(8):
        put(store, b"%d" % number, key(f"/{number}/"))

    def look(number):
        page, call = key(f"/{number}/"), store.read if number % 2 else async_to_sync(store.aread)
        return {call(page, TAGS).data for _ in range(150 if number % 2 else 20)} == {b"%d" % number}

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(look, range(8)))
    assert len(connections(store)) <= 8


def test_what_a_signal_has_interrupted_is_not_put_back(store):
    put(store, DATA)
    before = connections(store)

    def interrupt(*args):
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, interrupt)
    try:
        store.client.client_pause(300)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            store.lease(TAGS)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
        store.client.client_unpause()
    assert store.read(PAGE, ()).data == DATA
    assert not connections(store) & before


def test_a_fork_has_connections_of_its_own_and_leaves_those_of_its_parent_alone(either):
    pages = [key(f"/{number}/") for number in range(2)]
    for number, page in enumerate(pages):
        put(either, b"%d" % number * 50_000, page)
    before = connections(either)
    if not (child := os.fork()):
        child_store = either if type(either) is RedisStore else on_loop(either)  # a loop is not shared, either
        os._exit({child_store.read(pages[1], ()).data for _ in range(100)} != {b"1" * 50_000})
    mine = {either.read(pages[0], ()).data for _ in range(300)}
    assert os.waitpid(child, 0)[1] == 0
    assert mine == {b"0" * 50_000}
    assert either.read(pages[0], ()).data == b"0" * 50_000
    assert before <= connections(either)


@pytest.mark.parametrize("module", [connections_module, loops], ids=["sync", "async"])
def test_what_was_interrupted_between_two_answers_is_not_put_back(store, monkeypatch, module):
    proof = Proof(put(store), {PAGE: b"page"})
    answer, answers = module._answer, []

    def interrupted(connection):
        if answers:
            raise Interrupted
        answers.append(answer(connection))
        return answers[0]

    with one_loop() as run:
        each = store if module is connections_module else on_loop(store, run)
        assert each.confirm(proof)
        with monkeypatch.context() as patch:
            patch.setattr(module, "_answer", interrupted)
            with pytest.raises(Interrupted):
                each.confirm(proof)
        assert each.entries([PATH])[PATH].generation == proof.generations[PATH]


def test_a_loop_that_was_forked_does_not_use_the_connections_of_its_parent(store):
    with one_loop() as run:
        put(on_loop(store, run))
        before = connections(store) | {store.client.client_id()}
        if not (child := os.fork()):
            run(store.aread, PAGE, TAGS)
            os._exit(len(connections(store) - before) != 1)
        assert os.waitpid(child, 0)[1] == 0


def test_nothing_is_left_open_at_the_end_of_a_process(redis_server):
    code = (
        "import asyncio, gc, sys\n"
        "from django.conf import settings\n"
        f"settings.configure(CACHES={{'default': {{'BACKEND': {OWN_REDIS!r}, 'LOCATION': {redis_server.url!r}}}}})\n"
        "from dumper.conf import settings\n"
        "from dumper.stores import make\n"
        "store = make(settings())\n"
        "store.lease(['tag'])\n"
        "asyncio.run(store.aentries(['tag']))\n"
        "asyncio.run(store.aentries(['tag']))\n"
        "if len(sys.argv) > 1: del store; gc.collect()\n"
    )
    for more in ([], ["collected"]):
        command = [sys.executable, "-W", "error", "-c", code, *more]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
