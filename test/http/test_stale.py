"""RFC 5861: what is served although its lifetime has passed, where the site or the view allows that."""

import pytest
from django.http import HttpResponse
from django.test import override_settings

import dumper
from test.http.urls import page
from test.middleware.edges import by_key

WHILE, ERROR = {"DUMPER_STALE_WHILE_REVALIDATE": 30}, {"DUMPER_STALE_IF_ERROR": 30}
BOTH = {**WHILE, **ERROR}


def stored(ask, site, headers=None):
    site["/page/"] = page(headers or {"Cache-Control": "max-age=10"})
    answer = ask("/page/")
    assert answer.is_stored
    return answer


def asked_while_it_renders(ask, site):
    """What another request is answered while one renders, and that one."""
    others = []

    def view(request):
        if not others:
            others.append(None)
            others.append(ask("/page/"))
        return page({"Cache-Control": "max-age=10"})(request)

    site["/page/"] = view
    first = ask("/page/")
    return others[1], first


#: settings, Cache-Control, seconds since it was stored, whether it is served while another request renders
WHILE_REVALIDATING = [
    (WHILE, "max-age=10", 11, True),
    (WHILE, "max-age=10", 39, True),
    (WHILE, "max-age=10", 41, False),
    (WHILE, "max-age=10, must-revalidate", 11, False),
    (WHILE, "max-age=10, proxy-revalidate", 11, False),
    (WHILE, "s-maxage=10", 11, False),
    (WHILE, "max-age=10, stale-while-revalidate=0", 11, False),
    (WHILE, "max-age=10, stale-while-revalidate=5", 16, False),
    ({}, "max-age=10, stale-while-revalidate=5", 14, True),
    ({}, "s-maxage=10, stale-while-revalidate=5", 14, True),
    ({}, "max-age=10, stale-while-revalidate=5, must-revalidate", 14, False),
    ({}, "max-age=10, stale-while-revalidate=x", 11, False),
    (ERROR, "max-age=10", 11, False),
    ({}, "max-age=10", 11, False),
]


@pytest.mark.parametrize(("settings", "control", "seconds", "is_served"), WHILE_REVALIDATING)
def test_a_stale_page_is_served_while_one_request_renders(ask, site, later, settings, control, seconds, is_served):
    with override_settings(**settings):
        old = stored(ask, site, {"Cache-Control": control})
        later(seconds)
        other, first = asked_while_it_renders(ask, site)
        assert first.body != old.body
        assert first.is_stored
        assert (other.body == old.body) is is_served
        if is_served:
            assert other.cache_status["hit"] is True
            assert other.cache_status["ttl"] in (10 - seconds, 9 - seconds)
            assert other.detail == "stale-while-revalidate"
            assert int(other.headers["age"]) >= seconds
        assert ask("/page/").is_hit


#: settings, Cache-Control, seconds since it was stored, what the view answers by then, whether the page is served
IF_ERROR = [
    *((ERROR, "max-age=10", 11, status, True) for status in (500, 502, 503, 504)),
    *((ERROR, "max-age=10", 11, status, False) for status in (400, 404, 410, 501, 505)),
    (ERROR, "max-age=10", 11, None, True),
    (ERROR, "max-age=10", 39, None, True),
    (ERROR, "max-age=10", 41, None, False),
    (ERROR, "max-age=10, must-revalidate", 11, None, False),
    (ERROR, "max-age=10, stale-if-error=0", 11, None, False),
    ({}, "max-age=10, stale-if-error=5", 14, None, True),
    ({}, "max-age=10", 11, None, False),
    (WHILE, "max-age=10", 11, None, False),
]


@pytest.mark.parametrize(("settings", "control", "seconds", "status", "is_served"), IF_ERROR)
def test_a_stale_page_is_served_instead_of_an_error(ask, site, later, settings, control, seconds, status, is_served):
    def fails(request):
        if status is None:
            raise ZeroDivisionError("the view is broken")
        return HttpResponse("error", status=status)

    with override_settings(**settings):
        old = stored(ask, site, {"Cache-Control": control})
        later(seconds)
        site["/page/"] = fails
        for _ in range(2):
            answer = ask("/page/")
            assert (answer.body == old.body) is is_served
            assert not answer.is_stored
            if is_served:
                assert (answer.status, answer.forwarded, answer.detail) == (200, "stale", "stale-if-error")
                assert answer.cache_status["fwd-status"] == (status or 500)
                assert int(answer.headers["age"]) >= seconds
        site["/page/"] = page()
        assert ask("/page/").is_stored


@override_settings(**BOTH)
def test_what_was_changed_is_served_to_nobody(ask, site):
    old = stored(ask, site)
    dumper.invalidate_paths(["/page/"])
    other, first = asked_while_it_renders(ask, site)
    assert old.body not in (other.body, first.body)
    dumper.invalidate_paths(["/page/"])
    site["/page/"] = lambda request: HttpResponse(status=503)
    assert ask("/page/").status == 503


@override_settings(**BOTH, DUMPER_STALE_AFTER_CHANGE=True)
def test_what_was_changed_is_served_where_that_is_allowed(ask, site):
    old = stored(ask, site)
    dumper.invalidate_paths(["/page/"])
    other, first = asked_while_it_renders(ask, site)
    assert (other.body, other.detail) == (old.body, "stale-while-revalidate")
    assert first.body != old.body
    assert ask("/page/").body == first.body
    dumper.invalidate_paths(["/page/"])
    site["/page/"] = lambda request: HttpResponse(status=503)
    assert ask("/page/").body == first.body


@pytest.mark.parametrize("before", [lambda: None, lambda: dumper.invalidate_paths(["/page/"])], ids=["true", "changed"])
@override_settings(**BOTH, DUMPER_STALE_AFTER_CHANGE=True)
def test_what_was_cleared_is_served_to_nobody_even_then(ask, site, before):
    old = stored(ask, site)
    before()
    dumper.clear()
    other, first = asked_while_it_renders(ask, site)
    assert old.body not in (other.body, first.body)


@override_settings(**BOTH, DUMPER_HONOUR_NO_CACHE=True)
def test_who_wants_it_fresh_is_served_nothing_stale(ask, site, later):
    stored(ask, site)
    later(11)
    site["/page/"] = lambda request: HttpResponse(status=503)
    assert ask("/page/", {"Cache-Control": "no-cache"}).status == 503
    assert ask("/page/").status == 200


@override_settings(**BOTH, DUMPER_COLLAPSE_TIMEOUT=None)
def test_it_is_served_where_nobody_waits_as_well(ask, site, later):
    old = stored(ask, site)
    later(11)
    assert asked_while_it_renders(ask, site)[0].body == old.body


@override_settings(**BOTH, DUMPER_UPSTREAMS={"edge": by_key()})
def test_caches_in_front_keep_nothing_stale(ask, site, later):
    answer = stored(ask, site, {"Dumper-Cache-Control": "max-age=10"})
    assert answer.headers["surrogate-control"] == "max-age=10"
    later(11)
    other, _ = asked_while_it_renders(ask, site)
    assert other.detail == "stale-while-revalidate"
    assert other.headers["surrogate-control"] == "no-store"
    later(11)
    site["/page/"] = lambda request: HttpResponse(status=503)
    rescued = ask("/page/")
    assert rescued.detail == "stale-if-error"
    assert rescued.headers["surrogate-control"] == "no-store"
