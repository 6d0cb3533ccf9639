"""For how long a page is served (RFC 9111 §4.2), and what a request may ask for (RFC 9111 §5.2.1)."""

import time
from email.utils import formatdate

import pytest
from django.test import override_settings

from test.http.urls import page

DAY = 86_400
FOREVER = None
PAST = "Thu, 01 Jan 1970 00:00:00 GMT"


def dated(seconds):
    return formatdate(time.time() + seconds, usegmt=True)


def in_a_day():
    """Not a constant: the tables are made long before the tests that read them are run."""
    return dated(DAY)


#: rule, fields of the answer, for how many seconds it is fresh
LIFETIMES = [
    ("RFC 9111 4.2.1 s-maxage before max-age", {"Cache-Control": "max-age=10, s-maxage=60"}, 60),
    ("RFC 9111 4.2.1 s-maxage before max-age, if shorter", {"Cache-Control": "s-maxage=10, max-age=60"}, 10),
    ("RFC 9111 4.2.1 max-age before Expires", {"Cache-Control": "max-age=60", "Expires": PAST}, 60),
    ("RFC 9111 4.2.1 s-maxage before Expires", {"Cache-Control": "s-maxage=60", "Expires": "0"}, 60),
    ("RFC 9111 4.2.1 Expires", {"Expires": in_a_day}, DAY),
    ("RFC 9111 4.2.1 Expires beside another directive", {"Expires": in_a_day, "Cache-Control": "public"}, DAY),
    ("RFC 9111 4.2.1 of two the first", {"Cache-Control": "max-age=60, max-age=10"}, 60),
    ("RFC 9111 4.2.2 nothing said", {}, FOREVER),
    ("RFC 9111 4.2.2 Last-Modified says nothing of the future", {"Last-Modified": dated(-DAY)}, FOREVER),
    ("RFC 9111 5.1 Age is taken off", {"Cache-Control": "max-age=60", "Age": "20"}, 40),
    ("RFC 9111 5.1 Age that is no number", {"Cache-Control": "max-age=60", "Age": "x"}, 60),
    ("RFC 9111 5.2 a quoted number", {"Cache-Control": 'max-age="60"'}, 60),
    ("RFC 9111 5.2 in any case", {"cache-control": "MAX-AGE=60"}, 60),
    ("RFC 9111 1.2.2 a number with zeros before it", {"Cache-Control": "max-age=0060"}, 60),
    ("RFC 9111 1.2.2 more than can be counted", {"Cache-Control": f"max-age={'9' * 30}"}, 2**31),
    ("RFC 5861 3 nothing is served that is stale", {"Cache-Control": "max-age=60, stale-while-revalidate=999"}, 60),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "lifetime"), [row[1:] for row in LIFETIMES], ids=[row[0] for row in LIFETIMES])
def test_a_page_is_served_while_it_is_fresh_and_not_a_second_longer(ask, site, later, fields, lifetime):
    site["/page/"] = page({name: value() if callable(value) else value for name, value in fields.items()})
    first = ask("/page/")
    if lifetime is FOREVER:
        assert "ttl" not in first.cache_status
        later(100 * 365 * DAY)
        assert ask("/page/").body == first.body
        return
    assert lifetime - 2 <= first.cache_status["ttl"] <= lifetime
    left = first.cache_status["ttl"]
    later(left - 5)
    fresh = ask("/page/")
    assert fresh.body == first.body
    assert 3 <= fresh.cache_status["ttl"] <= 5
    later(7)
    stale = ask("/page/")
    assert stale.forwarded in ("stale", "uri-miss")
    assert stale.body != first.body


#: rule, fields of an answer that is stale at once
EXPIRED = [
    ("RFC 9111 4.2.1 max-age=0", {"Cache-Control": "max-age=0"}),
    ("RFC 9111 4.2.1 s-maxage=0", {"Cache-Control": "s-maxage=0, max-age=60"}),
    ("RFC 9111 4.2.1 what is no number is stale", {"Cache-Control": "max-age=soon"}),
    ("RFC 9111 4.2.1 what has no number is stale", {"Cache-Control": "max-age"}),
    ("RFC 9111 1.2.2 a number has no sign", {"Cache-Control": "max-age=-1"}),
    ("RFC 9111 1.2.2 a number has no fraction", {"Cache-Control": "max-age=1.5"}),
    ("RFC 9111 5.3 Expires in the past", {"Expires": PAST}),
    ("RFC 9111 5.3 Expires: 0", {"Expires": "0"}),
    ("RFC 9111 5.3 Expires: -1", {"Expires": "-1"}),
    ("RFC 9111 5.3 Expires that is no date", {"Expires": "tomorrow"}),
    ("RFC 9111 5.3 an empty Expires", {"Expires": ""}),
    ("RFC 9111 5.1 as old as it may get", {"Cache-Control": "max-age=60", "Age": "60"}),
    ("RFC 9111 5.1 older than it may get", {"Cache-Control": "max-age=60", "Age": "9999999999"}),
]


@pytest.mark.parametrize("fields", [row[1] for row in EXPIRED], ids=[row[0] for row in EXPIRED])
def test_what_is_stale_at_once_is_not_stored(ask, site, fields):
    site["/page/"] = page(fields)
    for _ in range(2):
        answer = ask("/page/")
        assert (answer.forwarded, answer.detail) == ("uri-miss", "expired")


#: rule, fields of the request, whether it asks for a page made anew
WISHES = [
    ("RFC 9111 5.2.1.4 no-cache", {"Cache-Control": "no-cache"}, True),
    ("RFC 9111 5.2.1.4 No-Cache among others", {"Cache-Control": "max-stale=5, No-Cache"}, True),
    ("RFC 9111 5.2.1.1 max-age=0", {"Cache-Control": "max-age=0"}, True),
    ("RFC 9111 5.4 Pragma", {"Pragma": "no-cache"}, True),
    ("RFC 9111 5.4 Pragma does not count beside Cache-Control",
     {"Pragma": "no-cache", "Cache-Control": "max-age=60"}, False),
    ("RFC 9111 5.2.1.1 max-age", {"Cache-Control": "max-age=60"}, False),
    ("RFC 9111 5.2.1.2 max-stale", {"Cache-Control": "max-stale"}, False),
    ("RFC 9111 5.2.1.7 only-if-cached", {"Cache-Control": "only-if-cached"}, False),
    ("RFC 9111 5.2.1.5 no-store is of storing, not of serving", {"Cache-Control": "no-store"}, False),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "renews"), [row[1:] for row in WISHES], ids=[row[0] for row in WISHES])
def test_a_visitor_may_ask_for_a_page_made_anew_if_the_site_lets_them(ask, site, headers, renews):
    site["/page/"] = page()
    first = ask("/page/")
    assert ask("/page/", headers).body == first.body
    with override_settings(DUMPER_HONOUR_NO_CACHE=True):
        asked = ask("/page/", headers)
    assert asked.is_hit == (not renews)
    if renews:
        assert (asked.forwarded, asked.detail, asked.is_stored) == ("request", None, True)
        assert asked.body != first.body
    assert ask("/page/").body == asked.body


@pytest.mark.parametrize(
    ("view", "expected"), [({}, 30), ({"Cache-Control": "max-age=60"}, 60), ({"Cache-Control": "max-age=5"}, 5)]
)
def test_the_timeout_of_the_site_is_for_pages_that_say_nothing(ask, site, view, expected):
    site["/page/"] = page(view)
    with override_settings(DUMPER_TIMEOUT=30):
        assert ask("/page/").cache_status["ttl"] == expected


def test_a_page_tells_how_old_it_is(ask, site, later):
    """RFC 9111 5.1."""
    site["/page/"] = page()
    assert "age" not in ask("/page/").headers
    assert ask("/page/").headers["age"] == "0"
    later(100)
    assert ask("/page/").headers["age"] in ("100", "101")


def test_what_comes_from_another_cache_is_as_old_as_that_says(ask, site, later):
    """RFC 9111 4.2.3: else whoever is behind this cache would keep it for too long."""
    site["/page/"] = page({"Age": "20", "Cache-Control": "max-age=300"})
    assert ask("/page/").headers["age"] == "20"
    later(100)
    assert ask("/page/").headers["age"] in ("120", "121")
