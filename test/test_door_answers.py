"""What a door answers in all the forms that a request may have: what the pair would answer."""

from __future__ import annotations

import pytest
from django.core.cache import caches
from django.http import FileResponse, Http404, HttpResponse
from django.test import override_settings

from test.doors import DOORS, ByASGI, ByWSGI
from test.http import urls
from test.middleware.stacks import DJANGO, FETCH, LOCALE, UPDATE
from test.near.sites import PATH, site

STACK = [UPDATE, *DJANGO, FETCH]
LOCALIZED = [UPDATE, *DJANGO[:2], LOCALE, *DJANGO[2:], FETCH]
#: settings, and the header fields of visitors, each of whom gets another page than the others
APART = {
    "hosts": ({}, [{"HTTP_HOST": "localhost"}, {"HTTP_HOST": "testserver"}, {"HTTP_HOST": "a.example"}]),
    "ports": ({}, [{"HTTP_HOST": "localhost:1"}, {"HTTP_HOST": "localhost:2"}]),
    "forwarded hosts": (
        {"USE_X_FORWARDED_HOST": True},
        [{"HTTP_X_FORWARDED_HOST": "a.example"}, {"HTTP_X_FORWARDED_HOST": "b.example"}, {}],
    ),
    "forwarded ports": (
        {"USE_X_FORWARDED_PORT": True, "USE_X_FORWARDED_HOST": True},
        [{"HTTP_X_FORWARDED_HOST": f"a.example:{port}", "HTTP_X_FORWARDED_PORT": port} for port in ("81", "82")],
    ),
    "schemes behind a proxy": (
        {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_TLS", "on")},
        [{"HTTP_X_TLS": "on"}, {"HTTP_X_TLS": "off"}],
    ),
    "languages": (
        {"MIDDLEWARE": LOCALIZED},
        [{"HTTP_ACCEPT_LANGUAGE": "de"}, {"HTTP_ACCEPT_LANGUAGE": "fr, de;q=0.5"}, {"HTTP_ACCEPT_LANGUAGE": "en"}],
    ),
    "languages by cookie": (
        {"MIDDLEWARE": LOCALIZED},
        [{"HTTP_COOKIE": "django_language=de"}, {"HTTP_COOKIE": "django_language=fr", "HTTP_ACCEPT_LANGUAGE": "de"}],
    ),
}


@pytest.fixture(autouse=True)
def local():
    place = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "test.door.answers"}
    languages = {"LANGUAGE_CODE": "en", "LANGUAGES": [("en", "English"), ("de", "Deutsch"), ("fr", "Français")]}
    with site(CACHES={"default": place}, MIDDLEWARE=STACK, **languages):
        caches["default"].clear()
        urls.views[""] = urls.page(shows=lambda request: (request.build_absolute_uri(), request.path_info))
        yield


@pytest.fixture(params=DOORS)
def visitor(request):
    return DOORS[request.param]()


@pytest.fixture(params=["off", "checked"], autouse=True)
def near_cache(request):
    with override_settings(DUMPER_NEAR_CACHE=request.param):
        yield


def answered_there(visitor, path=PATH, method="GET", **fields):
    """What the door answers by itself with what is stored by now."""
    for _ in range(3):
        visitor.left.clear()
        answer = visitor.get(path, method, **fields)
    assert not visitor.left, answer
    return answer


@pytest.mark.parametrize(("changed", "visitors"), APART.values(), ids=APART)
def test_visitors_who_are_apart_get_pages_of_their_own(visitor, changed, visitors):
    with override_settings(**changed):
        pages = [[visitor.get(PATH, **fields).body for fields in visitors] for _ in range(4)]
        assert len(set(pages[0])) == len(visitors)
        assert pages[0] == pages[1] == pages[2] == pages[3]
        for fields in visitors:
            answered_there(visitor, **fields)


def test_secure_requests_are_apart():
    visitor = ByWSGI()
    pages = [visitor.get(PATH, environ={"wsgi.url_scheme": scheme}).body for scheme in ("http", "https") * 3]
    assert pages[:2] == pages[2:4] == pages[4:]
    assert pages[0] != pages[1]


def test_hosts_that_are_not_allowed_are_django_s_to_answer(visitor):
    answered_there(visitor)
    for _ in range(3):
        visitor.left.clear()
        answer = visitor.get(PATH, HTTP_HOST="evil.test")
        assert answer.status == 400
        assert visitor.left


def test_a_forced_script_name_is_part_of_the_path(visitor):
    """Which comes from the server, or does not."""
    pages = []
    for name in ("/one", "/two"):
        with override_settings(FORCE_SCRIPT_NAME=name):
            path = name + PATH if isinstance(visitor, ByASGI) else PATH
            visitor.get(path)
            pages.append(answered_there(visitor, path).body)
            assert f"http://testserver{name}{PATH}', '{PATH}'".encode() in pages[-1]
    assert pages[0] != pages[1]


def test_mount_points_are_apart():
    visitor = ByWSGI()
    pages = [visitor.get(PATH, SCRIPT_NAME=name).body for name in ("/a", "/b", "") * 3]
    assert len(set(pages)) == 3
    assert pages[:3] == pages[3:6] == pages[6:]


def test_head_has_the_fields_of_get_and_no_body(visitor):
    visitor.get(PATH)
    got, head = answered_there(visitor), answered_there(visitor, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers == got.headers
    assert got.headers["content-length"] == str(len(got.body)) != "0"


def test_who_has_it_already_gets_304(visitor):
    visitor.get(PATH)
    etag = answered_there(visitor).headers["etag"]
    same = answered_there(visitor, HTTP_IF_NONE_MATCH=etag)
    assert (same.status, same.body, same.headers["etag"]) == (304, b"", etag)
    assert "content-length" not in same.headers
    other = answered_there(visitor, HTTP_IF_NONE_MATCH='"other"')
    assert other.status == 200
    assert other.body


def test_codings_are_chosen_for_each(visitor):
    urls.views[""] = urls.page(size=5_000)
    visitor.get(PATH)
    plain = answered_there(visitor)
    zipped = answered_there(visitor, HTTP_ACCEPT_ENCODING="gzip")
    assert "content-encoding" not in plain.headers
    assert zipped.headers["content-encoding"] == "gzip"
    assert len(zipped.body) < len(plain.body)
    assert answered_there(visitor).body == plain.body


@pytest.mark.parametrize("statuses", [{200: None}, {200: None, 404: None}], ids=["not stored", "stored"])
def test_what_is_not_there_is_so_at_the_door(visitor, statuses):
    def missing(request):
        raise Http404

    urls.views[""] = missing
    with override_settings(DUMPER_STATUSES=statuses):
        for _ in range(3):
            visitor.left.clear()
            assert visitor.get("/missing/").status == 404
        assert bool(visitor.left) == (404 not in statuses)


def test_query_strings_count_as_far_as_they_are_read(visitor):
    urls.views[""] = urls.page(shows=lambda request: request.GET.get("a"))
    pages = {query: visitor.get(PATH + query).body for query in ("?a=1", "?a=2", "?a=1&b=1")}
    assert len(set(pages.values())) == 2
    for query, body in pages.items():
        assert answered_there(visitor, PATH + query).body == body
        assert answered_there(visitor, PATH + query + "&utm=1").body == body


@pytest.mark.parametrize("path", ["/gr%C3%B6%C3%9Fe/", "/a%20b/", "/a%2Fb/", "//a/", "/%E6%97%A5/?a=%E6%97%A5"])
def test_any_path_is_answered_as_it_was(visitor, path):
    first = visitor.get(path)
    assert answered_there(visitor, path).body == first.body


RETOLD = [{"HTTP_CACHE_CONTROL": "no-cache"}, {"HTTP_CACHE_CONTROL": "max-age=0"}, {"HTTP_PRAGMA": "no-cache"}]


@pytest.mark.parametrize("fields", RETOLD)
def test_who_wants_it_made_anew_gets_that_where_it_is_honoured(visitor, fields):
    with override_settings(DUMPER_HONOUR_NO_CACHE=True):
        visitor.get(PATH)
        old = answered_there(visitor)
        assert visitor.get(PATH, **fields).body != old.body
    with override_settings(DUMPER_HONOUR_NO_CACHE=False):
        assert answered_there(visitor, **fields).is_hit


def test_who_says_on_whose_behalf_it_comes_gets_only_what_is_public(visitor):
    visitor.get(PATH)
    answered_there(visitor)
    assert not visitor.get(PATH, HTTP_AUTHORIZATION="Basic x").is_hit
    urls.views["/public/"] = urls.page({"Cache-Control": "public"})
    visitor.get("/public/")
    assert answered_there(visitor, "/public/", HTTP_AUTHORIZATION="Basic x").is_hit


@pytest.mark.parametrize(
    "name", ["HTTP_RANGE", "HTTP_IF_MATCH", "HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_TRANSFER_ENCODING"]
)
def test_what_is_for_the_view_comes_to_the_view(visitor, name):
    visitor.get(PATH)
    answered_there(visitor)
    assert not visitor.get(PATH, **{name: "a"}).is_hit
    assert visitor.left


@pytest.mark.parametrize("at_the_door", [True, False], ids=["door", "pair"])
def test_a_variable_that_is_no_text_does_no_harm(caplog, at_the_door):
    urls.views[""] = urls.page(shows=lambda request: request.META.get("x.who"))
    visitor = ByWSGI()
    visitor.door = visitor.door if at_the_door else visitor._behind
    for who in ("a", "a", "a", {"no": "text"}, ["none"], None, None) * 3:
        assert visitor.get(PATH, environ={"x.who": who}).body.startswith(str(who).encode())
    assert not caplog.records


def test_a_file_is_sent_as_a_server_without_a_wrapper_sends_it(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    urls.views[""] = lambda request: FileResponse((tmp_path / "file").open("rb"))
    for _ in range(2):
        assert ByWSGI().get(PATH).body == b"content"


def test_fields_that_came_from_a_decorator_are_those_that_the_view_had(visitor):
    urls.views[""] = lambda request: HttpResponse("page", reason="Fine", headers={"X-Name": "größe", "X-Other": "日"})
    first = visitor.get(PATH)
    later = answered_there(visitor)
    for name in ("x-name", "x-other", "x-frame-options", "content-type"):
        assert later.headers[name] == first.headers[name]
