"""What another cache below has kept from an earlier request is as much the visitor's own as what is made anew."""

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path
from django.views.decorators.cache import cache_page
from django.views.decorators.vary import vary_on_cookie, vary_on_headers

from test.middleware.stacks import DJANGO, FETCH, UPDATE


@cache_page(60)
@vary_on_cookie
def by_cookie(request):
    return HttpResponse("page of " + request.session.get("name", "nobody"))


@cache_page(60)
@vary_on_headers("X-Shop")
def by_field(request):
    return HttpResponse("page of " + request.headers.get("X-Shop", "none"))


def log_in(request):
    request.session["name"] = "alice"
    return HttpResponse("hello")


urlpatterns = [path("cookie/", by_cookie), path("field/", by_field), path("in/", log_in)]


def theme(get_response):
    def middleware(request):
        request.COOKIES.get("theme")
        return get_response(request)

    return middleware


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"MIDDLEWARE": [UPDATE, *DJANGO, "test.middleware.test_other_caches.theme", FETCH]},
        {"SESSION_SAVE_EVERY_REQUEST": True},
        {"CSRF_USE_SESSIONS": True},
    ],
    ids=["plain", "a cookie read", "saved each time", "tokens in sessions"],
)
@override_settings(
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[UPDATE, *DJANGO, FETCH],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
)
def test_a_page_that_cache_page_has_kept_for_one_visitor_is_served_to_no_other(more):
    with override_settings(**more):
        alice, anonymous = Client(), Client()
        alice.get("/in/")
        for _ in range(3):
            assert alice.get("/cookie/").content == b"page of alice"
        for _ in range(2):
            assert anonymous.get("/cookie/").content == b"page of nobody"


@override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[UPDATE, *DJANGO, FETCH])
def test_a_page_that_cache_page_has_kept_for_a_header_field_is_served_for_that_alone(client):
    for shop in ("a", "b", "a", "b"):
        assert client.get("/field/", headers={"x-shop": shop}).content == b"page of " + shop.encode()


def test_a_name_that_is_none_is_no_error(client):
    def view(request):
        found = [request.GET.get(None), request.COOKIES.get(None), request.META.get(None), request.GET.getlist(None)]
        return HttpResponse(repr(found))

    with override_settings(ROOT_URLCONF=type("urls", (), {"urlpatterns": [path("none/", view)]})):
        for _ in range(2):
            assert client.get("/none/").content == b"[None, None, None, []]"
