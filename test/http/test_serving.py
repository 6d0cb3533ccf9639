"""How a stored page is served: conditional requests (RFC 9110 §13), HEAD, Range, and what Cache-Status says of it."""

import pytest
from django.test import override_settings

import dumper
from test.http.urls import page

THEN = "Sun, 01 Nov 2026 10:00:00 GMT"
BEFORE = "Sun, 01 Nov 2026 09:59:59 GMT"
AFTER = "Sun, 01 Nov 2026 10:00:01 GMT"
TAGGED = {"ETag": '"x"', "Last-Modified": THEN}
WEAK = {"ETag": 'W/"x"'}
DATED = {"Last-Modified": THEN}

#: rule, fields that are stored, fields of the request, the status that answers it
CONDITIONS = [
    ("RFC 9110 13.1.2 the tag", TAGGED, {"If-None-Match": '"x"'}, 304),
    ("RFC 9110 13.1.2 another tag", TAGGED, {"If-None-Match": '"y"'}, 200),
    ("RFC 9110 13.1.2 one of several", TAGGED, {"If-None-Match": '"y", W/"z" ,"x"'}, 304),
    ("RFC 9110 13.1.2 any", TAGGED, {"If-None-Match": "*"}, 304),
    ("RFC 9110 13.1.2 weak comparison", TAGGED, {"If-None-Match": 'W/"x"'}, 304),
    ("RFC 9110 13.1.2 weak comparison", WEAK, {"If-None-Match": '"x"'}, 304),
    ("RFC 9110 8.8.3 tags are told apart by case", TAGGED, {"If-None-Match": '"X"'}, 200),
    ("RFC 9110 8.8.3 a tag with a comma in it", {"ETag": '"a, b"'}, {"If-None-Match": '"a, b"'}, 304),
    ("RFC 9110 8.8.3 no part of a tag", {"ETag": '"a, b"'}, {"If-None-Match": '"a"'}, 200),
    ("RFC 9110 8.8.3 an empty tag", {"ETag": '""'}, {"If-None-Match": '""'}, 304),
    ("RFC 9110 13.1.2 what is no tag", TAGGED, {"If-None-Match": "x"}, 200),
    ("RFC 9110 13.1.2 nothing", TAGGED, {"If-None-Match": ""}, 200),
    ("RFC 9110 13.1.2 nobody knows the tag that we made", {}, {"If-None-Match": '"x"'}, 200),
    ("RFC 9110 13.2.2 the tag before the date", TAGGED, {"If-None-Match": '"y"', "If-Modified-Since": AFTER}, 200),
    ("RFC 9110 13.2.2 the tag before the date", TAGGED, {"If-None-Match": '"x"', "If-Modified-Since": BEFORE}, 304),
    ("RFC 9110 13.1.3 the date", DATED, {"If-Modified-Since": THEN}, 304),
    ("RFC 9110 13.1.3 later", DATED, {"If-Modified-Since": AFTER}, 304),
    ("RFC 9110 13.1.3 earlier", DATED, {"If-Modified-Since": BEFORE}, 200),
    ("RFC 9110 13.1.3 no date", DATED, {"If-Modified-Since": "yesterday"}, 200),
    ("RFC 9110 13.1.3 nobody knows when it was modified", {}, {"If-Modified-Since": AFTER}, 200),
    ("RFC 9110 5.6.7 a date of RFC 850", DATED, {"If-Modified-Since": "Sunday, 01-Nov-26 10:00:00 GMT"}, 304),
    ("RFC 9110 5.6.7 a date of asctime", DATED, {"If-Modified-Since": "Sun Nov  1 10:00:00 2026"}, 304),
    ("RFC 9110 5.6.7 a date of RFC 850, earlier", DATED, {"If-Modified-Since": "Sunday, 01-Nov-26 09:00:00 GMT"}, 200),
    ("RFC 9110 13.1.5 If-Range is nothing without Range", TAGGED, {"If-Range": '"y"'}, 200),
]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("fields", "headers", "status"), [row[1:] for row in CONDITIONS], ids=[row[0] for row in CONDITIONS]
)
def test_a_condition_is_answered_from_the_store(ask, site, fields, headers, status, method):
    site["/page/"] = page(fields)
    stored = ask("/page/")
    found = ask("/page/", headers, method)
    assert found.is_hit
    assert found.status == status
    assert found.body == (stored.body if status == 200 and method == "GET" else b"")


def test_a_304_has_the_fields_that_tell_what_is_to_become_of_the_stored_page(ask, site, later):
    """RFC 9110 15.4.5."""
    kept = {
        "cache-control": "max-age=60",
        "content-location": "/page/en/",
        "etag": '"x"',
        "expires": "Sun, 01 Nov 2026 10:00:00 GMT",
        "vary": "X-Name",
    }
    site["/page/"] = page({**kept, "X-Other": "a", "Link": "</a>", "Content-Language": "en"})
    ask("/page/")
    later(10)
    found = ask("/page/", {"If-None-Match": '"x"'})
    assert found.status == 304
    assert kept.items() <= found.headers.items()
    assert found.headers["age"] in ("10", "11")
    assert not {"x-other", "link", "content-language", "content-type", "content-length"} & found.headers.keys()


def test_the_first_who_asks_is_given_the_tag_that_the_store_answers_for(ask, site):
    site["/page/"] = page()
    first = ask("/page/")
    assert ask("/page/", {"If-None-Match": first.headers["etag"]}).status == 304
    dumper.invalidate_paths(["/page/"])
    changed = ask("/page/", {"If-None-Match": first.headers["etag"]})
    assert changed.status == 200
    assert changed.headers["etag"] != first.headers["etag"]


def test_a_condition_that_brings_a_page_into_the_store_is_answered_as_the_store_would(ask, site):
    """RFC 9111 4.3: whole for the store, and nothing for who has it already."""
    site["/page/"] = page(TAGGED)
    first = ask("/page/", {"If-None-Match": '"x"'})
    assert (first.status, first.body, first.is_stored) == (304, b"", True)
    assert ask("/page/").body.startswith(b"page render")


@pytest.mark.parametrize("status", [404, 301])
def test_only_a_page_that_is_found_is_not_modified(ask, site, status):
    """RFC 9110 13.2.1: where the answer without the condition was no 200, the condition is nothing."""
    site["/page/"] = page({**TAGGED, "Location": "/x/"}, status=status)
    with override_settings(DUMPER_STATUSES={status: None}):
        ask("/page/")
        for headers in ({"If-None-Match": '"x"'}, {"If-None-Match": "*"}, {"If-Modified-Since": AFTER}):
            found = ask("/page/", headers)
            assert (found.is_hit, found.status) == (True, status)


def test_a_head_is_answered_from_the_page_that_a_get_has_brought(ask, site):
    """RFC 9110 9.3.2: with the fields that a GET would have been given."""
    site["/page/"] = page({"X-Name": "a"})
    ask("/page/")
    get, head = ask("/page/"), ask("/page/", method="HEAD")
    assert head.is_hit
    assert head.body == b""
    assert head.headers == get.headers
    assert head.headers["content-length"] == str(len(get.body))


def test_a_head_that_is_forwarded_leaves_the_stored_page_alone(ask, site):
    """RFC 9111 4.3.5: it may not freshen it, nor take its place."""
    site["/page/"] = page()
    assert ask("/page/", method="HEAD").forwarded == "uri-miss"
    first = ask("/page/")
    assert first.is_stored
    ask("/page/", {"Range": "bytes=0-1"}, "HEAD")
    assert ask("/page/").body == first.body


def test_a_range_is_for_the_view_and_is_not_stored(ask, site):
    """RFC 9110 14.2, RFC 9111 3.4."""

    def view(request):
        if wanted := request.headers.get("Range"):
            return page({"Content-Range": "bytes 0-3/9"}, status=206, shows=lambda request: wanted)(request)
        return page()(request)

    site["/page/"] = view
    whole = ask("/page/")
    part = ask("/page/", {"Range": "bytes=0-3", "If-Range": '"x"'})
    assert (part.status, part.forwarded, part.detail) == (206, "bypass", "range")
    assert part.body.startswith(b"bytes=0-3")
    assert ask("/page/").body == whole.body


def test_a_stored_page_is_the_page_to_the_last_byte_and_field(ask, site):
    content = {"Content-Type": "text/plain; charset=latin-1", "X-Long": "a" * 5000, "Content-Language": "de"}
    site["/page/"] = page(content, shows=lambda request: "größe \x00\r\n")
    first, second = ask("/page/"), ask("/page/")
    new = {"age", "cache-status"}
    assert second.body == first.body
    assert {k: v for k, v in second.headers.items() if k not in new} == {
        k: v for k, v in first.headers.items() if k not in new
    }
    assert (
        content.items()
        <= {**dict.fromkeys(content), **{name: second.headers[name.lower()] for name in content}}.items()
    )


def vary_miss(site, ask):
    site["/page/"] = page({"Vary": "X-Name"})
    ask("/page/", {"X-Name": "a"})
    return ask("/page/", {"X-Name": "b"})


def renewed(site, ask):
    site["/page/"] = page()
    ask("/page/")
    with override_settings(DUMPER_HONOUR_NO_CACHE=True):
        return ask("/page/", {"Cache-Control": "no-cache"})


def unpermitted(site, ask):
    site["/page/"] = page()
    ask("/page/")
    return ask("/page/", {"Authorization": "Basic x"})


#: rule, what is done, and what Cache-Status says then
DECISIONS = [
    ("RFC 9211 2.2 bypass", lambda site, ask: ask("/page/", {"Range": "bytes=0-1"}), "bypass", "range"),
    ("RFC 9211 2.2 method", lambda site, ask: ask("/page/", method="POST"), "method", "method"),
    ("RFC 9211 2.2 uri-miss", lambda site, ask: ask("/other/"), "uri-miss", "status 404"),
    ("RFC 9211 2.2 vary-miss", vary_miss, "vary-miss", None),
    ("RFC 9211 2.2 request", renewed, "request", None),
    ("RFC 9211 2.2 request, by Authorization", unpermitted, "request", "authorization"),
]


@pytest.mark.parametrize(
    ("does", "forwarded", "detail"), [row[1:] for row in DECISIONS], ids=[row[0] for row in DECISIONS]
)
def test_cache_status_says_why_a_request_was_forwarded(ask, site, does, forwarded, detail):
    answer = does(site, ask)
    assert (answer.forwarded, answer.detail) == (forwarded, detail)
    assert answer.is_stored == (detail is None)
