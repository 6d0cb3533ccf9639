"""DUMPER_BYPASS behind a door: the site is asked once about each request."""

import pytest
from django.core.cache import caches
from django.test import override_settings
from django.utils.asyncio import async_unsafe

from test.doors import DOORS
from test.middleware.stacks import DJANGO, FETCH, UPDATE
from test.near.sites import PATH, site

questions = []


def noted(request):
    questions.append(request.get_full_path())
    return "preview" if "preview" in request.GET else None


@pytest.fixture(params=DOORS)
def visitor(request):
    place = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "test.door.hook"}
    with (
        site(CACHES={"default": place}, MIDDLEWARE=[UPDATE, *DJANGO, FETCH]),
        override_settings(DUMPER_BYPASS=noted),
    ):
        caches["default"].clear()
        questions.clear()
        yield DOORS[request.param]()


@pytest.mark.parametrize("path", [PATH, PATH + "?preview=1"], ids=["a miss and hits", "past the store"])
def test_the_site_is_asked_once_about_each_request(visitor, path):
    for _ in range(3):
        visitor.get(path)
    assert questions == [path] * 3


def test_why_a_request_goes_past_the_store_is_said_by_the_pair(visitor):
    assert 'detail="preview"' in visitor.get(PATH + "?preview=1").headers["cache-status"]


@async_unsafe("not on an event loop")
def with_the_database(request):
    return None


def test_it_may_read_the_database_whatever_the_door(visitor):
    with override_settings(DUMPER_BYPASS=with_the_database):
        visitor.get(PATH)
        visitor.left.clear()
        assert visitor.get(PATH).is_hit
        assert not visitor.left
