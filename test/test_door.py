"""When a door answers itself, what it answers, and what it leaves to the pair."""

import logging
import re

import pytest
from django.core.cache import caches
from django.db import transaction
from django.middleware.locale import LocaleMiddleware
from django.test import override_settings
from django.utils import translation

import dumper
from dumper import door
from dumper.middleware.messages import HANDED_ON
from test.app.pages import in_another_thread
from test.doors import DOORS, ByWSGI
from test.http.doors import DOORS as WAYS
from test.middleware.stacks import DJANGO, FETCH, STACKS, SYNC, UPDATE
from test.near.sites import PATH, asked, site
from test.stores.backends import BACKENDS

MINE = "test.test_door.OwnLocale"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]


class OwnLocale(LocaleMiddleware):
    pass


def never(request):
    return None


def preview(request):
    return "preview" if "preview" in request.GET else None


def broken(request):
    raise ZeroDivisionError("the hook is broken")


@pytest.fixture(autouse=True)
def local():
    place = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "test.door"}
    with site(CACHES={"default": place}, MIDDLEWARE=[UPDATE, *DJANGO, FETCH]):
        caches["default"].clear()
        yield


@pytest.fixture(params=["off", "checked"])
def at(request):
    """A door with or without a near cache behind it."""
    with override_settings(DUMPER_NEAR_CACHE=request.param):
        yield


@pytest.fixture(params=DOORS)
def visitor(request):
    return DOORS[request.param]()


def is_answered_there(visitor, path=PATH, method="GET", **fields):
    """Whether the door answers by itself what is stored by now."""
    for _ in range(3):
        visitor.left.clear()
        visitor.get(path, method, **fields)
    return not visitor.left


def test_a_hit_does_not_come_to_the_application(visitor, at):
    first = visitor.get(PATH)
    assert visitor.left
    visitor.left.clear()
    for _ in range(3):
        answer = visitor.get(PATH)
        assert (answer.is_hit, answer.body) == (True, first.body)
    assert visitor.left == []


STAYS_OUT = {
    "the pair is missing": (DJANGO, "UpdateCacheMiddleware is not the first"),
    "the pair is not first": ([SYNC, UPDATE, FETCH], "UpdateCacheMiddleware is not the first"),
    "one is missing": ([UPDATE, SYNC], "FetchFromCacheMiddleware is not in"),
    "one stands there twice": ([UPDATE, FETCH, FETCH], "FetchFromCacheMiddleware is not in"),
    "another one chooses the language": ([UPDATE, MINE, FETCH], "derived from LocaleMiddleware"),
    "it stands below": ([UPDATE, FETCH, MINE], "derived from LocaleMiddleware"),
    "Django's own has another name": ([UPDATE, "dumper.door.LocaleMiddleware", FETCH], "under another name"),
}


@pytest.mark.parametrize(("stack", "reason"), STAYS_OUT.values(), ids=STAYS_OUT)
def test_a_stack_that_it_does_not_know_is_left_alone_and_that_is_said(visitor, caplog, stack, reason):
    with override_settings(MIDDLEWARE=stack):
        for _ in range(3):
            assert visitor.get(PATH).status == 200
    assert len(visitor.left) == 3
    said = [record for record in caplog.records if "The door leaves all" in record.message]
    assert len(said) == 1
    assert reason in said[0].message


@pytest.mark.parametrize("name", ["in Django's place", "side by side at the top", "alone", "with LocaleMiddleware"])
def test_a_stack_that_it_knows_is_not_asked(visitor, name):
    with override_settings(MIDDLEWARE=STACKS[name]):
        assert is_answered_there(visitor)


def test_who_is_refused_by_djangos_middleware_is_left_to_it(visitor):
    with override_settings(MIDDLEWARE=[UPDATE, *DJANGO, FETCH], DISALLOWED_USER_AGENTS=[re.compile("evil")]):
        assert not is_answered_there(visitor)
        assert visitor.get(PATH).is_hit
        assert visitor.get(PATH, HTTP_USER_AGENT="evil").status == 403


def test_with_a_store_in_the_database_all_is_left_to_the_pair(request, tmp_path):
    (sqlite,) = [backend for backend in BACKENDS if backend.id == "sqlite"]
    with sqlite.open(request.getfixturevalue, tmp_path):
        visitor = ByWSGI()
        assert not is_answered_there(visitor)
        assert visitor.get(PATH).is_hit


@pytest.mark.django_db(transaction=True)
def test_while_a_transaction_is_open_all_is_left_to_the_pair(visitor):
    """Whichever thread it is open in."""
    assert is_answered_there(visitor)
    with transaction.atomic():
        dumper.invalidate_paths(["/other/"])
        assert not in_another_thread(is_answered_there, visitor)
    assert is_answered_there(visitor)


COOKIES = {
    "another cookie": ("a=b", True),
    "a secret": ("csrftoken=" + "a" * 32, True),
    "a token": ("csrftoken=" + "a" * 64, True),
    "a broken secret": ("csrftoken=a", False),
    "a secret with signs": ("csrftoken=" + "-" * 32, False),
    "a session": ("sessionid=x", False),
    "a session among others": ("a=b; sessionid=x; c=d", False),
    "what looks like a session": ("a=sessionid", True),
    "garbage": ("=;;,\xff", True),
}


@pytest.mark.parametrize(("cookies", "is_plain"), COOKIES.values(), ids=COOKIES)
def test_who_has_a_session_is_left_to_the_pair(visitor, cookies, is_plain):
    visitor.get(PATH)
    assert is_answered_there(visitor, HTTP_COOKIE=cookies) == is_plain


@pytest.mark.parametrize(("name", "is_plain"), [("sessionid", False), ("csrftoken", True)])
def test_what_was_read_of_long_cookies_is_not_kept(name, is_plain):
    before = door._is_plain.cache_info().currsize
    for number in range(9):
        assert door.is_plain(f"{name}={'a' * 32}; b={number:9000}") == is_plain
    assert door._is_plain.cache_info().currsize == before


@pytest.mark.parametrize(("hook", "mine"), [(never, True), (preview, True), (broken, False)])
def test_a_hook_is_asked_for_each_request(visitor, at, hook, mine):
    with override_settings(DUMPER_BYPASS=hook):
        assert is_answered_there(visitor) == mine
        assert is_answered_there(visitor, PATH + "?a=b") == mine
        answer = visitor.get(PATH + "?preview=1")
        assert answer.is_hit == (hook is never)
        assert is_answered_there(visitor) == mine


closed: list[bool] = []


def switched(request):
    return "closed" if closed else None


def test_a_hook_may_go_by_what_is_not_in_the_request(visitor, at):
    with override_settings(DUMPER_BYPASS=switched):
        assert is_answered_there(visitor)
        closed.append(True)
        try:
            assert not visitor.get(PATH).is_hit
        finally:
            closed.clear()
        assert is_answered_there(visitor)


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS", "TRACE", "DELETE", "BREW"])
def test_methods_that_are_not_looked_up_pass_untouched(visitor, method):
    visitor.get(PATH)
    visitor.left.clear()
    answer = visitor.get(PATH, method)
    assert len(visitor.left) == 1
    assert HANDED_ON not in visitor.left[0]
    assert not answer.is_hit


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("near_cache", ["off", "checked"])
def test_a_miss_at_the_door_costs_no_look_up_more_than_at_the_pair(way, near_cache):
    with override_settings(DUMPER_NEAR_CACHE=near_cache, MIDDLEWARE=[UPDATE, FETCH]):
        counts = []
        for path, door in (("/a/", way), ("/b/", "wsgi door" if way == "sync" else "asgi door")):
            with asked() as names:
                assert WAYS[door](path).is_stored
            counts.append(sorted(names))
    assert counts[0] == counts[1]
    assert "read" in counts[0]


def test_the_rest_is_as_the_server_has_sent_it(visitor):
    plain = type(visitor)()
    plain.door = plain._behind
    facts = []
    for one in (visitor, plain):
        one.get("/gr%C3%B6%C3%9Fe/?a=%C3%B6", HTTP_X_A="b", SCRIPT_NAME="/mount")
        (sent,) = one.left
        facts.append({name: value for name, value in sent.items() if name not in (HANDED_ON, *STREAMS)})
    assert facts[0] == facts[1]


#: which are others for each request
STREAMS = ("wsgi.input", "wsgi.errors")


def test_what_fails_inside_is_logged_and_left_to_the_pair(visitor, monkeypatch, caplog):
    with monkeypatch.context() as context:
        context.setattr("dumper.door.plan", lambda: 1 / 0)
        with caplog.at_level(logging.ERROR, logger="dumper"):
            answer = visitor.get(PATH)
    assert answer.is_stored
    assert [record.message for record in caplog.records] == ["The door leaves a request to the middleware"]
    assert caplog.records[0].exc_info[0] is ZeroDivisionError
    assert is_answered_there(visitor)


@pytest.mark.parametrize("headers", [[[b"host", b"testserver"]], ((b"host", b"testserver"),)], ids=["lists", "tuples"])
def test_header_fields_may_come_in_any_sequence(caplog, headers):
    visitor = DOORS["asgi"]()
    for _ in range(3):
        visitor.left.clear()
        answer = visitor.get(PATH, environ={"headers": headers})
    assert answer.is_hit
    assert visitor.left == []
    assert not caplog.records


def test_an_application_that_is_not_djangos_may_stand_behind():
    def other(environ, start_response):
        start_response("200 OK", [("Cache-Status", "dumper; fwd=uri-miss")])
        return [environ["PATH_INFO"].encode(), repr(sorted(environ)).encode()]

    visitor = ByWSGI(other)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/a/", "wsgi.url_scheme": "http", "HTTP_HOST": "testserver"}
    seen = dict(environ)
    answer = visitor.send({**environ, "wsgi.input": None})
    assert {name: value for name, value in visitor.left[0].items() if name in seen} == seen
    assert answer.body.startswith(b"/a/")


@pytest.mark.parametrize("language", ["de", None])
def test_what_a_view_has_left_active_in_the_thread_is_nothing_to_it(visitor, language):
    with override_settings(LANGUAGE_CODE="en", LANGUAGES=LANGUAGES), translation.override("en"):
        visitor.get(PATH)
        if language:
            translation.activate(language)
        else:
            translation.deactivate_all()
        assert visitor.get(PATH).is_hit
        assert translation.get_language() == language
