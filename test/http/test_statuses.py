"""DUMPER_STATUSES: which answers besides 200 are stored, for how long, and that none of them takes a page's place."""

import pytest
from django.http import HttpResponse
from django.test import override_settings

import dumper
from test.http.urls import page

DAY = 86_400
STATUSES = {200: None, 301: DAY, 308: 3600, 404: 5, 410: None}

#: rule, the answer of the view, for how many seconds it is stored; None is forever
LIFETIMES = [
    ("a page", page(), None),
    ("RFC 9110 15.4.2", page({"Location": "/new/"}, status=301), DAY),
    ("RFC 9110 15.4.9", page({"Location": "/new/"}, status=308), 3600),
    ("RFC 9110 15.5.5", page(status=404), 5),
    ("RFC 9110 15.5.11", page(status=410), None),
    ("RFC 9111 4.2.1 what the view says counts more", page({"Cache-Control": "max-age=60"}, status=404), 60),
    ("RFC 9111 4.2.1 what the view says counts more", page({"Cache-Control": "s-maxage=1"}, status=301), 1),
]


@override_settings(DUMPER_STATUSES=STATUSES)
@pytest.mark.parametrize(("view", "lifetime"), [row[1:] for row in LIFETIMES], ids=[row[0] for row in LIFETIMES])
def test_a_status_that_is_named_is_stored_for_its_own_time(ask, site, later, view, lifetime):
    site["/page/"] = view
    first = ask("/page/")
    assert first.is_stored
    assert first.cache_status.get("ttl") == lifetime
    later(10 * DAY if lifetime is None else lifetime / 2)
    found = ask("/page/")
    assert found.is_hit
    assert (found.status, found.body, found.headers.get("location")) == (
        first.status,
        first.body,
        first.headers.get("location"),
    )
    later(0 if lifetime is None else lifetime)
    assert ask("/page/").is_hit == (lifetime is None)


@pytest.mark.parametrize(
    "status", [201, 203, 204, 300, 301, 302, 303, 307, 308, 400, 403, 404, 405, 410, 429, 500, 501]
)
def test_a_status_that_is_not_named_is_not_stored(ask, site, status):
    site["/page/"] = lambda request: HttpResponse(status=status, headers={"Cache-Control": "public, max-age=60"})
    for _ in range(2):
        answer = ask("/page/")
        assert (answer.status, answer.forwarded, answer.detail) == (status, "uri-miss", f"status {status}")


@pytest.mark.parametrize("status", [206, 302, 304, 403, 500, 503])
def test_a_status_that_must_not_be_stored_cannot_be_named(ask, site, status):
    site["/page/"] = page(status=status)
    with override_settings(DUMPER_STATUSES={status: None}):
        assert not ask("/page/").is_stored
    site["/page/"] = page()
    with override_settings(DUMPER_STATUSES={status: None}):
        assert ask("/page/").is_stored, "the default is in force"


@override_settings(DUMPER_STATUSES=STATUSES)
@pytest.mark.parametrize("status", [301, 308, 404, 410])
def test_the_rules_for_pages_are_those_for_all_that_is_stored(ask, site, status):
    site["/page/"] = page({"Cache-Control": "private", "Location": "/x/"}, status=status)
    assert ask("/page/").detail == "private"
    site["/page/"] = page({"Set-Cookie": "a=b", "Location": "/x/"}, status=status)
    assert ask("/page/").detail == "set-cookie"


@override_settings(DUMPER_STATUSES=STATUSES)
def test_what_was_not_found_is_found_once_it_is_there(ask, site):
    assert ask("/page/").is_stored
    assert ask("/page/").status == 404
    site["/page/"] = page()
    dumper.invalidate_paths(["/page/"])
    assert ask("/page/").status == 200
    assert ask("/page/").is_hit


RENEW = {"Cache-Control": "no-cache"}


@override_settings(DUMPER_STATUSES=STATUSES, DUMPER_HONOUR_NO_CACHE=True)
@pytest.mark.parametrize("shows", [lambda r: "", lambda r: r.headers.get("X-Name")], ids=["for all", "for some"])
@pytest.mark.parametrize("status", [404, 410, 500])
def test_no_error_takes_the_place_of_a_good_page(ask, site, status, shows):
    site["/page/"] = page()
    good = ask("/page/")
    site["/page/"] = page(status=status, shows=shows)
    for _ in range(2):
        bad = ask("/page/", {**RENEW, "X-Name": "a"})
        assert bad.status == status
        assert not bad.is_stored
        for headers in ({}, {"X-Name": "a"}):
            assert ask("/page/", headers).body == good.body


@override_settings(DUMPER_STATUSES=STATUSES)
@pytest.mark.parametrize("status", [404, 410])
def test_no_error_takes_the_place_of_a_good_page_that_was_stored_while_it_was_made(ask, site, status):
    good = []

    def view(request):
        if good:
            return page()(request)
        good.append(None)
        good.append(ask("/page/"))
        return page(status=status)(request)

    site["/page/"] = view
    bad = ask("/page/")
    assert (bad.status, bad.detail) == (status, "a good page is stored")
    assert good[1].is_stored
    assert ask("/page/").body == good[1].body


@override_settings(DUMPER_STATUSES=STATUSES, DUMPER_HONOUR_NO_CACHE=True)
def test_a_good_page_takes_the_place_of_an_error(ask, site):
    site["/page/"] = page(status=410)
    ask("/page/")
    assert ask("/page/").is_hit
    site["/page/"] = page()
    good = ask("/page/", RENEW)
    assert good.is_stored
    assert ask("/page/").body == good.body


@override_settings(DUMPER_STATUSES=STATUSES, DUMPER_HONOUR_NO_CACHE=True)
def test_an_error_takes_the_place_of_a_page_that_is_no_longer_true(ask, site):
    site["/page/"] = page()
    ask("/page/")
    site["/page/"] = page(status=410)
    dumper.invalidate_paths(["/page/"])
    assert ask("/page/").is_stored
    assert ask("/page/").status == 410
