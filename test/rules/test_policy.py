"""What is looked up, what is stored, for how long: in doubt neither."""

from datetime import datetime, timezone
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dumper.rules.policy import bypass, lifetime, refusal
from test.rules.examples import a_request, a_response

BYPASSED = [
    ("RFC 9110 §9.3.3 POST", {"method": "POST"}, "method"),
    ("RFC 9110 §9.3.4 PUT", {"method": "PUT"}, "method"),
    ("RFC 9110 §9.3.5 DELETE", {"method": "DELETE"}, "method"),
    ("RFC 9110 §9.3.7 OPTIONS", {"method": "OPTIONS"}, "method"),
    ("RFC 9110 §9.3.8 TRACE", {"method": "TRACE"}, "method"),
    ("RFC 5789 PATCH", {"method": "PATCH"}, "method"),
    ("RFC 9110 §9.1 methods are case-sensitive", {"method": "get"}, "method"),
    ("an unknown method", {"method": "BREW"}, "method"),
    ("no method", {"method": ""}, "method"),
    ("a host that Django does not allow", {"host": None}, "host not allowed"),
    ("RFC 9111 §3.5 Authorization", {"environ": {"HTTP_AUTHORIZATION": "Basic x"}}, "authorization"),
    ("RFC 9111 §3.5 Authorization, empty", {"environ": {"HTTP_AUTHORIZATION": ""}}, "authorization"),
    ("RFC 9111 §3.3 Range", {"environ": {"HTTP_RANGE": "bytes=0-1"}}, "range"),
    ("RFC 9110 §9.3.1 GET with a body", {"environ": {"CONTENT_LENGTH": "1"}}, "request body"),
    ("RFC 9110 §8.6 a Content-Length of garbage", {"environ": {"CONTENT_LENGTH": "x"}}, "request body"),
    ("RFC 9112 §6.1 a chunked body", {"environ": {"HTTP_TRANSFER_ENCODING": "chunked"}}, "request body"),
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
    ("RFC 9111 §5.2.1 what the client wishes is not heeded", {"environ": {"HTTP_CACHE_CONTROL": "no-cache"}}),
    ("cookies: the view says by Vary whether it read them", {"environ": {"HTTP_COOKIE": "a=b"}}),
    ("RFC 9110 §13 conditions: Django's middleware answers them", {"environ": {"HTTP_IF_NONE_MATCH": '"x"'}}),
]

REFUSED = [
    *((f"RFC 9110 §15 {status}", {}, {"status": status}, f"status {status}") for status in (201, 204, 206, 301, 302)),
    *((f"RFC 9110 §15 {status}", {}, {"status": status}, f"status {status}") for status in (304, 404, 410, 500, 503)),
    ("a stream, or a template that is not rendered", {}, {"body": None}, "not complete"),
    ("RFC 9111 §7.3 a cookie", {}, {"sets_cookie": True}, "set-cookie"),
    ("RFC 9111 §7.3 a cookie by its header", {"Set-Cookie": "a=b"}, {}, "set-cookie"),
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
    ("RFC 9111 §5.4 Pragma", {"Pragma": "No-Cache"}, {}, "pragma"),
    ("RFC 9111 §4.1 Vary: *", {"Vary": "*"}, {}, "vary *"),
    ("RFC 9111 §4.1 Vary: Cookie", {"Vary": "Cookie"}, {}, "vary cookie"),
    ("RFC 9111 §4.1 Vary in a list", {"Vary": ", Accept-Encoding ,"}, {}, "vary accept-encoding"),
    ("RFC 9111 §4.1 a language not negotiated", {"Vary": "Accept-Language"}, {}, "vary accept-language"),
    ("CSP3 §7.2 a nonce", {"Content-Security-Policy": "script-src 'nonce-x'"}, {}, "nonce"),
    ("CSP3 §7.2 a nonce, report only", {"content-security-policy-report-only": "script-src 'nonce-x'"}, {}, "nonce"),
    ("a language of the view's", {}, {"language": "de"}, "language or time zone chosen after the look-up"),
    ("a session that is announced further out", {}, {"personal": "session"}, "session"),
    ("a time zone of the view's", {}, {"time_zone": "UTC+1"}, "language or time zone chosen after the look-up"),
]
STORED = [
    ("nothing said", {}),
    ("RFC 9111 §5.2.2.9 public", {"Cache-Control": "public, max-age=60"}),
    ("RFC 9111 §5.2.3 an extension", {"Cache-Control": 'community="private", x-no-store'}),
    ("RFC 9111 §4.1 an empty Vary", {"Vary": " , "}),
    ("CSP3 a policy without a nonce", {"Content-Security-Policy": "default-src 'self'"}),
    ("RFC 9111 §5.4 another Pragma", {"Pragma": "x"}),
]


@pytest.mark.parametrize(("facts", "reason"), [row[1:] for row in BYPASSED], ids=[row[0] for row in BYPASSED])
def test_some_requests_are_not_looked_up(facts, reason):
    assert bypass(a_request(**facts)) == reason


@pytest.mark.parametrize("facts", [row[1] for row in LOOKED_UP], ids=[row[0] for row in LOOKED_UP])
def test_other_requests_are(facts):
    assert bypass(a_request(**facts)) is None


@pytest.mark.parametrize(("headers", "facts", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_some_responses_are_not_stored(headers, facts, reason):
    assert refusal(a_request(), a_response(headers, **facts)) == reason


@pytest.mark.parametrize("headers", [row[1] for row in STORED], ids=[row[0] for row in STORED])
def test_other_responses_are(headers):
    assert refusal(a_request(), a_response(headers)) is None


def test_a_negotiated_language_is_part_of_the_key_and_answers_vary():
    negotiated = a_request(language_negotiated=True)
    assert refusal(negotiated, a_response({"Vary": "ACCEPT-language"})) is None
    assert refusal(negotiated, a_response({"Vary": "Accept-Language, Cookie"})) == "vary cookie"


NOW = 1_700_000_000.0


def at(seconds: float, form: str = "%a, %d %b %Y %H:%M:%S GMT") -> str:
    return datetime.fromtimestamp(NOW + seconds, timezone.utc).strftime(form)


LIFETIMES = [
    ("nothing said", {}, None),
    ("nothing said of it", {"Cache-Control": "public"}, None),
    ("RFC 9111 §4.2.1 s-maxage first", {"Cache-Control": "max-age=1, s-maxage=2", "Expires": at(3)}, 2),
    ("RFC 9111 §4.2.1 max-age before Expires", {"Cache-Control": "max-age=1", "Expires": at(3)}, 1),
    ("RFC 9111 §4.2.1 Expires", {"Expires": at(3)}, 3),
    ("RFC 9111 §5.2.2.10 s-maxage=0", {"Cache-Control": "s-maxage=0, max-age=9"}, 0),
    ("RFC 9111 §5.2.2.1 max-age=0", {"Cache-Control": "max-age=0"}, 0),
    ("RFC 9111 §5.2.2.1 quoted", {"Cache-Control": 'max-age="7"'}, 7),
    ("RFC 9111 §4.2.1 two of them", {"Cache-Control": "max-age=0, max-age=60"}, 0),
    ("RFC 9111 §1.2.2 negative", {"Cache-Control": "max-age=-1"}, 0),
    ("RFC 9111 §1.2.2 garbage", {"Cache-Control": "max-age=soon"}, 0),
    ("RFC 9111 §1.2.2 a fraction", {"Cache-Control": "max-age=1.5"}, 0),
    ("RFC 9111 §1.2.2 no argument", {"Cache-Control": "max-age"}, 0),
    ("RFC 9111 §1.2.2 digits that are no ASCII", {"Cache-Control": "max-age=²"}, 0),
    ("RFC 9111 §1.2.2 leading zeros", {"Cache-Control": "max-age=" + "0" * 5000 + "7"}, 7),
    ("RFC 9111 §1.2.2 too large", {"Cache-Control": "max-age=99999999999999999999"}, 2**31),
    ("RFC 9111 §1.2.2 too large for int()", {"Cache-Control": "max-age=" + "9" * 5000}, 2**31),
    ("RFC 9111 §5.3 past", {"Expires": at(-3)}, 0),
    ("RFC 9111 §5.3 the invalid date 0", {"Expires": "0"}, 0),
    ("RFC 9111 §5.3 another invalid date", {"Expires": "Thu, 99 Foo 2099 00:00:00 GMT"}, 0),
    ("RFC 9111 §5.3 empty", {"Expires": ""}, 0),
    ("RFC 9110 §5.6.7 the form of RFC 850", {"Expires": at(3, "%A, %d-%b-%y %H:%M:%S GMT")}, 3),
    ("RFC 9110 §5.6.7 the form of asctime is in UTC", {"Expires": at(3, "%a %b %d %H:%M:%S %Y")}, 3),
    ("RFC 9111 §5.3 any year", {"Expires": "Fri, 31 Dec 9999 23:59:59 GMT"}, 2**31),
]


@pytest.mark.parametrize(("headers", "seconds"), [row[1:] for row in LIFETIMES], ids=[row[0] for row in LIFETIMES])
def test_a_response_says_how_long_it_lives(headers, seconds):
    assert lifetime(a_response(headers), None, NOW) == seconds
    assert lifetime(a_response(headers), 600, NOW) == (600 if seconds is None else seconds)


@given(st.text(alphabet=st.characters(), max_size=40) | st.text("0123456789 :,+-GMTJan", max_size=40))
@example(format_datetime(datetime.max))
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Mon, 01 Jan 2024 00:00:00 +" + "9" * 30)
@example("1 Jan " + "9" * 5000 + " 00:00 GMT")
def test_any_text_is_a_lifetime_that_can_be_kept(text):
    for headers in ({"Expires": text}, {"Cache-Control": f"max-age={text}"}, {"Cache-Control": text}):
        seconds = lifetime(a_response(headers), 600, NOW)
        assert 0 <= seconds <= 2**31
