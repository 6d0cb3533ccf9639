"""What has gone wrong in other caches: nobody gets what was made for, or by, another, and no request spoils a page."""

import re

import pytest
from django.core.cache import caches
from django.http import HttpResponse, HttpResponseBadRequest
from django.middleware.csrf import get_token
from django.test import override_settings

from test.http.urls import page


def control(value):
    return page({"Cache-Control": value})


def with_cookie(request):
    response = page()(request)
    response.set_cookie("session", "of one visitor")
    return response


def own(request):
    """A page by the name of its visitor, which says nothing of it in Vary."""
    return page(shows=lambda request: request.COOKIES.get("name", "nobody"))(request)


def nonce(request):
    return page({"Content-Security-Policy": "script-src 'nonce-abc'"})(request)


NAMED = {"Cookie": "name=eve"}
TRUSTING = {
    "USE_X_FORWARDED_HOST": True,
    "USE_X_FORWARDED_PORT": True,
    "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
}

#: flaw, view, fields of the request, why the page is not stored
UNSTORED = [
    ("CVE-2026-6907: Vary: * is stored", page({"Vary": "*"}), {}, "vary *"),
    ("CVE-2026-6907: Vary: * among others", page({"Vary": "Accept, *"}), {}, "vary *"),
    ("CVE-2026-48587: blanks in Vary", page({"Vary": " * "}), {}, "vary *"),
    ("CVE-2026-48587: tabs in Vary", page({"Vary": "Cookie ,\t*\t"}), {}, "vary *"),
    ("CVE-2026-8404: Private", control("Private"), {}, "private"),
    ("CVE-2026-8404: PRIVATE", control("max-age=60, PRIVATE"), {}, "private"),
    ("CVE-2026-8404: No-Store", control("No-Store"), {}, "no-store"),
    ("qualified directives", control('private="x"'), {}, "private"),
    ("qualified directives", control('no-cache="set-cookie"'), {}, "no-cache"),
    ("Pragma", page({"Pragma": "No-Cache"}), {}, "pragma"),
    ("CVE-2026-35193: Authorization", page(), {"Authorization": "Bearer x"}, "authorization"),
    ("CVE-2026-35193: Authorization, with a lifetime", control("max-age=60"), {"Authorization": "x"}, "authorization"),
    ("CVE-2026-48588: a cookie is set for who has another", with_cookie, {"Cookie": "theme=dark"}, "set-cookie"),
    ("a cookie is set, and Vary does not say Cookie", with_cookie, {}, "set-cookie"),
    ("Trac 37280: a nonce for all", nonce, {}, "nonce"),
]


@pytest.mark.parametrize(("view", "headers", "reason"), [row[1:] for row in UNSTORED], ids=[row[0] for row in UNSTORED])
def test_what_other_caches_have_stored_by_mistake_is_not_stored(ask, site, view, headers, reason):
    site["/page/"] = view
    first, second = ask("/page/", headers), ask("/page/", headers)
    assert (first.detail, second.detail) == (reason, reason)
    assert second.body != first.body
    assert ask("/page/", {}).body not in (first.body, second.body)


def shown(name):
    return page(shows=lambda request: request.headers.get(name, "nothing"))


#: flaw, view, what an attacker asks for, what a visitor asks for
POISONINGS = [
    ("CVE-2026-113593: absent is not empty", page({"Vary": "X-Name"}, shows=lambda r: "HTTP_X_NAME" in r.META),
     ("/page/", {"X-Name": ""}), ("/page/", {})),
    ("CVE-2026-113593: absent is not empty, by who reads it", page(shows=lambda r: "X-Name" in r.headers),
     ("/page/", {"X-Name": ""}), ("/page/", {})),
    ("CVE-2026-48587: blanks in Vary", page({"Vary": " X-Name\t"}, shows=lambda r: r.META.get("HTTP_X_NAME")),
     ("/page/", {"X-Name": "eve"}), ("/page/", {})),
    ("a page by a cookie, without Vary", own, ("/page/", NAMED), ("/page/", {})),
    ("a page by a cookie, for another", own, ("/page/", NAMED), ("/page/", {"Cookie": "name=bob"})),
    ("a host in the page", page(shows=lambda r: r.build_absolute_uri()),
     ("/page/", {"Host": "a.example"}), ("/page/", {"Host": "b.example"})),
    ("X-Forwarded-Host that Django trusts", page(shows=lambda r: r.build_absolute_uri()),
     ("/page/", {"X-Forwarded-Host": "a.example"}), ("/page/", {})),
    ("X-Forwarded-Host that the view trusts", shown("X-Forwarded-Host"),
     ("/page/", {"X-Forwarded-Host": "evil.test"}), ("/page/", {})),
    ("X-Forwarded-Proto that Django trusts", page(shows=lambda r: r.build_absolute_uri()),
     ("/page/", {"X-Forwarded-Proto": "https"}), ("/page/", {})),
    ("X-Forwarded-Port that Django trusts", page(shows=lambda r: r.get_port()),
     ("/page/", {"X-Forwarded-Port": "81"}), ("/page/", {})),
    ("Content-Type that nobody needs for a GET", page(shows=lambda r: r.content_type),
     ("/page/", {"Content-Type": "application/json"}), ("/page/", {})),
    ("Content-Type and its parameters", page(shows=lambda r: r.content_params),
     ("/page/", {"Content-Type": "text/plain; a=evil"}), ("/page/", {})),
    ("Content-Type, as a field", shown("Content-Type"),
     ("/page/", {"Content-Type": "application/json"}), ("/page/", {})),
    ("Content-Type, as a variable", page(shows=lambda r: r.META.get("CONTENT_TYPE")),
     ("/page/", {"Content-Type": "application/json"}), ("/page/", {})),
    ("Content-Length of nothing, as a variable", page(shows=lambda r: r.META.get("CONTENT_LENGTH")),
     ("/page/", {"Content-Length": "0"}), ("/page/", {})),
    ("X-Original-URL that the view trusts", shown("X-Original-URL"),
     ("/page/", {"X-Original-URL": "/evil/"}), ("/page/", {})),
    ("User-Agent", shown("User-Agent"), ("/page/", {"User-Agent": "<script>"}), ("/page/", {})),
    ("Referer", shown("Referer"), ("/page/", {"Referer": "http://evil.test"}), ("/page/", {})),
    ("a query string that is not in the key", page(shows=lambda r: r.GET.get("utm", "")),
     ("/page/?utm=evil", {}), ("/page/", {})),
    ("a parameter hidden behind another", page(shows=lambda r: r.GET.get("a", "")),
     ("/page/?b=1&a=evil", {}), ("/page/?b=1", {})),
    ("a parameter, spelled otherwise", page(shows=lambda r: r.GET.get("a", "")),
     ("/page/?%61=evil", {}), ("/page/?a=good", {})),
    ("a query string, as a whole", page(shows=lambda r: r.META["QUERY_STRING"]),
     ("/page/?a=evil", {}), ("/page/?a=good", {})),
    ("a fat GET", page(shows=lambda r: r.body), ("/page/", {}, "GET", b"a=evil"), ("/page/", {})),
    ("a method override", shown("X-HTTP-Method-Override"),
     ("/page/", {"X-HTTP-Method-Override": "DELETE"}), ("/page/", {})),
    ("CPDoS: a method override that is refused", lambda r: page(status=405 if "X-HTTP-Method" in r.headers else 200)(r),
     ("/page/", {"X-HTTP-Method": "PUT"}), ("/page/", {})),
    ("CPDoS: a field that is refused", lambda r: page(status=400 if "\\" in r.headers.get("X-Name", "") else 200)(r),
     ("/page/", {"X-Name": "\\"}), ("/page/", {})),
    ("CPDoS: a field that breaks the view", lambda r: page(shows=lambda r: 1 / len(r.headers.get("X-Name", "a")))(r),
     ("/page/", {"X-Name": ""}), ("/page/", {})),
    ("CPDoS: a query string that breaks the view", page(shows=lambda r: int(r.GET.get("page", 1))),
     ("/page/?page=x", {}), ("/page/", {})),
    ("CPDoS: what is too large", page(shows=lambda r: "a" * len(r.headers.get("X-Name", ""))),
     ("/page/", {"X-Name": "a" * 8000}), ("/page/", {})),
    ("a range", lambda r: HttpResponse(b"p", status=206) if "Range" in r.headers else page()(r),
     ("/page/", {"Range": "bytes=0-0"}), ("/page/", {})),
]  # fmt: skip


def told(answer):
    """What the visitor was told, but for the number of the render."""
    return answer.status, re.sub(rb"render \d+", b"", answer.body)


# A 404 and the like are stored where that can do harm.
@override_settings(**TRUSTING, DUMPER_STATUSES={200: None, 404: None, 405: None, 410: None})
@pytest.mark.parametrize(("view", "evil", "good"), [row[1:] for row in POISONINGS], ids=[row[0] for row in POISONINGS])
def test_a_page_is_what_it_would_be_if_nobody_else_had_asked(ask, site, view, evil, good):
    site["/page/"] = view
    expected = told(ask(*good))
    caches["default"].clear()
    assert told(ask(*evil)) != expected, "the row shows no difference"
    assert told(ask(*good)) == expected
    caches["default"].clear()
    for _ in range(2):
        ask(*evil)
    for _ in range(2):
        assert told(ask(*good)) == expected


#: paths that a server, a proxy or a view might take for one another
PATHS = [
    "/page/", "/page", "//page/", "/page//", "/page/.", "/page/..", "/page/../page/", "/./page/", "/PAGE/", "/page/;a",
    "/page/%2e%2e/", "/page%2F", "/page/%00", "/page/%0a", "/page/%23", "/page/%3F", "/page/a.css", "/page%252F",
    "/page/%C3%A9", "/page/e%CC%81", "/page/%20", "/page/+", "/page/\\", "/page/%5C",
]  # fmt: skip


def test_paths_that_look_alike_do_not_meet(ask, site):
    """Web cache deception, path confusion: what is in the key is the path that the view is given."""
    site[""] = page(shows=lambda request: repr(request.path_info))
    expected = {}
    for path in PATHS:
        caches["default"].clear()
        expected[path] = told(ask(path))
    caches["default"].clear()
    for _ in range(2):
        assert {path: told(ask(path)) for path in PATHS} == expected
    assert ask("/page/").is_hit
    assert len(set(expected.values())) > len(PATHS) - 5, "the paths are spelled so that views tell them apart"


@pytest.mark.parametrize("path", ["/account/x.css", "/account/style.js", "/account/;x.png", "/account/%0ax.ico"])
def test_a_visitors_own_page_is_not_stored_because_it_looks_like_a_file(ask, site, path):
    """Web cache deception: CVE-2018-20228 and others."""
    for decoded in ("/account/x.css", "/account/style.js", "/account/;x.png", "/account/\nx.ico"):
        site[decoded] = page({"Cache-Control": "private"}, shows=lambda request: request.COOKIES["name"])
    assert ask(path, NAMED).body.startswith(b"eve")
    assert ask(path, {"Cookie": "name=bob"}).body.startswith(b"bob")


def test_a_token_of_one_visitor_is_not_given_to_another(ask, site):
    """CVE-2014-0473: then an attacker would know the token of all."""
    site["/page/"] = lambda request: HttpResponse(f"{get_token(request)} render")
    first, second = ask("/page/"), ask("/page/")
    assert second.is_hit
    assert first.body != second.body
    assert first.headers["set-cookie"] != second.headers["set-cookie"]


def test_a_field_of_the_answer_that_would_end_it_is_refused_by_django_and_spoils_nothing(ask, site):
    """CVE-2010-2273, response splitting: what cannot be sent cannot be stored."""
    site["/page/"] = lambda request: page({"X-Name": request.GET.get("a", "good")})(request)
    assert ask("/page/?a=x%0d%0aSet-Cookie:%20a=b").status == 500
    assert ask("/page/").headers["x-name"] == "good"


@pytest.mark.parametrize(
    ("settings", "headers", "size", "reason"),
    [
        ({"DUMPER_MAX_BODY_SIZE": 1000}, {}, 2000, "body too large"),
        ({"DUMPER_MAX_HEADER_SIZE": 1000}, {"X-Name": "a" * 2000}, 0, "header too large"),
        ({"DUMPER_MAX_URL_LENGTH": 5}, {}, 0, "url too long"),
    ],
)
def test_what_would_fill_the_store_is_not_stored(ask, site, settings, headers, size, reason):
    site["/page/"] = page(headers, size=size)
    with override_settings(**settings):
        assert [ask("/page/").detail for _ in range(2)] == [reason, reason]


def test_a_refusal_is_not_stored_even_if_it_asks_for_that(ask, site):
    site["/page/"] = lambda request: HttpResponseBadRequest(headers={"Cache-Control": "public, max-age=99"})
    assert [ask("/page/").detail for _ in range(2)] == ["status 400", "status 400"]


def test_what_is_stored_is_no_pickle(ask, site):
    site["/page/"] = page()
    ask("/page/")
    stored = [
        value for key in list(caches["default"]._cache) if isinstance(value := caches["default"].get(key[3:]), bytes)
    ]
    assert any(value.startswith(b"DMPR") and b"page render" in value for value in stored)
