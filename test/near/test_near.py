"""Near copies that are checked: what the store would not serve is not served, whatever has become of it."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier

import pytest
from django.core.cache import caches

import dumper
from dumper import near, stores
from dumper.conf import settings
from dumper.rules.headers import IDENTITY
from dumper.rules.messages import StoredResponse
from dumper.rules.tags import SITE, path_tag
from dumper.stores.base import Item
from dumper.stores.entries import Hold
from dumper.stores.guard import withheld
from test.http import urls
from test.http.conftest import later  # noqa: F401
from test.http.doors import DOORS
from test.middleware.stacks import DJANGO, FETCH, LOCALE, UPDATE
from test.near.sites import PATH, ask, asked, remembered, site
from test.stores.backends import BACKENDS

PLACES = ("locmem", "files", "sqlite", "memcached", "redis", "django-redis-pickle")
TAG = path_tag(PATH)


def case(backend):
    return pytest.param(backend, id=backend.id, marks=[pytest.mark.slow] if backend.server else [])


@pytest.fixture(params=[case(backend) for backend in BACKENDS if backend.id in PLACES])
def backend(request, tmp_path):
    with request.param.open(request.getfixturevalue, tmp_path) as opened, site():
        yield opened


@pytest.fixture
def local(tmp_path):
    with BACKENDS[0].open(None, tmp_path) as opened, site():
        yield opened


def lying(backend):
    """The key of the page, and what is stored there."""
    (key,) = near.current().copies._copies
    return key, StoredResponse.unpack(backend.store().read(key, ())[0], key.fingerprint)


def rewrite(backend):
    """Another process, that has rendered at the same time, stores its page."""
    key, stored = lying(backend)
    other = replace(stored, bodies={IDENTITY: b"another"}, stored_at=stored.stored_at + 1)
    assert backend.store().write([Item(key, other.pack(), None)], stored.generations)


def evict(backend):
    key, _ = lying(backend)
    backend.evict(backend.names(backend.store(), key)[0])


def evict_entry(backend):
    backend.evict(backend.names(backend.store(), lying(backend)[0], TAG)[1])


CHANGES = {
    "changed here": lambda backend: dumper.invalidate_paths([PATH]),
    "changed elsewhere": lambda backend: backend.store().release([TAG], "another"),
    "the site is cleared here": lambda backend: dumper.clear(),
    "the site is cleared elsewhere": lambda backend: backend.store().release([SITE], "another"),
    "held by a change": lambda backend: backend.store().hold([TAG], Hold("another", time.time() + 600)),
    "stored again": rewrite,
    "removed": evict,
    "its entry is lost": evict_entry,
    "all is lost": lambda backend: backend.flush(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_copy_is_not_served_any_more(backend, change):
    old = remembered()
    change(backend)
    new = ask(PATH)
    assert new.body != old.body
    for _ in range(3):
        assert ask(PATH).body != old.body


def test_it_is_kept_where_something_else_was_changed(local):
    old = remembered()
    remembered("/other/")
    dumper.invalidate_paths(["/other/"])
    with asked() as names:
        assert ask(PATH).body == old.body
    assert names == ["confirm"]


def test_a_copy_ends_with_its_lifetime(local, later):  # noqa: F811
    urls.views[""] = urls.page({"Cache-Control": "max-age=60"})
    old = remembered()
    later(50)
    with asked() as names:
        assert ask(PATH).body == old.body
    assert names == ["confirm"]
    later(11)
    assert ask(PATH).body != old.body


def test_a_copy_gets_older(local, later):  # noqa: F811
    remembered()
    for seconds, age in ((0.1, "0"), (10, "10"), (90, "100")):
        later(seconds)
        with asked() as names:
            assert ask(PATH).headers["age"] == age
        assert names == ["confirm"]


def test_while_the_page_is_changed_in_this_process_no_copy_counts(local):
    class Change:
        tags = (TAG,)

    remembered()
    change = Change()
    withheld.add(change)
    try:
        with asked() as names:
            assert not ask(PATH).is_hit
        assert "confirm" not in names
    finally:
        withheld.remove(change)
    assert ask(PATH).is_hit


def test_a_store_that_fails_is_left_alone(local):
    remembered()
    store = stores.current().store
    store.confirm = store.read = lambda *args: 1 / 0
    answers = [ask(PATH) for _ in range(3)]
    assert {answer.detail for answer in answers} == {"the store does not answer"}
    assert len({answer.body for answer in answers}) == 3


@pytest.mark.parametrize("way", ["sync", "wsgi door", "asgi door"])
def test_nothing_is_kept_where_it_is_off(local, way):
    with site(DUMPER_NEAR_CACHE="off"):
        for _ in range(2):
            DOORS[way](PATH)
        with asked() as names:
            assert DOORS[way](PATH).is_hit
        assert "confirm" not in names
        copies = near.current().copies
        assert (len(copies), copies.answers, copies.size) == (0, {}, 0)


def test_a_page_with_tokens_is_not_kept(local):
    from django.middleware.csrf import get_token

    with site(MIDDLEWARE=[UPDATE, *DJANGO, FETCH]):
        urls.views[""] = urls.page(shows=lambda request: get_token(request))
        for _ in range(3):
            answer = ask(PATH)
        assert answer.is_hit
        assert len(near.current().copies) == 0


VISITORS = {
    "cookie": ([], lambda value: {"Cookie": f"b=c; a={value}"}),
    "header": ([], lambda value: {"X-A": value}),
    "language": ([LOCALE], lambda value: {"Accept-Language": value}),
    "language cookie": ([LOCALE], lambda value: {"Cookie": f"django_language={value}"}),
}


def shown(request):
    return request.COOKIES.get("a"), request.headers.get("X-A"), getattr(request, "LANGUAGE_CODE", None)


@pytest.mark.parametrize("way", ["sync", "wsgi door", pytest.param("asgi door", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("between", "headers"), VISITORS.values(), ids=VISITORS)
def test_each_visitor_gets_the_copy_that_is_theirs(local, way, between, headers):
    languages = [("en", "English"), ("de", "Deutsch"), ("fr", "Français")]
    with site(MIDDLEWARE=[UPDATE, *between, FETCH], LANGUAGE_CODE="en", LANGUAGES=languages):
        urls.views[""] = urls.page(shows=shown)
        visitors = [{}, headers("de"), headers("fr")]
        pages = [[DOORS[way](PATH, visitor).body for visitor in visitors] for _ in range(3)]
        assert pages[0] == pages[1] == pages[2]
        assert len(set(pages[0])) == 3
        with asked() as names:
            assert [DOORS[way](PATH, visitor).body for visitor in visitors] == pages[0]
        # Where LocaleMiddleware is yet to choose, the pair cannot tell by the request alone.
        assert ("read" in names) == (way == "sync" and bool(between))
        dumper.invalidate_paths([PATH])
        assert not {DOORS[way](PATH, visitor).body for visitor in visitors} & set(pages[0])


def test_query_strings_that_are_not_read_share_a_copy(local):
    urls.views[""] = urls.page(shows=lambda request: request.GET.get("a"))
    first = {query: ask(PATH + query).body for query in ("?a=1", "?a=2", "?a=1&b=3")}
    for query in first:
        ask(PATH + query)
    with asked() as names:
        assert {query: ask(PATH + query).body for query in first} == first
    assert first["?a=1"] == first["?a=1&b=3"]
    assert len(set(first.values())) == len(near.current().copies) == 2
    assert set(names) == {"confirm"}


def test_what_is_set_anew_ends_all_copies(local):
    remembered()
    before = near.current()
    with site(DUMPER_TIMEOUT=settings().timeout):
        assert near.current() is not before
        assert not near.current().copies.answers
    caches["default"].clear()


def test_threads_that_come_at_once_have_one_of_each(local, monkeypatch):
    barrier = Barrier(8)

    def late(function, *args):
        time.sleep(0.05)
        return function(*args)

    def come(_):
        barrier.wait()
        return stores.current(), near.current()

    with site():
        monkeypatch.setattr(stores, "make", partial(late, stores.make))
        monkeypatch.setattr(near, "variables", partial(late, near.variables))
        with ThreadPoolExecutor(8) as threads:
            assert len(set(threads.map(come, range(8)))) == 1


@pytest.mark.parametrize("way", DOORS)
def test_head_says_how_long_the_page_is_however_often_it_is_asked(local, way):
    page = DOORS[way](PATH)
    answers = [DOORS[way](PATH, None, method) for method in ("HEAD", "HEAD", "GET", "HEAD")]
    assert {(answer.is_hit, answer.headers["content-length"]) for answer in answers} == {(True, str(len(page.body)))}
    assert [answer.body for answer in answers] == [b"", b"", page.body, b""]


def test_with_a_store_that_tells_of_nothing_each_copy_is_checked(local):
    with site(DUMPER_NEAR_CACHE="pushed"):
        remembered()
        with asked() as names:
            assert ask(PATH).is_hit
        assert names == ["confirm"]
