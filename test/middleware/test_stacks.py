"""Wherever the pair stands, the second request for a page is answered from the store."""

from unittest.mock import patch

import pytest
from django.http import HttpResponse
from django.test import override_settings

import dumper
from test.middleware.conftest import get_async
from test.middleware.stacks import CSP, DJANGO, FETCH, STACKS, UPDATE
from test.middleware.urls import SAME


@pytest.fixture(params=STACKS)
def stack(request):
    with override_settings(MIDDLEWARE=STACKS[request.param]):
        yield


@pytest.mark.parametrize("path", ["/page/", "/async-page/"])
def test_a_page_is_rendered_once_until_it_is_invalidated(stack, get, path):
    first, second = get(path), get(path)
    assert first["Cache-Status"] == "dumper; fwd=uri-miss; stored"
    assert second["Cache-Status"] == "dumper; hit"
    assert second.content == first.content
    dumper.invalidate_paths([path])
    third, fourth = get(path), get(path)
    assert third.content != first.content
    assert fourth.content == third.content
    assert fourth["Cache-Status"] == "dumper; hit"


def test_sync_and_async_code_share_what_is_stored(stack, client):
    first = client.get("/page/")
    assert get_async("/page/").content == first.content
    assert client.get("/page/").content == first.content


def fields(response) -> dict[str, str]:
    """The header fields of a response, but for ours."""
    return {name: value for name, value in response.items() if name not in ("Age", "Cache-Status", "ETag")}


@pytest.mark.parametrize("place", ["in Django's place", "side by side at the top"])
@pytest.mark.parametrize("name", SAME)
def test_a_stored_page_is_what_would_have_been_rendered_byte_for_byte(get, name, place):
    path = f"/same/{name}/"
    with override_settings(MIDDLEWARE=DJANGO):
        rendered = get(path)
    with override_settings(MIDDLEWARE=STACKS[place]):
        stored, found = get(path), get(path)
    assert "stored" in stored["Cache-Status"]
    assert found["Cache-Status"].startswith("dumper; hit")
    for response in (stored, found):
        assert response.content == rendered.content
        assert fields(response) == fields(rendered)
        assert (response.status_code, response.reason_phrase) == (rendered.status_code, rendered.reason_phrase)
        assert response.charset == rendered.charset


@pytest.mark.parametrize("name", ["embedded", "without policy", "plain"])
@pytest.mark.parametrize("place", [[UPDATE, CSP, FETCH], [CSP, UPDATE, FETCH]], ids=["between", "above"])
@override_settings(SECURE_CSP={"default-src": ["'self'"]})
def test_a_page_that_wants_no_policy_gets_none_from_the_store_either(get, name, place):
    with override_settings(MIDDLEWARE=place):
        stored, found = get(f"/same/{name}/"), get(f"/same/{name}/")
    assert found["Cache-Status"] == "dumper; hit"
    assert fields(found) == fields(stored)
    assert ("Content-Security-Policy" in found) == (name != "without policy")


@pytest.mark.parametrize("name", ["embedded", "frames", "plain"])
def test_a_middleware_above_the_pair_treats_a_stored_page_like_a_rendered_one(get, name):
    with override_settings(MIDDLEWARE=STACKS["side by side at the end"]):
        stored, found = get(f"/same/{name}/"), get(f"/same/{name}/")
    assert found["Cache-Status"] == "dumper; hit"
    assert fields(found) == fields(stored)


def test_the_middleware_between_sees_each_request_and_that_below_only_misses(get):
    seen = "test.middleware.test_stacks.noted"
    for middleware, expected in (([UPDATE, seen, FETCH], 2), ([UPDATE, FETCH, seen], 1)):
        noted.requests = 0
        with override_settings(MIDDLEWARE=middleware):
            dumper.invalidate_paths(["/page/"])
            assert get("/page/").content == get("/page/").content
        assert noted.requests == expected


def noted(get_response):
    def middleware(request):
        noted.requests += 1
        return get_response(request)

    return middleware


UNREACHED = 'dumper; fwd=uri-miss; detail="answered before FetchFromCacheMiddleware"'


@pytest.mark.parametrize(
    ("middleware", "reason"),
    [([UPDATE], UNREACHED), ([FETCH], None), ([FETCH, UPDATE], UNREACHED)],
    ids=["without its partner", "alone", "in the wrong order"],
)
def test_half_a_pair_serves_nothing_from_the_store_and_breaks_nothing(get, middleware, reason):
    with override_settings(MIDDLEWARE=middleware):
        first, second = get("/page/"), get("/page/")
    assert first.content != second.content
    assert second.get("Cache-Status") == reason


ONE = HttpResponse("one page for all " * 50, headers={"Dumper-Cache-Control": "max-age=60"})


def test_a_view_may_return_the_same_response_again_and_again(get):
    before = dict(ONE.items())
    with patch.dict(SAME, {"one": lambda request: ONE}):
        etag = get("/same/one/")["ETag"]
        for _ in range(2):
            dumper.invalidate_paths(["/same/one/"])
            renewed = get("/same/one/", headers={"if-none-match": etag, "accept-encoding": "br, gzip"})
            assert renewed.status_code == 304
            assert renewed["Cache-Status"] == "dumper; fwd=stale; stored; ttl=60"
            assert get("/same/one/").content == ONE.content
    others = {name: value for name, value in ONE.items() if name != "Cache-Status"}
    assert others.items() >= before.items()
    assert ONE.status_code == 200
