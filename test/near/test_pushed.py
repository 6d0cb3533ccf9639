"""Near copies of which Redis tells: no question on a hit, and no copy outlives a change that was told of."""

import time

import pytest
import redis

import dumper
from dumper import near, stores
from dumper.conf import settings
from dumper.rules.tags import SITE, path_tag
from dumper.stores.entries import Hold
from test.http import urls
from test.http.conftest import later  # noqa: F401
from test.http.doors import DOORS
from test.near.feeds import until
from test.near.proxy import Proxy
from test.near.sites import PATH, ask, asked, remembered, site
from test.near.test_feed_processes import in_child
from test.servers import HOST, RedisServer

pytestmark = [
    pytest.mark.slow,
    # Of threads that are none of the feed's.
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
]

BOUND = 0.5
TAG = path_tag(PATH)


@pytest.fixture(scope="module")
def server():
    with RedisServer() as server:
        yield server


@pytest.fixture
def client(server):
    with redis.Redis(port=server.port) as client:
        client.flushall()
        yield client


def pushed(url, **more):
    place = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": url}
    more = {"DUMPER_NEAR_CACHE_STALENESS": BOUND, **more}
    return site(CACHES={"default": place}, DUMPER_NEAR_CACHE="pushed", DUMPER_RETRY_DELAY=0.05, **more)


@pytest.fixture
def listening(server, client):
    """The site, once it is told of changes."""
    with pushed(server.url):
        until(is_current)
        yield


def is_current():
    return near.current()._feed.is_current()


def trusted(path=PATH, headers=None, way="wsgi door"):
    """An answer that will be given again without a question."""
    answer = remembered(path, headers)
    until(is_current)
    DOORS[way](path, headers)
    with asked() as names:
        assert DOORS[way](path, headers).body == answer.body
    assert names == []
    return answer


def elsewhere():
    """The store as another process has it."""
    return stores.make(settings())


def commands(client):
    """How often each command came to the server, but for those that ask whether there is news."""
    found = {name.removeprefix("cmdstat_"): stats["calls"] for name, stats in client.info("commandstats").items()}
    return {name: calls for name, calls in found.items() if name not in ("ping", "info", "config|resetstat")}


@pytest.mark.parametrize("way", DOORS)
def test_no_command_reaches_the_server_on_a_hit(listening, client, way):
    old = trusted(way=way)
    client.config_resetstat()
    for _ in range(50):
        answer = DOORS[way](PATH)
        assert answer.is_hit
        assert answer.body == old.body
    assert commands(client) == {}


CHANGES = {
    "released": lambda: elsewhere().release([TAG], "another"),
    "held": lambda: elsewhere().hold([TAG], Hold("another", time.time() + 600)),
    "cleared": lambda: elsewhere().release([SITE], "another"),
}
KEYS = {
    "its entry is lost": lambda client: client.delete(near.current().copies.of(key()).names[0]),
    "the page is lost": lambda client: client.delete(near.current().copies.of(key()).names[-1]),
    "the page is another": lambda client: client.set(near.current().copies.of(key()).names[-1], b"garbage"),
    "all is lost": lambda client: client.flushall(),
}


def key():
    return next(iter(near.current().copies._copies))


@pytest.mark.parametrize("change", [*CHANGES, *KEYS])
def test_a_change_elsewhere_is_heard_of_and_the_old_never_comes_back(listening, client, change):
    old = trusted()
    CHANGES[change]() if change in CHANGES else KEYS[change](client)
    until(lambda: ask(PATH).body != old.body, seconds=BOUND)
    for _ in range(20):
        assert ask(PATH).body != old.body


@pytest.mark.parametrize("change", [lambda path: dumper.invalidate_paths([path]), lambda path: dumper.clear()])
def test_what_is_changed_here_is_known_before_the_news_come(server, client, change):
    with Proxy(server.port) as proxy, pushed(server.url):
        near.current()._feed._connect = lambda: connected(proxy.port)
        until(is_current)
        proxy.delay = 0.2
        for number in range(3):
            old = trusted(f"/{number}/")
            change(f"/{number}/")
            assert ask(f"/{number}/").body != old.body


def connected(port):
    connection = redis.Connection(host=HOST, port=port, protocol=3)
    connection.connect()
    return connection


def test_variants_are_changed_together(listening):
    urls.views[""] = urls.page(shows=lambda request: request.COOKIES.get("a"))
    visitors = [{}, {"Cookie": "a=1"}, {"Cookie": "a=2"}]
    pages = {ask(PATH, visitor).body for visitor in visitors * 3}
    until(is_current)
    for visitor in visitors:
        ask(PATH, visitor)
    with asked() as names:
        assert {ask(PATH, visitor).body for visitor in visitors} <= pages
    assert names == []
    dumper.invalidate_paths([PATH])
    assert not {ask(PATH, visitor).body for visitor in visitors} & pages


def test_what_was_confirmed_while_the_news_came_is_asked_for_again(listening):
    """It was true when the store was asked, and is not any more when the answer is here."""
    old = remembered()
    until(is_current)
    copy = near.current().copies.of(key())
    near.current().forget(None)
    store = stores.current().store
    confirm = store.confirm

    def slowly(proof):
        confirmed = confirm(proof)
        changes = copy.changes
        elsewhere().release([TAG], "another")
        until(lambda: is_current() and copy.changes > changes)  # as another thread hears of it
        return confirmed

    store.confirm = slowly
    try:
        assert ask(PATH).body == old.body  # it was asked for before the change
    finally:
        del store.confirm
    assert ask(PATH).body != old.body


def test_what_was_confirmed_before_there_was_a_connection_is_asked_for_again(server, client):
    with pushed(server.url):
        remembered()  # the feed may be current or not
        near.current().close()
        with asked() as names:
            for _ in range(3):
                assert ask(PATH).is_hit
        assert names == ["confirm"] * 3


def test_a_lost_connection_has_all_asked_for_again(listening, client):
    old = trusted()
    (listener,) = [one for one in client.client_list(_type="pubsub") if one["name"].startswith("dumper-feed-")]
    client.client_kill_filter(_id=listener["id"])
    until(lambda: not is_current())
    with asked() as names:
        assert ask(PATH).body == old.body
    assert names == ["confirm"]
    until(is_current)
    assert ask(PATH).body == old.body
    with asked() as names:
        assert ask(PATH).body == old.body
    assert names == []


def test_a_server_that_comes_back_empty_has_all_rendered_anew():
    with RedisServer() as server, pushed(server.url):
        until(is_current)
        old = trusted()
        server.stop(kill=True)
        until(lambda: ask(PATH).body != old.body, seconds=BOUND)
        server.start()
        until(lambda: ask(PATH).is_hit)
        assert ask(PATH).body != old.body
        until(is_current)


def test_a_server_that_is_silent_is_not_trusted_for_longer_than_the_bound(server, client):
    with pushed(server.url, DUMPER_STORE_TIMEOUT=0.2):
        until(is_current)
        old = trusted()
        server.pause()
        paused_at = time.monotonic()
        try:
            until(lambda: ask(PATH).body != old.body)
            assert time.monotonic() - paused_at < BOUND + 1
        finally:
            server.resume()


def test_a_child_asks_and_listens_for_itself(listening, client):
    old = trusted()

    def child():
        with asked() as names:
            first = ask(PATH).body == old.body
        until(is_current)
        ask(PATH)  # as it has no proof of its own
        with asked() as more:
            again = ask(PATH).body == old.body
        elsewhere().release([TAG], "another")
        until(lambda: ask(PATH).body != old.body, seconds=BOUND)
        return first, again, names, more

    assert in_child(child) == [True, True, ["read"], []]
    until(lambda: ask(PATH).body != old.body, seconds=BOUND)


def test_a_lifetime_ends_without_any_news(listening, later):  # noqa: F811
    urls.views[""] = urls.page({"Cache-Control": "max-age=60"})
    old = trusted()
    later(59)
    assert ask(PATH).body == old.body
    later(2)
    assert ask(PATH).body != old.body
