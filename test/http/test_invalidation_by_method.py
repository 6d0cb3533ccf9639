"""RFC 9111 §4.4: what changes something by an unsafe method is not followed by what was true before."""

from urllib.parse import quote, unquote

import pytest
from django.http import HttpResponse
from django.test import override_settings

from test.http.urls import page

NAMED = quote("/größe/")


@pytest.fixture
def stored(ask, site):
    """Pages that are stored; the answer to "are they still?" as a set of paths."""
    paths = ["/page/", "/page/?a=b", "/made/", NAMED, "/other/"]
    for path in paths:
        site[unquote(path.partition("?")[0])] = view = page(shows=lambda request: request.GET.get("a"))
        ask(path)
    get = {path: ask(path).body for path in paths}

    def answering(**answer):
        for path in ("/page/", "/elsewhere/"):
            site[path] = lambda request: view(request) if request.method in ("GET", "HEAD") else HttpResponse(**answer)

    def kept():
        # A HEAD stores nothing, so that it may be asked for again.
        return {path for path in get if ask(path, method="HEAD").is_hit}

    assert kept() == set(paths)
    return answering, kept


ALL = {"/page/", "/page/?a=b", "/made/", NAMED, "/other/"}
OTHERS = {"/made/", NAMED, "/other/"}

#: rule, method, status, what is still stored
METHODS = [
    ("RFC 9111 4.4 POST", "POST", 200, OTHERS),
    ("RFC 9111 4.4 PUT", "PUT", 204, OTHERS),
    ("RFC 9111 4.4 PATCH", "PATCH", 200, OTHERS),
    ("RFC 9111 4.4 DELETE", "DELETE", 202, OTHERS),
    ("RFC 9111 4.4 a method that is unknown", "PROPPATCH", 207, OTHERS),
    ("RFC 9111 4.4 one that was made", "POST", 201, OTHERS),
    ("RFC 9111 4.4 a redirect is no error", "POST", 303, OTHERS),
    ("RFC 9111 4.4 another redirect", "POST", 302, OTHERS),
    ("RFC 9111 4.4 an error has changed nothing", "POST", 400, ALL),
    ("RFC 9111 4.4 nobody was let in", "POST", 403, ALL),
    ("RFC 9111 4.4 a conflict", "PUT", 409, ALL),
    ("RFC 9111 4.4 an error of the server", "POST", 500, ALL),
    ("RFC 9110 9.2.1 a safe method", "OPTIONS", 200, ALL),
    ("RFC 9110 9.2.1 a safe method", "TRACE", 200, ALL),
]


@pytest.mark.parametrize(
    ("method", "status", "expected"), [row[1:] for row in METHODS], ids=[row[0] for row in METHODS]
)
def test_a_successful_unsafe_request_invalidates_its_target_in_all_variants(ask, stored, method, status, expected):
    answering, kept = stored
    answering(status=status)
    assert ask("/page/", method=method).status == status
    assert kept() == expected


#: rule, a field of the answer, what is still stored beside the target
LOCATIONS = [
    ("RFC 9111 4.4 a path", "/made/", OTHERS - {"/made/"}),
    ("RFC 9111 4.4 an absolute URL", "http://testserver/made/", OTHERS - {"/made/"}),
    ("RFC 9111 4.4 relative to the target", "../made/", OTHERS - {"/made/"}),
    ("RFC 9111 4.4 a query string names the whole path", "/made/?a=b#c", OTHERS - {"/made/"}),
    ("RFC 9111 4.4 percent-encoded", "/gr%C3%B6%C3%9Fe/", OTHERS - {NAMED}),
    ("RFC 9111 4.4 another host", "http://evil.test/made/", OTHERS),
    ("RFC 9111 4.4 another host of this site", "http://a.example/made/", OTHERS),
    ("RFC 9111 4.4 another scheme", "https://testserver/made/", OTHERS),
    ("RFC 9111 4.4 another port", "http://testserver:81/made/", OTHERS),
    ("RFC 9111 4.4 another host, without a scheme", "//evil.test/made/", OTHERS),
    ("RFC 9111 4.4 a user before the host", "http://testserver@evil.test/made/", OTHERS),
    ("RFC 9111 4.4 what is no URL", "http://[/made/", OTHERS),
    ("RFC 9111 4.4 a URL of something else", "mailto:made@testserver", OTHERS),
    ("RFC 9111 4.4 nothing", "", OTHERS),
]


@pytest.mark.parametrize("field", ["Location", "Content-Location"])
@pytest.mark.parametrize(("url", "expected"), [row[1:] for row in LOCATIONS], ids=[row[0] for row in LOCATIONS])
def test_so_does_it_what_it_says_it_has_made_if_that_is_of_the_same_origin(ask, stored, field, url, expected):
    answering, kept = stored
    answering(status=201, headers={field: url})
    assert ask("/page/", method="POST").status == 201
    assert kept() == expected


def test_an_error_does_not_invalidate_what_it_names(ask, stored):
    answering, kept = stored
    answering(status=422, headers={"Location": "/made/"})
    ask("/page/", method="POST")
    assert kept() == ALL


def test_both_fields_count(ask, stored):
    answering, kept = stored
    answering(status=201, headers={"Location": "/made/", "Content-Location": "/other/"})
    ask("/elsewhere/", method="POST")
    assert kept() == ALL - {"/made/", "/other/"}


def test_the_visitor_who_posts_sees_the_change_on_the_page_that_they_are_sent_to(ask, site):
    entries = []
    site["/book/"] = lambda request: (
        page(shows=lambda request: entries)(request)
        if request.method == "GET"
        else entries.append("new") or HttpResponse(status=303, headers={"Location": "/book/"})
    )
    ask("/book/")
    assert ask("/book/").is_hit
    ask("/book/", method="POST")
    assert b"new" in ask("/book/").body
    assert ask("/book/").is_hit


def test_an_unsafe_request_past_the_store_invalidates_all_the_same(ask, stored):
    answering, kept = stored
    answering(status=200)
    with override_settings(DUMPER_BYPASS=lambda request: request.method == "POST"):
        ask("/page/", {"Authorization": "Basic x"}, "POST", b"a=b")
    assert kept() == OTHERS
