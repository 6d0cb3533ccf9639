"""The caches of docs/upstreams keep what they are told to, for as long as they are told, and nothing else."""

import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from test.full_stack.edges import ALL, VARNISHES, each, keeps, kept, on, page
from test.origin import Origin

pytestmark = pytest.mark.slow

TOMORROW = format_datetime(datetime.now(timezone.utc) + timedelta(days=1), usegmt=True)
LONG_AGO = "Sat, 01 Jan 2000 00:00:00 GMT"

KEPT = [
    (ALL, {"Cache-Control": "s-maxage=60"}),
    (ALL, {"Cache-Control": "max-age=60"}),
    (ALL, {"Cache-Control": "s-maxage=60, max-age=0"}),
    (ALL, {"Expires": TOMORROW}),
    (ALL, {"Cache-Control": "s-maxage=60", "Vary": "Accept-Encoding"}),
    (VARNISHES, {"Surrogate-Control": "max-age=60"}),
    (VARNISHES, {"Surrogate-Control": "max-age=31536000"}),
    (VARNISHES, {"Surrogate-Control": f"max-age={10**18}"}),
    (VARNISHES, {"Surrogate-Control": 'content="ESI/1.0", max-age=60'}),
    (VARNISHES, {"Surrogate-Control": "max-age=60", "Cache-Control": "private, no-store"}),
    (VARNISHES, {"Surrogate-Control": "max-age=60", "Expires": LONG_AGO, "Age": "100"}),
    (["Nginx"], {"X-Accel-Expires": "60"}),
    (["Nginx"], {"X-Accel-Expires": "31536000"}),
    (["Nginx"], {"X-Accel-Expires": "60", "Cache-Control": "private, no-store"}),
    (["Nginx"], {"X-Accel-Expires": "60", "Expires": LONG_AGO}),
]

NOT_KEPT = [
    (ALL, {}),
    (ALL, {"Last-Modified": LONG_AGO}),
    (ALL, {"ETag": '"etag"', "Cache-Control": "public"}),
    (ALL, {"Cache-Control": "no-store"}),
    (ALL, {"Cache-Control": "private, max-age=60"}),
    (ALL, {"Cache-Control": "no-store, s-maxage=60"}),
    (ALL, {"Cache-Control": "no-cache, s-maxage=60"}),
    (ALL, {"Cache-Control": "s-maxage=0"}),
    (ALL, {"Cache-Control": "max-age=60, s-maxage=0"}),
    (ALL, {"Expires": LONG_AGO}),
    (ALL, {"Cache-Control": "s-maxage=60", "Set-Cookie": "one=1"}),
    (ALL, {"Cache-Control": "s-maxage=60", "Vary": "*"}),
    (sorted({*ALL} - {"Nginx"}), {"Cache-Control": "s-maxage=60", "Age": "100"}),
    (VARNISHES, {"Surrogate-Control": "no-store"}),
    (VARNISHES, {"Surrogate-Control": "no-store", "Cache-Control": "s-maxage=60"}),
    (VARNISHES, {"Surrogate-Control": "max-age=60, no-store"}),
    (VARNISHES, {"Surrogate-Control": "max-age=0", "Cache-Control": "s-maxage=60"}),
    (VARNISHES, {"Surrogate-Control": "max-age=60", "Set-Cookie": "one=1"}),
    (["Nginx"], {"X-Accel-Expires": "0", "Cache-Control": "s-maxage=60"}),
    (["Nginx"], [("Cache-Control", "s-maxage=60"), ("X-Accel-Expires", "0")]),
    (["Nginx"], {"X-Accel-Expires": "60", "Set-Cookie": "one=1"}),
    (["Nginx"], {"X-Accel-Expires": "60", "Vary": "Cookie"}),
    (["Squid"], {"Cache-Control": "s-maxage=60", "Vary": "Cookie"}),
    (["Squid"], {"Cache-Control": "s-maxage=60", "Vary": "Accept-Encoding, Cookie"}),
]

BRIEF = [
    (ALL, {"Cache-Control": "s-maxage=1, max-age=60"}),
    (ALL, {"Cache-Control": "s-maxage=1", "Last-Modified": LONG_AGO, "ETag": '"etag"'}),
    (VARNISHES, {"Surrogate-Control": "max-age=1", "Cache-Control": "s-maxage=60"}),
    (["Nginx"], {"X-Accel-Expires": "1", "Cache-Control": "s-maxage=60"}),
]


@each(KEPT)
def test_what_may_be_kept_is(edge, origin, headers):
    origin.headers = headers
    assert kept(edge, page())


@each(NOT_KEPT)
def test_what_must_not_be_kept_is_not(edge, origin, headers):
    origin.headers = headers
    assert not keeps(edge, page())


@each(BRIEF)
def test_it_is_kept_no_longer_than_told(edge, origin, headers):
    origin.headers = headers
    path = page()
    old = edge.get(path).body
    time.sleep(2.1)  # some count whole seconds
    assert edge.get(path).body != old


@on("Squid", "Nginx")
def test_where_variants_would_outlive_a_purge_the_origin_is_asked_for_no_coding(edge, origin):
    edge.get(page(), headers={"Accept-Encoding": "gzip"})
    assert [request.headers["Accept-Encoding"] for request in origin.requests] == [None]


@on()
def test_it_is_kept_no_longer_where_the_origin_fails_either(edge, origin):
    # Not s-maxage, which forbids it by itself (RFC 9111 §5.2.2.10).
    origin.headers = {"Cache-Control": "max-age=1", "ETag": '"etag"'}
    path = page()
    old = edge.get(path).body
    time.sleep(2.1)
    origin.status = None
    answer = edge.get(path)
    assert answer.status in (502, 503, 504)
    assert answer.body != old


@each([(ALL, value) for value in ("no-store", "private, s-maxage=60", "")])
def test_after_a_response_not_to_be_kept_the_next_is_kept_at_once(edge, origin, headers):
    path = page()
    origin.headers = {"Cache-Control": headers, "Surrogate-Control": "no-store", "X-Accel-Expires": "0"}
    assert not keeps(edge, path)
    origin.headers = {"Cache-Control": "s-maxage=60"}
    assert kept(edge, path)


@on()
def test_what_was_made_for_no_visitor_in_particular_is_for_all_whatever_their_cookies(edge, origin):
    origin.headers = {"Cache-Control": "s-maxage=60"}
    path = page()
    assert kept(edge, path) == edge.get(path, headers={"Cookie": "a=1"}).body


@on(*VARNISHES, "TrafficServer")
def test_vary_is_kept_to(edge, origin):
    origin.headers = {"Cache-Control": "s-maxage=60", "Vary": "Accept-Language"}
    path = page()
    german, french, again = (kept(edge, path, headers={"Accept-Language": code}) for code in ("de", "fr", "de"))
    assert german == again != french


@on()
def test_a_head_is_answered_with_what_a_get_has_kept(edge, origin):
    origin.headers = {"Cache-Control": "s-maxage=60"}
    path = page()
    kept(edge, path)
    asked = len(origin.requests)
    assert edge.get(path, method="HEAD").status == 200
    assert len(origin.requests) == asked


@on()
def test_what_is_answered_to_a_request_with_authorization_is_for_nobody_else(edge, origin):
    origin.headers = {"Cache-Control": "max-age=60"}
    path, password = page(), {"Authorization": "Basic YTpi"}
    before = edge.get(path, headers=password).body
    for_all = kept(edge, path)
    own = [edge.get(path, headers=password).body for _ in range(2)]
    assert len({before, for_all, *own}) == 4
    assert kept(edge, path) not in {before, *own}
    assert [request.headers["Authorization"] for request in origin.requests].count("Basic YTpi") == 3


@on()
def test_hosts_are_told_apart_by_name_and_port_but_not_by_case(edge, origin):
    origin.headers = {"Cache-Control": "s-maxage=60"}
    path = page()
    hosts = ("www.example.com", "www.example.org", "www.example.com:8000", "WWW.example.COM")
    one, other, third, same = (kept(edge, path, host=host) for host in hosts)
    assert len({one, other, third}) == 3
    assert same == one


@on(*VARNISHES)
def test_schemes_are_told_apart_and_no_spelling_of_http_is_another(edge, origin):
    origin.headers = {"Cache-Control": "s-maxage=60"}
    path = page()
    https, http, other = (kept(edge, path, headers={"X-Forwarded-Proto": name}) for name in ("https", "http", "x"))
    assert https != http == other == edge.get(path).body


@on()
def test_a_target_in_absolute_form_gets_to_no_other_origin(edge, origin):
    with Origin() as other:
        edge.get(f"http://127.0.0.1:{other.port}{page()}")
        edge.get(page(), host=f"127.0.0.1:{other.port}")
        assert not other.requests
    assert len(origin.requests) == 2


MEANT_FOR_THE_EDGE = [
    (VARNISHES, {"Surrogate-Control": "max-age=60", "xkey": "0123456789abcdef"}),
    (["Nginx"], {"X-Accel-Expires": "60"}),
]


@each(MEANT_FOR_THE_EDGE)
def test_what_is_meant_for_the_edge_stays_there(edge, origin, headers):
    origin.headers = headers
    path = page()
    assert kept(edge, path)
    assert not {name.lower() for name in edge.get(path).headers} & {name.lower() for name in headers}
