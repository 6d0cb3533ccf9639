"""Dumper-Cache-Control (RFC 9213): it is for this cache alone, counts more than Cache-Control, and stays here."""

import pytest
from django.http import HttpResponse
from django.test import override_settings

from test.http.urls import page

FIELD = "Dumper-Cache-Control"
PAST = "Thu, 01 Jan 1970 00:00:00 GMT"

#: rule, the field, others, the lifetime or why it is not stored
FIELDS = [
    ("RFC 9213 2.2 more than private", "max-age=60", {"Cache-Control": "private, max-age=0"}, 60),
    ("RFC 9213 2.2 more than no-store", "max-age=60", {"Cache-Control": "no-store"}, 60),
    ("RFC 9213 2.2 more than no-cache", "max-age=60", {"Cache-Control": "no-cache"}, 60),
    ("RFC 9213 2.2 more than max-age", "max-age=60", {"Cache-Control": "max-age=5"}, 60),
    ("RFC 9213 2.2 more than s-maxage", "max-age=60", {"Cache-Control": "s-maxage=5"}, 60),
    ("RFC 9213 2.2 more than Expires", "max-age=60", {"Expires": PAST}, 60),
    ("RFC 9213 2.2 more than Expires, even if it names no time", "public", {"Expires": PAST}, None),
    ("RFC 9213 2.2 more than Cache-Control, even if it names no time", "public", {"Cache-Control": "max-age=5"}, None),
    ("RFC 9213 2.2 more than Pragma", "max-age=60", {"Pragma": "no-cache"}, 60),
    ("RFC 9213 2.2 no-store", "no-store", {"Cache-Control": "public, max-age=60"}, "no-store"),
    ("RFC 9213 2.2 private", "private", {"Cache-Control": "public, max-age=60"}, "private"),
    ("RFC 9213 2.2 no-cache", "no-cache", {}, "no-cache"),
    ("RFC 9213 2.2 max-age=0", "max-age=0", {"Cache-Control": "max-age=60"}, "expired"),
    ("RFC 9213 2.2 s-maxage", "s-maxage=60, max-age=5", {}, 60),
    ("RFC 9213 2.1 in any case", "Max-Age=60", {}, 60),
    ("RFC 9213 2.1 what is unknown is ignored", "x=y, max-age=60, z", {}, 60),
    ("RFC 9213 2.2 an empty one is none", "", {"Cache-Control": "private"}, "private"),
    ("RFC 9213 2.2 an empty one is none", " ,, ", {"Cache-Control": "max-age=60"}, 60),
    ("RFC 9213 2.2 it permits no cookie", "public, max-age=60", {"Set-Cookie": "a=b"}, "set-cookie"),
    ("RFC 9213 2.2 it permits no Vary: *", "public, max-age=60", {"Vary": "*"}, "vary *"),
]


@pytest.mark.parametrize(("value", "others", "expected"), [row[1:] for row in FIELDS], ids=[row[0] for row in FIELDS])
def test_it_counts_more_than_cache_control_and_changes_nothing_else(ask, site, value, others, expected):
    site["/page/"] = page({FIELD: value, **others})
    first, second = ask("/page/"), ask("/page/")
    if isinstance(expected, str):
        assert (first.detail, second.detail) == (expected, expected)
    else:
        assert first.is_stored
        assert first.cache_status.get("ttl") == expected
        assert second.body == first.body
    for answer in (first, second):
        assert FIELD.lower() not in answer.headers
        assert {name.lower(): text for name, text in others.items() if name != "Vary"}.items() <= answer.headers.items()


@pytest.mark.parametrize(
    ("fields", "is_stored"),
    [
        ({FIELD: "public, max-age=60"}, True),
        ({FIELD: "must-revalidate", "Cache-Control": "private"}, True),
        ({FIELD: "max-age=60", "Cache-Control": "public"}, False),
    ],
)
def test_it_permits_what_was_asked_for_with_authorization_or_does_not(ask, site, fields, is_stored):
    """RFC 9111 3.5, with the directives in force for this cache."""
    site["/page/"] = page(fields)
    authorized = {"Authorization": "Basic x"}
    assert ask("/page/", authorized).is_stored == is_stored
    assert ask("/page/", authorized).is_hit == is_stored


#: what is done, and what is asked for
WAYS = [
    ("a HEAD", {}, "HEAD"),
    ("a POST", {}, "POST"),
    ("an OPTIONS", {}, "OPTIONS"),
    ("past the store", {"Range": "bytes=0-1"}, "GET"),
    ("a host that is not allowed", {"Host": "evil.test"}, "GET"),
    ("a 304", {"If-None-Match": "*"}, "GET"),
    ("a hit", {}, "GET"),
]


@pytest.mark.parametrize("status", [200, 404, 500])
@pytest.mark.parametrize(("headers", "method"), [row[1:] for row in WAYS], ids=[row[0] for row in WAYS])
def test_it_never_leaves_the_site(ask, site, headers, method, status):
    site["/page/"] = page({FIELD: "max-age=60", "X-Name": "a"}, status=status)
    for _ in range(2):
        answer = ask("/page/", headers, method)
        assert FIELD.lower() not in answer.headers
        assert "x-name" in answer.headers or answer.status in (304, 400)


@override_settings(DUMPER_CACHE_STATUS=False)
def test_it_does_not_leave_either_where_cache_status_is_off(ask, site):
    site["/page/"] = page({"dumper-cache-control": "no-store"})
    assert FIELD.lower() not in ask("/page/").headers


def test_the_fields_for_other_caches_go_past_this_one(ask, site):
    """RFC 9213 2.3: CDN-Cache-Control is for caches in front of the site."""
    site["/page/"] = page({"CDN-Cache-Control": "no-store", "Surrogate-Control": "max-age=5"})
    ask("/page/")
    found = ask("/page/")
    assert found.is_hit
    assert found.headers["cdn-cache-control"] == "no-store"
    assert found.headers["surrogate-control"] == "max-age=5"


def test_who_sends_it_is_not_heard(ask, site):
    site["/page/"] = lambda request: HttpResponse("page")
    ask("/page/")
    assert ask("/page/", {FIELD: "no-store"}).is_hit
