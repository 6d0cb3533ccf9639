"""A feed whose server, network or permission goes away: all is forgotten in time, and nothing waits."""

import logging
import time

import pytest
import redis

from dumper.near import feed as feeds
from test.near.feeds import BOUND, Watched, never_current, until
from test.near.proxy import Proxy
from test.servers import RedisServer

pytestmark = pytest.mark.slow


@pytest.fixture
def server():
    """One that may be paused and killed."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def client(server):
    with redis.Redis(port=server.port) as client:
        yield client


@pytest.fixture
def proxy(server):
    with Proxy(server.port) as proxy:
        yield proxy


def test_a_connection_that_was_cut_makes_it_forget_all(proxy):
    with Watched(proxy.port) as feed:
        proxy.cut()
        feed.loses_all()
        feed.comes_back()
        assert feed.tries == 2


def test_what_changed_while_there_was_no_connection_is_forgotten_too(proxy, client):
    with Watched(proxy.port) as feed:
        proxy.cut()
        feed.loses_all()
        client.set("p:a", 1)
        feed.comes_back()
        client.set("p:b", 1)
        until(lambda: feed.is_current() and b"p:b" in feed.names)


@pytest.mark.parametrize("who", ["server", "network"])
def test_it_is_not_current_for_longer_than_its_bound_while_nobody_answers(server, proxy, who):
    with Watched(proxy.port) as feed:
        if who == "server":
            server.pause()
        else:
            proxy.is_silent = True
        never_current(feed, 4 * BOUND, after=time.monotonic() + BOUND)
        feed.loses_all()
        if who == "server":
            server.resume()
        proxy.is_silent = False
        feed.comes_back()


def test_what_was_on_its_way_when_the_network_fell_silent_counts(proxy):
    proxy.delay = 0.15
    with Watched(proxy.port) as feed:
        time.sleep(BOUND)
        assert not feed.is_current()
        until(feed.is_current)  # the proof has come this moment
        proxy.is_silent = True
        lost_since = time.monotonic() - proxy.delay
        never_current(feed, 4 * BOUND, after=lost_since + BOUND)


def test_no_question_waits_for_a_server_that_hangs(server):
    with Watched(server.port, socket_timeout=20) as feed:
        server.pause()
        feed.loses_all()
        until(lambda: feed.is_current() or feed.tries == 2)  # and now it waits for an answer, in its thread
        began = time.monotonic()
        for _ in range(100):
            assert not feed.is_current()
        assert time.monotonic() - began < 10
        never_current(feed, 1.5 * feeds.RETRY_DELAY)
        assert feed.tries == 2, "one try at a time"
        server.resume()


def test_a_restart_of_the_server_makes_it_forget_all(server, client):
    with Watched(server.port) as feed:
        server.stop(kill=True)
        feed.loses_all()
        server.start()
        feed.comes_back()
        client.set("p:a", 1)
        until(lambda: feed.is_current() and b"p:a" in feed.names)


def test_a_client_that_the_server_has_thrown_out_comes_back(server, client):
    with Watched(server.port) as feed:
        assert client.client_kill_filter(_type="pubsub") == 1
        feed.loses_all()
        feed.comes_back()


def test_a_server_keeps_only_so_much_for_a_process_that_does_not_ask(server, client):
    client.config_set("client-output-buffer-limit", "pubsub 100kb 0 0")
    with Watched(server.port) as feed:
        for start in range(0, 20_000, 1000):
            client.mset({f"p:{start + number}".ljust(2000, "x"): 1 for number in range(1000)})
        until(lambda: not client.client_list(_type="pubsub"))
        feed.loses_all()
        feed.comes_back()


GARBAGE = {
    "no message": b"HTTP/1.1 200 OK\r\n",
    "an invalidation without names": b">1\r\n$10\r\ninvalidate\r\n",
    "an invalidation of a number": b">2\r\n$10\r\ninvalidate\r\n:1\r\n",
    "an invalidation of a name alone": b">2\r\n$10\r\ninvalidate\r\n$3\r\np:a\r\n",
    "an invalidation of numbers": b">2\r\n$10\r\ninvalidate\r\n*1\r\n:1\r\n",
    "a reply too many": b"+OK\r\n",
    "an answer to a PING that was not sent yet": b"+PONG\r\n+PONG\r\n",
    "a reply of another kind": b":1\r\n",
    "an error": b"-BUSY script\r\n",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_what_it_does_not_understand_makes_it_forget_all(proxy, garbage):
    with Watched(proxy.port) as feed:
        proxy.inject(garbage)
        feed.loses_all()
        feed.comes_back()
        assert feed.tries == 2


def test_another_reply_is_no_answer_to_a_ping(proxy):
    with Watched(proxy.port) as feed:
        proxy.is_silent = True
        time.sleep(BOUND)
        assert not feed.is_current()  # the PING is on its way
        proxy.inject(b"+OK\r\n")
        assert until(lambda: feed.is_current() or feed.told) == [None]
        assert not feed.is_current()


def test_it_says_once_that_a_connection_was_lost(proxy, caplog):
    with Watched(proxy.port) as feed, caplog.at_level(logging.INFO, "dumper.store"):
        proxy.refuse()
        proxy.cut()
        feed.loses_all()
        until(lambda: feed.is_current() or feed.tries >= 3)
        (record,) = caplog.records
        assert record.levelname == "WARNING"


def test_between_two_tries_to_connect_time_goes_by(server):
    server.stop()
    feed = Watched(server.port)
    began = time.monotonic()
    while time.monotonic() < began + 2.5 * feeds.RETRY_DELAY:
        assert not feed.is_current()
    assert 2 <= feed.tries <= (time.monotonic() - began) / feeds.RETRY_DELAY + 1
    feed.close()


RULES = {
    "tracking": "-client|tracking",
    "subscriptions": "-subscribe",
    "the channel": "resetchannels",
    "its name": "-client|setname",
    "proofs": "-ping",
}


@pytest.fixture(params=RULES.values(), ids=RULES)
def forbidden(request, server, client, monkeypatch):
    """A feed of a user who may not do something that it takes."""
    monkeypatch.setattr(feeds, "RETRY_DELAY", 0.05)
    client.execute_command("ACL SETUSER", "reader", "on", ">secret", "~*", "&*", "+@all", request.param)
    feed = Watched(server.port, username="reader", password="secret")
    yield feed
    feed.close()


def test_a_server_that_does_not_tell_this_user_is_left_alone(forbidden, caplog):
    until(lambda: forbidden.is_current() or caplog.records)
    never_current(forbidden, 0.5)
    assert forbidden.tries == 1


def test_it_says_once_that_the_server_does_not_tell_this_user(forbidden, client, caplog, monkeypatch):
    monkeypatch.setattr(feeds, "REFUSED_DELAY", 0.2)
    until(lambda: forbidden.is_current() or forbidden.tries == 4)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "NOPERM" in caplog.text
    client.execute_command("ACL SETUSER", "reader", "+@all", "&*")
    until(forbidden.is_current)


class OldServer(RedisServer):
    """Knows not all commands."""

    def __init__(self, missing):
        super().__init__()
        self.missing = missing

    def command(self):
        return *super().command(), "--rename-command", self.missing, ""


@pytest.mark.parametrize("missing", ["HELLO", "CLIENT"])
def test_a_server_that_is_too_old_is_none_that_failed(missing, caplog):
    with OldServer(missing) as server:
        feed = Watched(server.port)
        until(lambda: feed.is_current() or "does not tell of changes" in caplog.text)
        never_current(feed, 1.2 * feeds.RETRY_DELAY)
        assert feed.tries == 1
        feed.close()
