"""What is looked up and what is stored: in doubt neither."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dumper.rules.dimensions import COOKIES, cookie, field, meta, parameter, session
from dumper.rules.policy import (
    MOST_DIMENSIONS,
    bypass,
    dimensions,
    excess,
    is_authorized,
    is_permitted,
    is_renewal,
    refusal,
)
from test.rules.examples import TCHAR, a_request, a_response, values

BYPASSED = [
    ("RFC 9110 §9.3.3 POST", {"method": "POST"}, "method"),
    ("RFC 9110 §9.3.4 PUT", {"method": "PUT"}, "method"),
    ("RFC 9110 §9.3.5 DELETE", {"method": "DELETE"}, "method"),
    ("RFC 9110 §9.3.7 OPTIONS", {"method": "OPTIONS"}, "method"),
    ("RFC 9110 §9.3.8 TRACE", {"method": "TRACE"}, "method"),
    ("RFC 5789 PATCH", {"method": "PATCH"}, "method"),
    ("RFC 9110 §9.1 methods are case-sensitive", {"method": "get"}, "method"),
    ("a host that Django does not allow", {"host": None}, "host not allowed"),
    ("a user of the server's", {"environ": {"REMOTE_USER": "x"}}, "authorization"),
    ("RFC 3875 §4.1.1 a scheme that the server has dealt with", {"environ": {"AUTH_TYPE": "Basic"}}, "authorization"),
    ("RFC 9110 §11.7.2", {"environ": {"HTTP_PROXY_AUTHORIZATION": "Basic x"}}, "authorization"),
    ("RFC 9111 §3.3 Range", {"environ": {"HTTP_RANGE": "bytes=0-1"}}, "range"),
    ("RFC 9110 §13.1.1", {"environ": {"HTTP_IF_MATCH": '"x"'}}, "precondition"),
    ("RFC 9110 §13.1.4", {"environ": {"HTTP_IF_UNMODIFIED_SINCE": ""}}, "precondition"),
    ("RFC 9110 §9.3.1 GET with a body", {"environ": {"CONTENT_LENGTH": "1"}}, "request body"),
    ("RFC 9110 §8.6 a Content-Length of garbage", {"environ": {"CONTENT_LENGTH": "x"}}, "request body"),
    ("RFC 9112 §6.1 a chunked body", {"environ": {"HTTP_TRANSFER_ENCODING": "chunked"}}, "request body"),
    ("a charset", {"environ": {"CONTENT_TYPE": "text/plain; CharSet=latin-1"}}, "charset"),
    ("a method override", {"environ": {"HTTP_X_HTTP_METHOD_OVERRIDE": "DELETE"}}, "method override"),
    ("a method override, by another name", {"environ": {"HTTP_X_HTTP_METHOD": "PUT"}}, "method override"),
    ("a method override, by a third name", {"environ": {"HTTP_X_METHOD_OVERRIDE": "PUT"}}, "method override"),
    ("a path of bytes that are no UTF-8", {"path": "/\ufffd"}, "path not in UTF-8"),
]
LOOKED_UP = [
    ("RFC 9110 §9.3.1 GET", {}),
    ("RFC 9110 §9.3.2 HEAD", {"method": "HEAD"}),
    ("an empty Content-Length, as WSGI servers give it", {"environ": {"CONTENT_LENGTH": ""}}),
    ("a Content-Length of 0", {"environ": {"CONTENT_LENGTH": "0"}}),
    ("a Content-Length of 0, as a number", {"environ": {"CONTENT_LENGTH": 0}}),
    ("a Content-Type, as wsgiref gives it", {"environ": {"CONTENT_TYPE": "text/plain"}}),
    ("no user of the server's", {"environ": {"REMOTE_USER": ""}}),
    ("RFC 9111 §3.5 Authorization: what is stored may be for all", {"environ": {"HTTP_AUTHORIZATION": "Basic x"}}),
    ("RFC 9111 §5.2.1 what the client wishes", {"environ": {"HTTP_CACHE_CONTROL": "no-cache"}}),
    ("cookies", {"environ": {"HTTP_COOKIE": "a=b"}}),
    ("RFC 9110 §13.1.2", {"environ": {"HTTP_IF_NONE_MATCH": '"x"'}}),
]
REFUSED = [
    *((f"RFC 9110 §15 {status}", {}, {"status": status}, f"status {status}") for status in (201, 204, 206, 301, 302)),
    *((f"RFC 9110 §15 {status}", {}, {"status": status}, f"status {status}") for status in (304, 404, 410, 500, 503)),
    ("a stream, or a template that is not rendered", {}, {"body": None}, "not complete"),
    ("RFC 9111 §3.3 less than was promised", {"Content-Length": "5"}, {}, "not complete"),
    ("RFC 9111 §3.3 more than was promised", {"content-length": "3"}, {}, "not complete"),
    ("RFC 9111 §3.3 a promise of garbage", {"Content-Length": "x"}, {}, "not complete"),
    ("RFC 9111 §7.3 a cookie", {}, {"sets_cookie": True}, "set-cookie"),
    ("RFC 9111 §7.3 a cookie by its header", {"SET-cookie": "a=b"}, {}, "set-cookie"),
    ("RFC 9110 §14.4 a part", {"Content-Range": "bytes 0-1/2"}, {}, "content-range"),
    ("RFC 9111 §5.2.2.5", {"Cache-Control": "no-store"}, {}, "no-store"),
    ("RFC 9111 §5.2.2.5 in any case", {"cache-control": "NO-Store"}, {}, "no-store"),
    ("RFC 9111 §5.2.2.5 in a list", {"Cache-Control": "max-age=60 ,\tno-store"}, {}, "no-store"),
    ("RFC 9111 §5.2.2.4", {"Cache-Control": "no-cache"}, {}, "no-cache"),
    ("RFC 9111 §5.2.2.4 qualified", {"Cache-Control": 'no-cache="x"'}, {}, "no-cache"),
    ("RFC 9111 §5.2.2.7", {"Cache-Control": "Private"}, {}, "private"),
    ("RFC 9111 §5.2.2.7 qualified", {"Cache-Control": 'private="x, y"'}, {}, "private"),
    ("RFC 9111 §5.2.2.7 behind a quoted comma", {"Cache-Control": 'a="b, c",private'}, {}, "private"),
    ("RFC 9111 §5.2.2.7 with an argument of garbage", {"Cache-Control": "private=0"}, {}, "private"),
    ("RFC 9111 §5.2 malformed", {"Cache-Control": "public; private"}, {}, "private"),
    ("RFC 9213 §2.1 for this cache", {"Dumper-Cache-Control": "no-store"}, {}, "no-store"),
    (
        "RFC 9213 §2.2 it has the last word",
        {"Dumper-Cache-Control": "private", "Cache-Control": "public"},
        {},
        "private",
    ),
    ("RFC 9213 §2.2 empty, it says nothing", {"Dumper-Cache-Control": "", "Cache-Control": "private"}, {}, "private"),
    ("RFC 9213 §2.2 garbled, it says less", {"Dumper-Cache-Control": "é", "Cache-Control": "private"}, {}, "private"),
    ("RFC 9213 §2.2 garbled, it may say no", {"Dumper-Cache-Control": "é, no-store"}, {}, "no-store"),
    ("RFC 9111 §5.4 Pragma", {"Pragma": "No-Cache"}, {}, "pragma"),
    ("RFC 9111 §4.1 Vary: *", {"Vary": "*"}, {}, "vary *"),
    ("RFC 9111 §4.1 Vary: * in a list", {"vary": "Accept-Encoding ,\t* "}, {}, "vary *"),
    ("RFC 9111 §4.1 Vary that is malformed", {"Vary": "Accept Encoding"}, {}, "vary accept encoding"),
    ("CSP3 §7.2 a nonce", {"Content-Security-Policy": "script-src 'nonce-x'"}, {}, "nonce"),
    ("CSP3 §7.2 a nonce, report only", {"content-security-policy-report-only": "script-src 'NONCE-x'"}, {}, "nonce"),
    ("what was read is one visitor's own", {}, {"personal": "user"}, "user"),
    ("a language of the view's", {}, {"language": "de"}, "language or time zone chosen after the look-up"),
    ("a time zone of the view's", {}, {"time_zone": "UTC+1"}, "language or time zone chosen after the look-up"),
]
STORED = [
    ("nothing said", {}),
    ("RFC 9111 §3.3 as much as was promised", {"Content-Length": " 4 "}),
    ("RFC 9111 §5.2.2.9 public", {"Cache-Control": "public, max-age=60"}),
    ("RFC 9111 §5.2.3 an extension", {"Cache-Control": 'community="private", x-no-store'}),
    ("RFC 9111 §4.1 an empty Vary", {"Vary": " , "}),
    ("RFC 9111 §4.1 Vary: what it names is a dimension", {"Vary": "Cookie, X-One"}),
    ("RFC 9213 §2.2 for this cache", {"Dumper-Cache-Control": "max-age=60", "Cache-Control": "private"}),
    ("CSP3 a policy without a nonce", {"Content-Security-Policy": "default-src 'self'"}),
    ("RFC 9111 §5.4 another Pragma", {"Pragma": "x"}),
    ("RFC 9111 §5.4 Cache-Control counts more than Pragma", {"Pragma": "no-cache", "Cache-Control": "public"}),
]


@pytest.mark.parametrize(("facts", "reason"), [row[1:] for row in BYPASSED], ids=[row[0] for row in BYPASSED])
def test_some_requests_are_not_looked_up(facts, reason):
    assert bypass(a_request(**facts)) == reason


@pytest.mark.parametrize("facts", [row[1] for row in LOOKED_UP], ids=[row[0] for row in LOOKED_UP])
def test_other_requests_are(facts):
    assert bypass(a_request(**facts)) is None


@pytest.mark.parametrize(("headers", "facts", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_some_responses_are_not_stored(headers, facts, reason):
    assert refusal(a_request(), a_response(headers, **facts), {200}) == reason


@pytest.mark.parametrize("headers", [row[1] for row in STORED], ids=[row[0] for row in STORED])
def test_other_responses_are(headers):
    assert refusal(a_request(), a_response(headers), {200}) is None


@pytest.mark.parametrize("status", [404, 410, 301])
def test_other_statuses_are_stored_where_the_site_wants_that(status):
    assert refusal(a_request(), a_response(status=status), {200, status}) is None


def test_only_the_answer_to_a_get_is_stored():
    assert refusal(a_request(method="HEAD"), a_response(), {200}) == "the answer to a HEAD"


def test_what_the_request_says_of_storing_is_heeded():
    asked = a_request(environ={"HTTP_CACHE_CONTROL": "No-Store"})
    assert refusal(asked, a_response(), {200}) == "no-store in the request"


@pytest.mark.parametrize(
    ("control", "may_be_stored"),
    [
        ({}, False),
        ({"Cache-Control": "max-age=60"}, False),
        ({"Cache-Control": "public"}, True),
        ({"Cache-Control": "Must-Revalidate"}, True),
        ({"Cache-Control": "s-maxage=60"}, True),
        ({"Cache-Control": "public", "Dumper-Cache-Control": "max-age=60"}, False),
        ({"Cache-Control": 'x="public"'}, False),
    ],
)
@pytest.mark.parametrize("credentials", ["Basic x", ""])
def test_who_authorizes_shares_only_what_says_that_it_is_for_all(control, may_be_stored, credentials):
    asked = a_request(environ={"HTTP_AUTHORIZATION": credentials})
    assert refusal(asked, a_response(control), {200}) == (None if may_be_stored else "authorization")
    fields = {name.lower(): value for name, value in control.items()}
    assert is_permitted(fields) is may_be_stored
    assert is_authorized(asked)
    assert not is_authorized(a_request())


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, False),
        ({"HTTP_CACHE_CONTROL": "no-cache"}, True),
        ({"HTTP_CACHE_CONTROL": "a, No-Cache=x"}, True),
        ({"HTTP_CACHE_CONTROL": "max-age=0"}, True),
        ({"HTTP_CACHE_CONTROL": "max-age=1"}, False),
        ({"HTTP_PRAGMA": "no-cache"}, True),
        ({"HTTP_PRAGMA": "no-cache", "HTTP_CACHE_CONTROL": "max-age=1"}, False),
    ],
)
def test_a_forced_reload_is_told_from_others(fields, expected):
    assert is_renewal(a_request(environ=fields)) is expected


VARIES = [
    ("nothing", {}, {}, set()),
    ("what was read", {}, {"dimensions": frozenset({cookie("a")})}, {cookie("a")}),
    ("RFC 9111 §4.1 a field", {"vary": "X-One , accept"}, {}, {meta("HTTP_X_ONE"), meta("HTTP_ACCEPT")}),
    ("RFC 9111 §4.1 a field with a plain name", {"Vary": "Content-Type"}, {}, {meta("CONTENT_TYPE")}),
    ("Cookie, without a reason", {"Vary": "cookie"}, {}, {COOKIES}),
    ("Cookie, without a reason but a parameter", {"Vary": "cookie"}, {"dimensions": {parameter("a")}},
     {COOKIES, parameter("a")}),
    ("Cookie, for one cookie", {"Vary": "Cookie"}, {"dimensions": {cookie("a")}}, {cookie("a")}),
    ("Cookie, for the session", {"Vary": "Cookie"}, {"dimensions": {session("s")}}, {session("s")}),
    ("Cookie, for a token that was cut out", {"Vary": "Cookie"}, {"slots": [1]}, set()),
    ("Cookie, for a token that is not on the page", {"Vary": "Cookie"}, {"slots": []}, set()),
    ("Cookie, for what Django's middleware does", {"Vary": "Cookie"}, {"is_vary_explained": True}, set()),
    ("Accept-Encoding, which is chosen when it is served", {"Vary": "Accept-Encoding"}, {}, set()),
    ("Accept-Encoding, which the view has chosen", {"Vary": "Accept-Encoding", "Content-Encoding": "br"}, {},
     {meta("HTTP_ACCEPT_ENCODING")}),
    ("Host, which is in the key", {"Vary": "Host"}, {}, set()),
    ("Accept-Language, which nobody has negotiated", {"Vary": "Accept-Language"}, {}, {meta("HTTP_ACCEPT_LANGUAGE")}),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "facts", "found"), [row[1:] for row in VARIES], ids=[row[0] for row in VARIES])
def test_a_page_varies_in_what_was_read_and_what_it_says(headers, facts, found):
    asked = a_request(environ={"HTTP_HOST": "example.org"})
    assert dimensions(asked, a_response(headers, **facts)) == found


def test_a_language_that_was_negotiated_is_part_of_the_key_and_answers_vary():
    answer = a_response({"Vary": "ACCEPT-language"})
    assert dimensions(a_request(language_negotiated=True), answer) == set()


def test_a_host_that_another_field_has_told_is_not_that_of_the_host_field():
    asked = a_request(environ={"HTTP_HOST": "inner", "HTTP_X_FORWARDED_HOST": "example.org"})
    assert dimensions(asked, a_response({"Vary": "Host"})) == {meta("HTTP_HOST")}


@given(st.lists(st.text(TCHAR.replace("*", ""), min_size=1, max_size=5), max_size=3))
def test_each_name_in_vary_is_a_dimension(names):
    skipped = {"cookie", "host", "accept-encoding"}
    expected = {field(name) for name in names if name.lower() not in skipped}
    assert dimensions(a_request(), a_response({"Vary": ",".join(names)})) >= expected


@given(values, values, values)
def test_no_field_is_an_error(control, vary, encoding):
    asked = a_request(environ={"HTTP_CACHE_CONTROL": control, "HTTP_PRAGMA": vary, "CONTENT_LENGTH": encoding})
    answer = a_response({"Cache-Control": control, "Vary": vary, "Content-Encoding": encoding, "Content-Length": vary})
    bypass(asked)
    is_renewal(asked)
    refusal(asked, answer, {200})
    dimensions(asked, answer)


@pytest.mark.parametrize(
    ("facts", "count", "reason"),
    [
        ({"body": b"a" * 10}, 0, None),
        ({"body": b"a" * 11}, 0, "body too large"),
        ({"headers": {"a": "1" * 9, "b": "2" * 9}}, 0, None),
        ({"headers": {"a": "1" * 9, "b": "2" * 10}}, 0, "header too large"),
        ({}, MOST_DIMENSIONS, None),
        ({}, MOST_DIMENSIONS + 1, "too many dimensions"),
    ],
)
def test_too_much_is_not_stored(facts, count, reason):
    found = {cookie(str(number)) for number in range(count)}
    assert excess(a_response(**facts), found, 10, 20) == reason
