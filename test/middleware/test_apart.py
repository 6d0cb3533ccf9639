"""Requests that differ in what Django knows of them get pages of their own, and one invalidation meets them all."""

import pytest
from django.test import override_settings
from django.urls import get_script_prefix, reverse, reverse_lazy, set_script_prefix
from django.utils import timezone

import dumper
from test.middleware.stacks import FETCH, LOCALE, STACKS, UPDATE


def zoned(get_response):
    """What Django's documentation shows: a middleware that activates the visitor's time zone."""

    def middleware(request):
        timezone.activate(request.COOKIES.get("zone", "UTC"))
        return get_response(request)

    return middleware


def zoned_for_a_while(get_response):
    def middleware(request):
        with timezone.override("Europe/Berlin"):
            return get_response(request)

    return middleware


LOCALIZED = STACKS["with LocaleMiddleware"]
PLAIN = STACKS["in Django's place"]

APART = [
    ("two hosts", PLAIN, {"headers": {"host": "localhost"}}, {"headers": {"host": "testserver"}}),
    ("two ports", PLAIN, {"headers": {"host": "localhost:1"}}, {"headers": {"host": "localhost:2"}}),
    ("two schemes", PLAIN, {"secure": False}, {"secure": True}),
    ("two languages", LOCALIZED, {"headers": {"accept-language": "de"}}, {"headers": {"accept-language": "en"}}),
    ("two query strings", PLAIN, {"query_params": {"a": "1"}}, {"query_params": {"a": "2"}}),
    ("two orders", PLAIN, {"query_params": {"a": "1", "b": "2"}}, {"query_params": {"b": "2", "a": "1"}}),
    ("an empty value", PLAIN, {"query_params": {}}, {"query_params": {"a": ""}}),
    ("two mount points", PLAIN, {"SCRIPT_NAME": "/one"}, {"SCRIPT_NAME": "/two"}),
]


@pytest.mark.parametrize(("stack", "one", "other"), [row[1:] for row in APART], ids=[row[0] for row in APART])
def test_pages_are_apart_and_invalidated_together(client, stack, one, other):
    with override_settings(MIDDLEWARE=stack):
        first, second = client.get("/page/", **one), client.get("/page/", **other)
        assert first.content != second.content
        for facts, expected in ((one, first), (other, second)):
            again = client.get("/page/", **facts)
            assert again["Cache-Status"] == "dumper; hit"
            assert again.content == expected.content
        dumper.invalidate_paths(["/page/"])
        for facts, before in ((one, first), (other, second)):
            assert client.get("/page/", **facts).content != before.content


def test_two_time_zones_have_pages_of_their_own(client):
    with override_settings(MIDDLEWARE=[UPDATE, "test.middleware.test_apart.zoned", FETCH]):
        pages = {}
        for zone in ("UTC", "Europe/Berlin", "UTC", "Europe/Berlin"):
            client.cookies["zone"] = zone
            content = client.get("/page/").content
            assert zone.encode() in content
            assert pages.setdefault(zone, content) == content
        dumper.invalidate_paths(["/page/"])
        assert client.get("/page/").content not in pages.values()


def test_a_time_zone_that_is_active_for_a_while_is_never_mistaken_for_another(get):
    with override_settings(MIDDLEWARE=[UPDATE, "test.middleware.test_apart.zoned_for_a_while", FETCH]):
        stored = get("/page/").content
        assert b"Europe/Berlin" in stored
        assert get("/page/").content == stored
    with override_settings(MIDDLEWARE=[UPDATE, FETCH]):
        assert b"UTC" in get("/page/").content


@pytest.mark.parametrize(
    ("stack", "status"),
    [
        ([UPDATE, LOCALE, FETCH], "dumper; fwd=uri-miss; stored"),
        ([LOCALE, UPDATE, FETCH], "dumper; fwd=uri-miss; stored"),
        ([UPDATE, FETCH, LOCALE], 'dumper; fwd=uri-miss; detail="language or time zone chosen after the look-up"'),
    ],
    ids=["between", "above", "below"],
)
def test_a_negotiated_language_is_stored_only_if_it_is_known_at_the_look_up(get, stack, status):
    with override_settings(MIDDLEWARE=stack):
        for language in ("de", "en"):
            response = get("/page/", headers={"accept-language": language})
            # Above the pair, LocaleMiddleware adds its Vary after the page was stored.
            assert response["Cache-Status"] == status
            assert response["Content-Language"] == language
        for language in ("de", "en"):
            response = get("/page/", headers={"accept-language": language})
            assert response["Content-Language"] == language
            assert f" {language} ".encode() in response.content
            assert "Accept-Language" in response["Vary"]


def test_a_head_is_answered_with_what_a_get_has_stored_and_is_not_stored_itself(client):
    assert client.head("/page/")["Cache-Status"] == 'dumper; fwd=uri-miss; detail="the answer to a HEAD"'
    got = client.get("/page/")
    assert got["Cache-Status"] == "dumper; fwd=uri-miss; stored"
    head = client.head("/page/")
    assert head["Cache-Status"] == client.get("/page/")["Cache-Status"] == "dumper; hit"
    assert head.content == b""
    dumper.invalidate_paths(["/page/"])
    assert client.head("/page/")["Cache-Status"] != "dumper; hit"
    assert client.get("/page/").content != got.content


SIMILAR = ["/any/", "//any/", "//x", "/any/x", "/any//x", "/any/a%3Fb", "/any/a?b", "/any/a%253Fb", "/any/a", "/any/ab"]


def test_similar_paths_are_never_mixed(get):
    pages = [get(path).content for path in SIMILAR]
    assert len(set(pages)) == len(SIMILAR)
    assert [get(path).content for path in SIMILAR] == pages


@pytest.mark.parametrize("path", SIMILAR)
def test_one_of_similar_paths_is_invalidated_and_no_other(get, path):
    pages = {similar: get(similar).content for similar in SIMILAR}
    dumper.invalidate_paths([path])
    changed = {similar for similar in SIMILAR if get(similar).content != pages[similar]}
    # A query string belongs to the page of its path; and what is a URL may as well be the decoded path of another page.
    more = {
        "/any/a": {"/any/a?b"},
        "/any/a?b": {"/any/a", "/any/a%3Fb"},
        "/any/a%3Fb": {"/any/a%253Fb"},
    }
    assert changed == {path} | more.get(path, set())


NAMES = ["x", "größe", "a b", "a?b", "100%", "日本/#", "a;b=c,d", "é" * 1000, "\x01"]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:10])
def test_a_page_is_invalidated_by_any_way_to_write_its_url(client, name):
    url = reverse("any", kwargs={"rest": name})
    ways = [url, reverse_lazy("any", kwargs={"rest": name}), f"http://testserver{url}", f"{url}?a=b#c", f"/any/{name}"]
    for way in ways:
        before = client.get(url).content
        assert client.get(url).content == before
        dumper.invalidate_paths([way])
        assert client.get(url).content != before, way


@pytest.fixture
def in_a_request():
    """The script prefix of a site that is mounted at /app, as it is while a request is handled."""
    before = get_script_prefix()
    set_script_prefix("/app/")
    yield
    set_script_prefix(before)


def mounted(client):
    return client.get("/any/größe", SCRIPT_NAME="/app").content


WAYS = [
    ("reverse()", lambda: reverse("any", kwargs={"rest": "größe"})),
    ("a hand-written path", lambda: "/any/größe"),
    ("a hand-written path with the prefix", lambda: "/app/any/größe"),
    ("an absolute URL", lambda: "https://testserver/app/any/gr%C3%B6%C3%9Fe?a=b"),
]


@pytest.mark.parametrize("way", [way for _, way in WAYS], ids=[name for name, _ in WAYS])
@pytest.mark.parametrize("place", ["in a request", "in a shell"])
def test_a_page_below_a_script_prefix_is_invalidated_from_everywhere(client, request, way, place):
    before = mounted(client)
    assert mounted(client) == before
    if place == "in a request":
        request.getfixturevalue("in_a_request")
    dumper.invalidate_paths([way()])
    assert mounted(client) != before
