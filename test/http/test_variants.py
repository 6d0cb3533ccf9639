"""Variants: which requests share a page (RFC 9111 §4.1), by what Vary names and by what the view was seen to read."""

import gzip

import pytest
from django.test import override_settings

from test.http.urls import page
from test.middleware.stacks import STACKS

#: rule, Vary, fields of one request, fields of another, whether both get the same page
VARY = [
    ("RFC 9111 4.1 the same value", "X-Name", {"X-Name": "a"}, {"X-Name": "a"}, True),
    ("RFC 9111 4.1 another value", "X-Name", {"X-Name": "a"}, {"X-Name": "b"}, False),
    ("RFC 9111 4.1 absent in both", "X-Name", {}, {}, True),
    ("RFC 9111 4.1 absent is not empty", "X-Name", {}, {"X-Name": ""}, False),
    ("RFC 9111 4.1 empty is not absent", "X-Name", {"X-Name": ""}, {}, False),
    ("RFC 9111 4.1 absent in one", "X-Name", {"X-Name": "a"}, {}, False),
    ("RFC 9111 4.1 a field that it does not name", "X-Name", {"X-Other": "a"}, {"X-Other": "b"}, True),
    ("RFC 9111 4.1 one of two", "X-Name, X-Other", {"X-Other": "a"}, {"X-Other": "b"}, False),
    ("RFC 9111 4.1 both", "X-Name, X-Other", {"X-Name": "a", "X-Other": "b"}, {"X-Other": "b", "X-Name": "a"}, True),
    ("RFC 9111 4.1 one for the other", "X-Name, X-Other", {"X-Name": "a"}, {"X-Other": "a"}, False),
    ("RFC 9111 4.1 values that run together", "X-A, X-B", {"X-A": "a", "X-B": "bc"}, {"X-A": "ab", "X-B": "c"}, False),
    ("RFC 9111 4.1 values are told apart by case", "X-Name", {"X-Name": "a"}, {"X-Name": "A"}, False),
    ("RFC 9110 5.1 names are not", "x-NAME", {"X-Name": "a"}, {"X-Name": "b"}, False),
    ("RFC 9110 5.6.1 blanks", " \t X-Name\t,X-Other ", {"X-Name": "a"}, {"X-Name": "b"}, False),
    ("RFC 9110 5.6.1 empty members", ",,X-Name,", {"X-Name": "a"}, {"X-Name": "b"}, False),
    ("RFC 9110 5.6.1 empty members, the same", ",,X-Name,", {"X-Name": "a"}, {"X-Name": "a"}, True),
    ("RFC 9110 12.5.5 an empty Vary", "", {"X-Name": "a"}, {"X-Name": "b"}, True),
    ("RFC 9110 12.5.5 User-Agent", "User-Agent", {"User-Agent": "a"}, {"User-Agent": "b"}, False),
    ("RFC 9110 12.5.4 Accept-Language that nobody negotiates", "Accept-Language",
     {"Accept-Language": "de"}, {"Accept-Language": "de, en"}, False),
    ("RFC 9110 12.5.3 Accept-Encoding is seen to by this cache", "Accept-Encoding",
     {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "br"}, True),
    ("RFC 9110 7.2 Host is in the key", "Host", {"Host": "a.example"}, {"Host": "b.example"}, False),
    ("Cookie, where nothing that was read explains it", "Cookie", {}, {}, True),
]  # fmt: skip


@pytest.mark.parametrize(("vary", "one", "other", "is_shared"), [row[1:] for row in VARY], ids=[row[0] for row in VARY])
def test_a_page_is_for_those_whose_fields_are_the_same(ask, site, vary, one, other, is_shared):
    site["/page/"] = page({"Vary": vary})
    first = ask("/page/", one)
    second = ask("/page/", other)
    assert first.is_stored
    assert second.is_hit == is_shared
    assert (second.body == first.body) == is_shared
    # Neither has taken the place of the other.
    assert ask("/page/", one).body == first.body
    assert ask("/page/", other).body == second.body


def test_a_visitor_with_any_cookie_gets_a_page_of_their_own_where_vary_names_it_and_nobody_knows_why(ask, site):
    site["/page/"] = page({"Vary": "Cookie"})
    first = ask("/page/")
    for _ in range(2):
        own = ask("/page/", {"Cookie": "a=b"})
        assert (own.forwarded, own.detail) == ("bypass", "cookies")
        assert own.body != first.body
    assert ask("/page/").body == first.body


#: what is read, by what, one request, another, whether both get the same page
READ = [
    ("a field", lambda r: r.headers.get("X-Name"), {"X-Name": "a"}, {"X-Name": "b"}, False),
    ("a field that both lack", lambda r: r.headers.get("X-Name"), {}, {"X-Other": "b"}, True),
    ("a field that is empty", lambda r: r.headers.get("X-Name"), {}, {"X-Name": ""}, False),
    ("a field of META", lambda r: r.META.get("HTTP_X_NAME"), {"X-Name": "a"}, {"X-Name": "b"}, False),
    ("whether there is a field", lambda r: "X-Name" in r.headers, {"X-Name": "a"}, {}, False),
    ("no field", lambda r: "", {"X-Name": "a"}, {"X-Name": "b"}, True),
    ("a cookie", lambda r: r.COOKIES.get("a"), {"Cookie": "a=1"}, {"Cookie": "a=2"}, False),
    ("a cookie, but others differ", lambda r: r.COOKIES.get("a"), {"Cookie": "a=1; b=1"}, {"Cookie": "b=2; a=1"}, True),
    ("a cookie that both lack", lambda r: r.COOKIES.get("a"), {"Cookie": "b=1"}, {"Cookie": "b=2"}, True),
    ("no cookie", lambda r: "", {}, {"Cookie": "b=2"}, True),
    ("what is accepted", lambda r: r.accepts("text/html"), {"Accept": "text/html"}, {"Accept": "text/plain"}, False),
]


@pytest.mark.parametrize(
    ("shows", "one", "other", "is_shared"), [row[1:] for row in READ], ids=[row[0] for row in READ]
)
def test_a_page_is_for_those_of_whom_the_same_was_read(ask, site, shows, one, other, is_shared):
    site["/page/"] = page(shows=shows)
    first, second = ask("/page/", one), ask("/page/", other)
    assert second.is_hit == is_shared
    assert (second.body == first.body) == is_shared
    assert ask("/page/", one).body == first.body
    assert ask("/page/", other).body == second.body


#: what is read, one query string, another, whether both get the same page
QUERIES = [
    ("nothing", lambda r: "", "?utm_source=a", "?utm_source=b&fbclid=c", True),
    ("nothing, by who has none", lambda r: "", "", "?a=b", True),
    ("a parameter", lambda r: r.GET.get("page"), "?page=1", "?page=2", False),
    ("a parameter, but others differ", lambda r: r.GET.get("page"), "?page=1&utm=a", "?utm=b&page=1", True),
    ("a parameter that is empty", lambda r: r.GET.get("page"), "", "?page=", False),
    ("all values of one", lambda r: r.GET.getlist("tag"), "?tag=a&tag=b", "?tag=b&tag=a", False),
    ("the last value, which is not all", lambda r: r.GET["tag"], "?tag=a&tag=b", "?tag=c&tag=b", False),
    ("all", lambda r: r.GET.urlencode(), "?a=b", "?a=c", False),
    ("the full path", lambda r: r.get_full_path(), "?a=b", "?a=c", False),
    ("whether there is any", lambda r: bool(r.GET), "?a=b", "?a=c", True),
    ("whether there is none", lambda r: bool(r.GET), "", "?a=c", False),
]


@pytest.mark.parametrize(
    ("shows", "one", "other", "is_shared"), [row[1:] for row in QUERIES], ids=[row[0] for row in QUERIES]
)
def test_a_query_string_counts_as_far_as_it_was_read(ask, site, shows, one, other, is_shared):
    site["/page/"] = page(shows=shows)
    first, second = ask("/page/" + one), ask("/page/" + other)
    assert second.is_hit == is_shared
    assert (second.body == first.body) == is_shared
    assert ask("/page/" + one).body == first.body


def test_a_page_that_reads_more_for_some_is_never_given_to_others(ask, site):
    """What a page depends on may come to light with a later request only."""

    def shows(request):
        return request.headers["X-Name"] if request.GET.get("as") == "me" else "nobody"

    site["/page/"] = page(shows=shows)
    for name in ("a", "b", "a"):
        assert ask("/page/", {"X-Name": name}).body.startswith(b"nobody")
        assert ask("/page/?as=me", {"X-Name": name}).body.startswith(name.encode())


#: rule, what is accepted, the coding in which the page is sent, of gzip and identity
CODINGS = [
    ("RFC 9110 12.5.3 nothing said", None, None),
    ("RFC 9110 12.5.3 nothing accepted", "", None),
    ("RFC 9110 12.5.3 gzip", "gzip", "gzip"),
    ("RFC 9110 8.4.1.3 x-gzip", "x-gzip", "gzip"),
    ("RFC 9110 8.4 codings in any case", "GZip", "gzip"),
    ("RFC 9110 12.5.3 among others", "zstd, br ,gzip, deflate", "gzip"),
    ("RFC 9110 12.5.3 only others", "deflate, br", None),
    ("RFC 9110 12.5.3 any", "*", "gzip"),
    ("RFC 9110 12.5.3 any but this", "gzip;q=0, *", None),
    ("RFC 9110 12.5.3 not acceptable", "gzip;q=0", None),
    ("RFC 9110 12.4.2 not acceptable, to three places", "gzip;q=0.000", None),
    ("RFC 9110 12.4.2 liked less than what is not encoded", "gzip;q=0.5, identity;q=0.9", None),
    ("RFC 9110 12.4.2 liked more than what is not encoded", "gzip;q=0.9, identity;q=0.5", "gzip"),
    ("RFC 9110 12.5.3 what is not encoded is refused", "gzip;q=0.1, identity;q=0", "gzip"),
    ("RFC 9110 12.4.2 a weight that is none", "gzip;q=x", None),
    ("RFC 9110 12.4.2 a weight above 1", "gzip;q=2", None),
]


@override_settings(DUMPER_COMPRESSION=["gzip"])
@pytest.mark.parametrize(("accepted", "coding"), [row[1:] for row in CODINGS], ids=[row[0] for row in CODINGS])
def test_a_page_is_stored_once_and_sent_in_the_coding_that_is_liked_best(ask, site, accepted, coding):
    site["/page/"] = page({"ETag": '"x"'}, size=1000)
    plain = ask("/page/")
    assert "accept-encoding" in plain.headers["vary"].lower()
    sent = ask("/page/", {} if accepted is None else {"Accept-Encoding": accepted})
    assert sent.is_hit
    assert sent.headers.get("content-encoding") == coding
    assert (gzip.decompress(sent.body) if coding else sent.body) == plain.body
    assert sent.headers["content-length"] == str(len(sent.body))
    # RFC 9110 8.8.3.3: two representations do not share a strong tag.
    assert sent.headers["etag"] == ('W/"x"' if coding else '"x"')


@pytest.mark.parametrize(
    "view",
    [page(), page({"Cache-Control": "no-transform"}, size=1000), page({"Content-Type": "image/png"}, size=1000)],
    ids=["small", "RFC 9111 5.2.2.6 no-transform", "a picture"],
)
def test_what_is_not_to_be_encoded_is_sent_as_it_is(ask, site, view):
    site["/page/"] = view
    for _ in range(2):
        answer = ask("/page/", {"Accept-Encoding": "gzip"})
        assert "content-encoding" not in answer.headers
    assert answer.is_hit


def test_what_a_view_has_encoded_is_for_those_who_accept_the_same(ask, site):
    site["/page/"] = page({"Content-Encoding": "br", "Vary": "Accept-Encoding"})
    first = ask("/page/", {"Accept-Encoding": "br"})
    assert ask("/page/", {"Accept-Encoding": "br"}).body == first.body
    assert ask("/page/", {"Accept-Encoding": "gzip"}).body != first.body


def test_a_negotiated_language_is_one_page_however_it_was_asked_for(ask, site):
    site["/page/"] = page({"Vary": "Accept-Language"})
    with override_settings(MIDDLEWARE=STACKS["with LocaleMiddleware"]):
        german = ask("/page/", {"Accept-Language": "de"})
        assert ask("/page/", {"Accept-Language": "de-CH, de;q=0.9, fr;q=0.1"}).body == german.body
        english = ask("/page/", {"Accept-Language": "en"})
        assert (english.is_hit, english.body == german.body) == (False, False)
        assert german.headers["content-language"] == "de"


def test_no_more_variants_are_kept_than_there_may_be(ask, site):
    site["/page/"] = page({"Vary": "X-Name"})
    with override_settings(DUMPER_MAX_VARIANTS=5):
        for number in range(12):
            assert ask("/page/", {"X-Name": str(number)}).is_stored
        # A HEAD is answered from the store, and stores nothing itself.
        kept = [number for number in range(12) if ask("/page/", {"X-Name": str(number)}, "HEAD").is_hit]
    assert 1 <= len(kept) <= 5
    assert kept[-1] == 11
