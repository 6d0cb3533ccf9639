"""What a feed tells of a server that is well, and when it says that this is all."""

import threading
import time

import pytest
import redis

from test.near.feeds import BOUND, Watched, until
from test.near.proxy import Proxy
from test.servers import RedisServer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server():
    with RedisServer() as server:
        yield server


@pytest.fixture
def client(server):
    with redis.Redis(port=server.port) as client:
        client.flushall()
        yield client


@pytest.fixture
def feed(server, client):
    with Watched(server.port) as feed:
        yield feed


@pytest.fixture
def proxy(server):
    with Proxy(server.port) as proxy:
        yield proxy


def test_it_is_not_current_before_it_is_connected_and_forgets_what_was_there_before(server):
    feed = Watched(server.port)
    assert not feed.is_current()
    until(feed.is_current)
    assert feed.told == [None]
    feed.close()


CHANGES = {
    "set": lambda client: client.set("p:a", "new"),
    "set again to the same": lambda client: client.set("p:a", "old"),
    "deleted": lambda client: client.delete("p:a"),
    "unlinked": lambda client: client.unlink("p:a"),
    "renamed": lambda client: client.rename("p:a", "q:a"),
    "given a time to live": lambda client: client.expire("p:a", 100),
    "expired": lambda client: client.pexpire("p:a", 20),
    "expired and not asked for": lambda client: client.set("p:a", "new", px=20),
    "changed in a script": lambda client: client.eval("redis.call('set', KEYS[1], 'new')", 1, "p:a"),
    "changed in a transaction": lambda client: client.pipeline().set("p:a", "new").set("q:a", "new").execute(),
    "changed in a transaction in the middle": lambda client: client.pipeline().set("p:a", 1).delete("p:a").execute(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_it_tells_of_a_key_that_was(feed, client, change):
    client.set("p:a", "old")
    feed.hears(b"p:a")
    feed.told.clear()
    change(client)
    feed.hears(b"p:a")


def test_it_tells_of_a_key_that_was_evicted(feed, client):
    names = {f"p:{number}": b"x" * 2000 for number in range(1000)}
    client.mset(names)
    feed.hears(*map(str.encode, names))
    feed.told.clear()
    try:
        client.config_set("maxmemory-policy", "allkeys-random")
        client.config_set("maxmemory", client.info()["used_memory"] - 500_000)
        client.set("q:more", b"x")
        gone = until(lambda: {name.encode() for name in names} - set(client.keys("p:*")))
    finally:
        client.config_set("maxmemory", 0)
        client.config_set("maxmemory-policy", "noeviction")
    feed.hears(*gone)


def test_it_tells_of_nothing_beyond_its_prefix(feed, client):
    client.mset({"q:a": 1, "p": 1, "xp:a": 1, "p:a": 1})
    feed.hears(b"p:a")
    assert feed.names == {b"p:a"}


@pytest.mark.parametrize("flush", ["flushall", "flushdb"])
def test_all_is_forgotten_when_the_server_was_emptied(feed, client, flush):
    client.set("p:a", 1)
    feed.hears(b"p:a")
    getattr(client, flush)()
    until(lambda: feed.is_current() and None in feed.told)
    assert feed.tries == 1, "for that it needs no new connection"


def test_names_may_have_any_bytes(feed, client):
    names = [b"p:\r\n", b"p:\xff\x00", b"p:" + b"x" * 100_000, b"p:"]
    for name in names:
        client.set(name, 1)
    feed.hears(*names)


def test_it_tells_of_many_keys_that_changed_at_once(feed, client):
    names = {f"p:{number:0100}": 1 for number in range(30_000)}  # more than one question takes from the socket
    client.mset(names)
    feed.hears(*map(str.encode, names))


def test_until_it_has_told_of_all_that_has_arrived_it_is_not_current(feed, client):
    names = {f"p:{number:0100}": 1 for number in range(30_000)}
    client.mset(names)
    until(lambda: feed.is_current() or feed.told)
    while len(feed.names) < len(names):
        assert not feed.is_current() or len(feed.names) == len(names)


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_messages_may_come_in_pieces(proxy, client, piece):
    proxy.piece = piece
    with Watched(proxy.port) as feed:
        names = {f"p:{number}": 1 for number in range(300)}
        client.mset(names)
        client.set("p:a", 1)
        feed.hears(*map(str.encode, names), b"p:a")


def test_other_messages_of_the_server_are_passed_over(proxy, client):
    with Watched(proxy.port) as feed:
        proxy.inject(b">3\r\n$6\r\nMOVING\r\n:1\r\n*2\r\n_\r\n:15\r\n")
        client.publish("dumper-feed", "invalidate")
        client.set("p:a", 1)
        feed.hears(b"p:a")
        assert feed.names == {b"p:a"}


def test_it_stays_current_as_long_as_it_is_asked(feed):
    first = time.monotonic()
    until(lambda: feed.is_current() and time.monotonic() > first + 4 * BOUND)
    assert feed.told == []
    assert feed.tries == 1


def test_it_asks_for_a_proof_four_times_within_its_bound_and_not_more_often(proxy):
    with Watched(proxy.port) as feed:
        began, proxy.said[:] = time.monotonic(), b""
        while time.monotonic() < began + 3 * BOUND:
            feed.is_current()
        assert 3 <= proxy.said.count(b"PING") <= (time.monotonic() - began) / BOUND * 4 + 1


def test_a_process_that_is_idle_says_nothing_and_its_first_question_is_answered_with_no(proxy):
    with Watched(proxy.port) as feed:
        time.sleep(BOUND)
        proxy.said.clear()
        time.sleep(BOUND)
        assert not proxy.said
        assert not feed.is_current()
        until(feed.is_current)
        assert feed.told == []
        assert proxy.said.startswith(b"PING")


def test_what_is_told_is_passed_on_before_another_thread_is_told_that_it_is_current(server, client):
    entered, go_on, answers = threading.Event(), threading.Event(), []

    class Slow(Watched):
        def hear(self, names):
            if names:
                entered.set()
                go_on.wait(30)
            super().hear(names)

    def ask():
        until(feed.is_current)
        answers.append(feed.names)

    with Slow(server.port) as feed:
        client.set("p:a", 1)
        first = threading.Thread(target=lambda: until(lambda: feed.is_current() and feed.names))
        first.start()
        assert entered.wait(30)
        second = threading.Thread(target=ask)
        second.start()
        second.join(0.3)
        assert not answers
        go_on.set()
        first.join()
        second.join()
        assert answers == [{b"p:a"}]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_what_could_not_be_passed_on_makes_it_forget_all(server, client, failure):
    class Failing(Watched):
        def hear(self, names):
            super().hear(names)
            if names:
                raise failure

    with Failing(server.port) as feed:
        client.set("p:a", 1)
        with pytest.raises(failure):
            until(lambda: feed.is_current() and False)
        assert feed.told == [[b"p:a"], None]
        assert not feed.is_current()
        feed.comes_back()


def listeners(client):
    return [one for one in client.client_list() if one["name"].startswith("dumper-feed-")]


def test_once_closed_it_is_never_current_and_has_left_the_server(feed, client):
    assert len(listeners(client)) == 1
    feed.close()
    assert not feed.is_current()
    until(lambda: not listeners(client))
    time.sleep(0.1)
    assert not feed.is_current()
    assert feed.tries == 1


def test_closed_while_it_connects_it_leaves_the_server_again(proxy, client):
    proxy.delay = 0.1
    feed = Watched(proxy.port)
    feed.is_current()
    feed.close()
    until(lambda: b"TRACKING" in proxy.said)
    until(lambda: not listeners(client) and not feed._is_trying)
    assert not feed.is_current()
    assert feed._link is None
