"""A feed in a process that forks."""

import json
import os
import time

import pytest
import redis

from test.near.feeds import BOUND, Watched, until

pytestmark = [
    pytest.mark.slow,
    # Of threads that are none of the feed's.
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
]


@pytest.fixture
def client(redis_server):
    with redis.Redis(port=redis_server.port) as client:
        yield client


@pytest.fixture
def feed(redis_server):
    with Watched(redis_server.port) as feed:
        yield feed


def in_child(work):
    """What ``work`` answers in a child of this process."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        try:
            os.write(writing, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        data = answer.read()
    assert os.waitpid(child, 0)[1] == 0
    assert data, "it failed"
    return json.loads(data)


def listeners(client):
    found = client.client_list(_type="pubsub")
    return {one["name"]: one["id"] for one in found if one["name"].startswith("dumper-feed-")}


def test_a_child_has_a_feed_of_its_own_and_the_parent_keeps_its_own(feed, client, redis_server):
    before = listeners(client)

    def child():
        was_current = feed.is_current()
        until(feed.is_current)
        with redis.Redis(port=redis_server.port) as own:
            own.set("p:child", 1)
            until(lambda: feed.is_current() and b"p:child" in feed.names)
            return was_current, feed.tries, f"dumper-feed-{os.getpid()}", listeners(own)

    was_current, tries, name, found = in_child(child)
    assert not was_current
    assert tries == 2
    assert found.keys() == {*before, name}
    feed.hears(b"p:child")
    client.set("p:a", 1)
    feed.hears(b"p:a")
    until(lambda: listeners(client) == before)
    assert feed.tries == 1


def test_a_child_takes_nothing_from_what_the_parent_is_told(feed, client):
    client.set("p:a", 1)

    def child():
        deadline = time.monotonic() + BOUND
        while time.monotonic() < deadline:
            feed.is_current()
        return len(feed.names)

    assert in_child(child) == 0
    feed.hears(b"p:a")


def test_a_child_closes_what_it_has_inherited_and_no_more(feed, client):
    inherited = os.fstat(feed._link._socket.fileno()).st_ino

    def child():
        feed.close()
        return [os.fstat(number).st_ino for number in range(3, 200) if is_open(number)]

    assert inherited not in in_child(child)
    client.set("p:a", 1)
    feed.hears(b"p:a")


def is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def test_a_child_that_is_made_while_the_parent_asks_can_ask(feed):
    with feed._lock:  # as another thread of the parent holds it
        assert in_child(lambda: bool(until(feed.is_current)))
