"""What may be stored by RFC 9111 §3, of which this cache takes the safe part: each rule with what becomes of a page."""

import pytest
from django.http import HttpResponse, StreamingHttpResponse

from test.http.urls import page


def cookie(request):
    response = page()(request)
    response.set_cookie("a", "b")
    return response


def control(value):
    return page({"Cache-Control": value})


NONCE = "script-src 'nonce-abc'"

#: rule, view, and the reason why it is not stored
ANSWERS = [
    ("RFC 9111 §3: nothing speaks against it", page(), None),
    ("RFC 9111 §3: an empty page is a page", lambda request: HttpResponse(), None),
    ("RFC 9111 §3: not an error", page(status=500), "status 500"),
    ("RFC 9111 §3: not one that the origin is too busy for", page(status=503), "status 503"),
    ("RFC 9111 §3: not what was made for one", page(status=201), "status 201"),
    ("RFC 9111 §3: no redirect that may change", page({"Location": "/"}, status=302), "status 302"),
    ("RFC 9110 §15.1: no status that nobody knows", page(status=299), "status 299"),
    ("RFC 9110 §15.2: no interim answer", page(status=103), "status 103"),
    ("RFC 9111 §3.3: no part of a page", page({"Content-Range": "bytes 0-1/9"}, status=206), "status 206"),
    ("RFC 9111 §3.3: no part that says it is all", page({"Content-Range": "bytes 0-1/9"}), "content-range"),
    ("RFC 9111 §3.3: less than it promised", page({"Content-Length": "99999"}), "not complete"),
    ("RFC 9111 §3.3: more than it promised", page({"Content-Length": "1"}), "not complete"),
    ("RFC 9111 §3.3: it may not be all", lambda request: StreamingHttpResponse([b"a"]), "not complete"),
    ("RFC 9111 §7.3: a cookie", cookie, "set-cookie"),
    ("RFC 9111 §7.3: a cookie as a field", page({"Set-Cookie": "a=b"}), "set-cookie"),
    ("RFC 9111 §5.2.2.5 no-store", control("no-store"), "no-store"),
    ("RFC 9111 §5.2.2.5 no-store among others", control("max-age=60, public,no-store"), "no-store"),
    ("RFC 9111 §5.2.2.3 must-understand asks for more than that", control("must-understand, no-store"), "no-store"),
    ("RFC 9111 §5.2.2.7 private", control("private"), "private"),
    ("RFC 9111 §5.2.2.7 private, for one field", control('private="x-name"'), "private"),
    ("RFC 9111 §5.2.2.7 private counts more than public", control("public, private"), "private"),
    ("RFC 9111 §5.2.2.4 no-cache", control("no-cache"), "no-cache"),
    ("RFC 9111 §5.2.2.4 no-cache, for one field", control('no-cache="set-cookie"'), "no-cache"),
    ("RFC 9111 §5.2 directives in any case", control("NO-STORE"), "no-store"),
    ("RFC 9111 §5.2 blanks and empty members", control(" ,, max-age=60 ,\tPrivate"), "private"),
    ("RFC 9111 §5.2 blanks around the sign", control("private = x"), "private"),
    ("RFC 9111 §5.2 a quoted string that holds a name", control('x="private, no-store"'), None),
    ("RFC 9111 §5.2 a quoted string that does not end", control('x="a, no-store'), "no-store"),
    ("RFC 9111 §5.2 a name that begins like one", control("privately, no-storey"), None),
    ("RFC 9111 §5.2.3 what is unknown is ignored", control('max-age=60, community="UCI", immutable'), None),
    ("RFC 9111 §5.2.2.9 public", control("public"), None),
    ("RFC 9111 §5.2.2.2 must-revalidate: nothing is served that is stale", control("must-revalidate"), None),
    ("RFC 9111 §5.4 Pragma", page({"Pragma": "no-cache"}), "pragma"),
    ("RFC 9111 §5.4 Pragma does not count beside Cache-Control",
     page({"Pragma": "no-cache", "Cache-Control": "max-age=60"}), None),
    ("RFC 9111 §4.1 Vary: *", page({"Vary": "*"}), "vary *"),
    ("RFC 9111 §4.1 Vary: * among others", page({"Vary": "X-Name, *"}), "vary *"),
    ("RFC 9110 §12.5.5 Vary of what is no name", page({"Vary": "X Name"}), "vary x name"),
    ("CSP §7.2: a nonce is for one answer", page({"Content-Security-Policy": NONCE}), "nonce"),
    ("CSP §7.2: also where it is but reported", page({"Content-Security-Policy-Report-Only": NONCE}), "nonce"),
    ("CSP §7.2: also where its name is written otherwise", page({"content-security-policy": NONCE.upper()}), "nonce"),
    ("CSP §2.2: a policy without one", page({"Content-Security-Policy": "default-src 'self'"}), None),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
@pytest.mark.parametrize(("view", "reason"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_an_answer_is_stored_unless_a_rule_speaks_against_it(ask, site, view, reason):
    site["/page/"] = view
    first, second = ask("/page/"), ask("/page/")
    assert first.forwarded == "uri-miss"
    assert first.detail == reason
    assert first.is_stored == second.is_hit == (reason is None)
    assert (second.status, second.detail) == (first.status, reason)
    if reason is None:
        assert second.body == first.body


PUBLIC, PLAIN = control("public"), page()
AUTHORIZED = {"Authorization": "Basic x"}

#: rule, view, fields of the request, why it is forwarded, and why it is not stored
REQUESTS = [
    ("RFC 9111 §3.5 Authorization", PLAIN, AUTHORIZED, "uri-miss", "authorization"),
    ("RFC 9111 §3.5 Authorization, even if it is empty", PLAIN, {"Authorization": ""}, "uri-miss", "authorization"),
    ("RFC 9111 §3.5 max-age permits nothing", control("max-age=60"), AUTHORIZED, "uri-miss", "authorization"),
    ("RFC 9111 §3.5 public", PUBLIC, AUTHORIZED, "uri-miss", None),
    ("RFC 9111 §3.5 must-revalidate", control("Must-Revalidate"), AUTHORIZED, "uri-miss", None),
    ("RFC 9111 §3.5 s-maxage", control("s-maxage=60"), AUTHORIZED, "uri-miss", None),
    ("RFC 9111 §3.5 private counts more", control("private, s-maxage=60"), AUTHORIZED, "uri-miss", "private"),
    ("RFC 9110 §11.7.2 Proxy-Authorization", PUBLIC, {"Proxy-Authorization": "Basic x"}, "bypass", "authorization"),
    ("RFC 9111 §5.2.1.5 no-store", PUBLIC, {"Cache-Control": "no-store"}, "uri-miss", "no-store in the request"),
    ("RFC 9111 §5.2.1.5 No-Store", PUBLIC, {"Cache-Control": "a, No-Store"}, "uri-miss", "no-store in the request"),
    ("RFC 9111 §5.2.1.4 no-cache forbids no storing", PLAIN, {"Cache-Control": "no-cache"}, "uri-miss", None),
    ("RFC 9111 §5.2.1.7 only-if-cached", PLAIN, {"Cache-Control": "only-if-cached"}, "uri-miss", None),
    ("RFC 9110 §14.2 Range", PLAIN, {"Range": "bytes=0-1"}, "bypass", "range"),
    ("RFC 9110 §13.1.1 If-Match", PLAIN, {"If-Match": '"x"'}, "bypass", "precondition"),
    ("RFC 9110 §13.1.4 If-Unmodified-Since", PLAIN, {"If-Unmodified-Since": "x"}, "bypass", "precondition"),
    ("RFC 9110 §9.3.1 a GET with content", PLAIN, {"Content-Length": "3"}, "bypass", "request body"),
    ("RFC 9112 §6.1 a GET in chunks", PLAIN, {"Transfer-Encoding": "chunked"}, "bypass", "request body"),
    ("web cache poisoning: another method", PLAIN, {"X-HTTP-Method-Override": "PUT"}, "bypass", "method override"),
    ("web cache poisoning: another method", PLAIN, {"X-Method-Override": "PUT"}, "bypass", "method override"),
    ("web cache poisoning: another host", PLAIN, {"Host": "evil.test"}, "bypass", "host not allowed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("view", "headers", "forwarded", "reason"), [row[1:] for row in REQUESTS], ids=[row[0] for row in REQUESTS]
)
def test_the_answer_to_a_request_is_stored_unless_a_rule_speaks_against_it(ask, site, view, headers, forwarded, reason):
    site["/page/"] = view
    first, second = ask("/page/", headers), ask("/page/", headers)
    assert (first.forwarded, first.detail) == (forwarded, reason)
    assert second.is_hit == (reason is None)
    assert second.detail == reason
    assert (second.body == first.body) == (reason is None or first.status >= 400)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_what_answers_another_method_is_not_stored(ask, site, method):
    """RFC 9111 §3: the method has to be understood by the cache; POST and PATCH are not, here."""
    site["/page/"] = page({"Cache-Control": "public, max-age=60"})
    for _ in range(2):
        answer = ask("/page/", method=method)
        assert (answer.forwarded, answer.detail) == ("method", "method")
    assert ask("/page/").forwarded == "uri-miss"


def test_what_answers_a_head_is_not_stored(ask, site):
    """RFC 9110 §9.3.2: it has no content."""
    site["/page/"] = page()
    for _ in range(2):
        answer = ask("/page/", method="HEAD")
        assert (answer.forwarded, answer.detail) == ("uri-miss", "the answer to a HEAD")


#: rule, fields of the answer, the names of those that are not stored
FIELDS = [
    ("RFC 9111 §3.1 what is unknown is stored", {"X-Name": "a", "Link": "</a>"}, set()),
    ("RFC 9111 §3.1 Connection", {"Connection": "X-Name", "X-Name": "a", "X-Other": "b"}, {"connection", "x-name"}),
    ("RFC 9111 §3.1 Connection, a list", {"Connection": "close, x-NAME", "X-Name": "a"}, {"connection", "x-name"}),
    ("RFC 9111 §3.1 Proxy-Authenticate", {"Proxy-Authenticate": "Basic"}, {"proxy-authenticate"}),
    ("RFC 9111 §3.1 Proxy-Authentication-Info", {"Proxy-Authentication-Info": "a"}, {"proxy-authentication-info"}),
    ("RFC 9110 §7.6.1 Keep-Alive", {"Keep-Alive": "timeout=5"}, {"keep-alive"}),
    ("RFC 9110 §7.6.1 TE, Upgrade", {"TE": "trailers", "Upgrade": "a"}, {"te", "upgrade"}),
]


@pytest.mark.parametrize(("fields", "dropped"), [row[1:] for row in FIELDS], ids=[row[0] for row in FIELDS])
def test_fields_of_one_connection_are_not_stored(ask, site, fields, dropped):
    site["/page/"] = page(fields)
    ask("/page/")
    found = ask("/page/")
    assert found.is_hit
    assert {name.lower() for name in fields} - set(found.headers) == dropped
