"""What is stored of an answer: all that belongs to the page, nothing of one visitor or one connection."""

import gzip
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dumper.rules.dimensions import COOKIES, cookie, field, meta, parameter, session
from dumper.rules.messages import StoredResponse
from dumper.rules.pages import page_of, unpacked
from dumper.rules.tags import SITE
from dumper.rules.validators import etag_of
from test.rules.examples import FINGERPRINT, KEY, a_response, values

NOW = 1_700_000_000.0
TEXT = b"ice cream " * 100
HTML = {"Content-Type": "text/html"}


def page(headers=None, lifetime=None, codings=("gzip",), **facts):
    return page_of(a_response(headers, **facts), KEY, {SITE: "g"}, NOW, lifetime, codings)


def fields(*args, **facts):
    return {name.lower(): value for name, value in page(*args, **facts).headers}


def test_a_page_is_stored_with_all_that_was_said():
    response = a_response({"X-Name": "größe"}, status=404, reason="Gone", marks={"m": True}, slots=[2])
    assert page_of(response, KEY, {SITE: "g"}, NOW, 60, []) == StoredResponse(
        fingerprint=FINGERPRINT,
        generations={SITE: "g"},
        stored_at=NOW,
        expires_at=NOW + 60,
        status=404,
        reason="Gone",
        headers=[("X-Name", "größe")],
        marks={"m": True},
        slots=[2],
        bodies={"identity": b"page"},
    )


@pytest.mark.parametrize(("lifetime", "expires_at"), [(None, None), (0, NOW), (60, NOW + 60)])
def test_it_expires_when_its_lifetime_has_passed(lifetime, expires_at):
    assert page(lifetime=lifetime).expires_at == expires_at


def test_what_is_made_anew_or_of_one_connection_is_not_stored():
    said = {"Content-Length": "4", "date": "x", "Connection": "X-One", "X-One": "1", "Upgrade": "h2", "X-Two": "2"}
    assert set(fields(said)) == {"x-two", "etag"}


@pytest.mark.parametrize(
    ("headers", "facts", "etag"),
    [
        ({}, {}, etag_of(b"page")),
        ({}, {"body": None}, etag_of(b"")),
        ({"ETag": '"own"'}, {}, '"own"'),
        ({"etag": 'W/"own"'}, {}, 'W/"own"'),
        ({}, {"status": 404}, None),
        ({"ETag": '"own"'}, {"status": 404}, '"own"'),
        ({"ETag": '"own"'}, {"slots": [1]}, None),
        ({}, {"slots": []}, None),
    ],
)
def test_a_page_has_a_tag_unless_it_differs_from_visitor_to_visitor(headers, facts, etag):
    assert fields(headers, **facts).get("etag") == etag


def test_the_date_of_one_visitors_page_says_nothing_to_another():
    said = {"Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"}
    assert fields(said)["last-modified"] == said["Last-Modified"]
    assert "last-modified" not in fields(said, slots=[1])


COMPRESSED = [
    ("a text", {}, {}, True),
    ("a text that has no tokens but needs the cookie", {}, {"slots": []}, False),
    ("a text that has tokens", {}, {"slots": [1]}, False),
    ("an error", {}, {"status": 404}, False),
    ("a short text", {}, {"body": b"page"}, False),
    ("a picture", {"Content-Type": "image/png"}, {}, False),
    ("nobody knows what", {"Content-Type": ""}, {}, False),
    ("encoded already", {"content-encoding": "br"}, {}, False),
    ("RFC 9111 §5.2.2.6 no-transform", {"cache-control": "public, No-Transform"}, {}, False),
]


@pytest.mark.parametrize(
    ("headers", "facts", "expected"), [row[1:] for row in COMPRESSED], ids=[row[0] for row in COMPRESSED]
)
def test_some_pages_are_compressed(headers, facts, expected):
    made = page(HTML | headers, **{"body": TEXT, **facts})
    assert ("gzip" in made.bodies) is expected
    assert made.bodies["identity"] == facts.get("body", TEXT)
    if expected:
        assert gzip.decompress(made.bodies["gzip"]) == TEXT
    assert ("vary" in {name.lower() for name, _ in made.headers}) is expected


VARIES = [
    ("nothing", {}, {"body": b"page"}, None),
    ("said by the view", {"vary": "X-One"}, {"body": b"page"}, "X-One"),
    ("compressed", {}, {}, "Accept-Encoding"),
    ("compressed, said by the view", {"Vary": "X-One"}, {}, "X-One, Accept-Encoding"),
    ("compressed, as was said already", {"VARY": "accept-ENCODING"}, {}, "accept-ENCODING"),
    ("a field that was read", {}, {"body": b"page", "dimensions": {field("X-One")}}, "X-One"),
    ("a field that was read, named already", {"Vary": "x-ONE"}, {"body": b"", "dimensions": {field("X-One")}}, "x-ONE"),
    ("a cookie that was read", {}, {"body": b"page", "dimensions": {cookie("a")}}, "Cookie"),
    ("all cookies", {}, {"body": b"page", "dimensions": {COOKIES}}, "Cookie"),
    ("a session", {}, {"body": b"page", "dimensions": {session("s")}}, "Cookie"),
    ("what is no field", {}, {"body": b"page", "dimensions": {parameter("a"), meta("SERVER_NAME")}}, None),
    ("what cannot be a field", {}, {"body": b"page", "dimensions": {meta("HTTP_A\r\nB"), meta("HTTP_É")}}, None),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "facts", "vary"), [row[1:] for row in VARIES], ids=[row[0] for row in VARIES])
def test_caches_further_out_learn_in_what_a_page_varies(headers, facts, vary):
    assert fields(HTML | headers, **{"body": TEXT, **facts}).get("vary") == vary


names = st.sampled_from(["ETag", "etag", "Vary", "Connection", "Cache-Control", "Content-Type", "X-One", "x-one"])


@given(st.dictionaries(names, values, max_size=5), st.binary(max_size=300), st.sampled_from([200, 404]))
def test_any_answer_can_be_stored_and_comes_back(headers, body, status):
    made = page(headers, body=body, status=status)
    found = StoredResponse.unpack(made.pack(), KEY.fingerprint)
    assert found is not None
    assert found.headers == [list(pair) for pair in made.headers]
    assert dict(found.bodies) == made.bodies
    assert len({name.lower() for name, _ in made.headers}) == len(made.headers)


def test_what_a_middleware_has_compressed_is_stored_as_it_was_before():
    fields = {"Content-Encoding": "gzip", "ETag": 'W/"x"', "Vary": "Accept-Encoding"}
    assert unpacked(gzip.compress(TEXT), fields, 9999) == (TEXT, {"Vary": "Accept-Encoding"})
    lower = {name.lower(): value for name, value in fields.items()}
    assert unpacked(gzip.compress(TEXT), lower, 9999) == (TEXT, {"vary": "Accept-Encoding"})


@pytest.mark.parametrize(
    ("body", "fields", "limit"),
    [
        (TEXT, {"ETag": '"x"'}, 9999),
        (TEXT, {"Content-Encoding": "br", "ETag": '"x"'}, 9999),
        (TEXT, {"Content-Encoding": "gzip", "ETag": '"x"'}, 9999),
        (gzip.compress(TEXT, mtime=0), {"Content-Encoding": "gzip", "ETag": '"x"'}, 9),
        (gzip.compress(TEXT, mtime=0), {"ETag": '"x"'}, 9999),
    ],
)
def test_what_cannot_be_told_is_left_as_it_is(body, fields, limit):
    assert unpacked(body, fields, limit) == (body, fields)


def test_an_answer_is_not_changed_by_being_stored():
    response = a_response({"Vary": "X", **HTML}, body=TEXT)
    before = replace(response, headers=dict(response.headers))
    page_of(response, KEY, {}, NOW, None, ["gzip"])
    assert response == before
