"""A successful unsafe request invalidates its own target, and what it says it has made (RFC 9111 §4.4); no other."""

import pytest
from django.http import HttpResponse

from test.middleware.stacks import STACKS
from test.middleware.visits import Visitor, is_hit, is_stored, showing, site, status

answers: list = []


def view(request):
    if request.method in ("GET", "HEAD"):
        return showing(lambda request: request.GET.get("q"))(request)
    return answers[-1]()


def answering(code=200, **headers):
    return lambda: HttpResponse(status=code, headers={name.replace("_", "-"): value for name, value in headers.items()})


def stale_after(kind, method, make, path="/a/", **settings):
    """Which of some pages have to be rendered anew after a request."""
    pages = ["/a/", "/a/?q=1", "/b/", "/c/d/", "/größe/"]
    answers[:] = [make]
    with site(view, MIDDLEWARE=settings.pop("stack", STACKS["in Django's place"]), **settings):
        visitor = Visitor(kind)
        visitor.client.handler.enforce_csrf_checks = False
        for page in pages:
            visitor.get(page)
        assert all(is_hit(visitor.get(page)) for page in pages)
        visitor.ask(method, path)
        return {page for page in pages if not is_hit(visitor.get(page))}


A = {"/a/", "/a/?q=1"}


@pytest.mark.parametrize("stack", ["in Django's place", "side by side at the top", "side by side at the end"])
@pytest.mark.parametrize(
    ("kind", "method"),
    [*(("sync", method) for method in ("POST", "PUT", "PATCH", "DELETE", "MADE-UP")), ("async", "POST")],
)
def test_an_unsafe_request_invalidates_its_own_target(kind, method, stack):
    assert stale_after(kind, method, answering(), stack=STACKS[stack]) == A


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "HEAD"])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_safe_request_invalidates_nothing(kind, method):
    assert stale_after(kind, method, answering()) == set()


@pytest.mark.parametrize("code", [200, 201, 204, 301, 302, 303, 304, 307])
def test_what_did_not_fail_invalidates(code):
    assert stale_after("sync", "POST", answering(code)) == A


@pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 409, 410, 422, 429, 500, 503])
def test_what_failed_invalidates_nothing(code):
    assert stale_after("sync", "POST", answering(code, Location="/b/")) == set()


PLACES = [
    ("a path", {"Location": "/b/"}, {"/b/"}),
    ("a path and a query", {"Location": "/b/?x=1#y"}, {"/b/"}),
    ("a relative path", {"Location": "../b/"}, {"/b/"}),
    ("a URL", {"Location": "http://testserver/b/"}, {"/b/"}),
    ("where the content is", {"Content-Location": "/c/d/"}, {"/c/d/"}),
    ("both", {"Location": "/b/", "Content-Location": "/c/d/"}, {"/b/", "/c/d/"}),
    ("an encoded path", {"Location": "/gr%C3%B6%C3%9Fe/"}, {"/größe/"}),
    ("another host", {"Location": "http://example.com/b/"}, set()),
    ("another scheme", {"Location": "https://testserver/b/"}, set()),
    ("another port", {"Location": "http://testserver:81/b/"}, set()),
    ("another host without a scheme", {"Location": "//example.com/b/"}, set()),
    ("nothing", {"Location": ""}, set()),
    ("a URL that is none", {"Location": "http://[/b/"}, set()),
    ("no path", {"Location": "mailto:a@example.com"}, set()),
]


@pytest.mark.parametrize(("headers", "more"), [row[1:] for row in PLACES], ids=[row[0] for row in PLACES])
def test_what_it_says_it_has_made_is_invalidated_if_it_is_on_this_site(headers, more):
    named = {name.replace("-", "_"): value for name, value in headers.items()}
    assert stale_after("sync", "POST", answering(201, **named)) == A | more


def test_async_code_invalidates_what_it_says_it_has_made():
    assert stale_after("async", "POST", answering(303, Location="/b/")) == A | {"/b/"}


def test_the_page_of_an_ignored_path_is_left_alone():
    assert stale_after("sync", "POST", answering(Location="/b/"), "/x/", DUMPER_PATH_IGNORE_REGEX="^/x/") == {"/b/"}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_answer_is_never_stored_and_no_stored_page_is_one(method):
    answers[:] = [answering(200, Cache_Control="public, max-age=60")]
    with site(view, MIDDLEWARE=STACKS["alone"]):
        assert is_stored(Visitor().get("/a/"))
        answer = Visitor().ask(method, "/a/")
        assert status(answer) == 'dumper; fwd=method; detail="method"'
        assert answer.content == b""
        assert is_stored(Visitor().get("/a/"))


def test_an_unsafe_request_that_a_middleware_refuses_invalidates_nothing():
    answers[:] = [answering()]
    with site(view, MIDDLEWARE=STACKS["in Django's place"]):
        Visitor().get("/a/")
        assert Visitor().post("/a/").status_code == 403
        assert is_hit(Visitor().get("/a/"))
