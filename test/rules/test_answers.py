"""How a stored page is served: in which coding, whole or not at all, how old, and with whose token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dumper.rules.answers import answer
from dumper.rules.messages import StoredResponse
from test.rules.examples import FINGERPRINT, a_request, a_stored, values

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
BODIES = {"identity": b"page", "br": b"brotli", "gzip": b"gzipped"}
TOKEN = "t" * 64


def no_token():
    raise AssertionError("nobody asked for a token")


def served(stored, token=no_token, age=None, method="GET", **environ):
    return answer(stored, a_request(method=method, environ=environ), token, age)


def test_a_page_is_served_as_it_was_stored():
    found = served(a_stored({"ETag": '"x"', "X-Name": "größe"}, status=203, reason="Fine"))
    assert (found.status, found.reason, found.body) == (203, "Fine", b"page")
    assert found.headers == {"ETag": '"x"', "X-Name": "größe"}


@pytest.mark.parametrize(
    ("accepted", "coding", "etag"),
    [(None, None, '"x"'), ("gzip", "gzip", 'W/"x"'), ("gzip, br", "br", 'W/"x"'), ("zstd", None, '"x"')],
)
@pytest.mark.parametrize("name", ["ETag", "etag"])
def test_a_coding_is_said_and_weakens_the_tag(accepted, coding, etag, name):
    environ = {} if accepted is None else {"HTTP_ACCEPT_ENCODING": accepted}
    found = served(a_stored({name: '"x"'}, bodies=BODIES), **environ)
    assert found.body == BODIES[coding or "identity"]
    assert found.headers == {name: etag, **({"Content-Encoding": coding} if coding else {})}


AGES = [
    ("just made", {}, None, {}),
    ("just made, of what was old", {"Age": "5"}, None, {"Age": "5"}),
    ("stored a while ago", {}, 7.9, {"Age": "7"}),
    ("stored just now", {}, 0.0, {"Age": "0"}),
    ("a clock that was set back", {}, -3.0, {"Age": "0"}),
    ("RFC 9111 §4.2.3 it was old already", {"Age": " 5 "}, 7.0, {"Age": "12"}),
    ("RFC 9111 §4.2.3 in any case", {"AGE": "5"}, 7.0, {"AGE": "12"}),
    ("RFC 9111 §5.1 garbage", {"Age": "old"}, 7.0, {"Age": "7"}),
]


@pytest.mark.parametrize(("headers", "age", "found"), [row[1:] for row in AGES], ids=[row[0] for row in AGES])
def test_its_age_is_told(headers, age, found):
    assert served(a_stored(headers), age=age).headers == found


KEPT = {
    "Cache-Control": "public",
    "content-location": "/",
    "ETag": '"x"',
    "Expires": DATE,
    "Last-Modified": DATE,
    "VARY": "X",
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("condition", [{"HTTP_IF_NONE_MATCH": '"x"'}, {"HTTP_IF_MODIFIED_SINCE": DATE}])
def test_who_has_it_is_told_so_with_the_fields_of_rfc_9110_15_4_5(method, condition):
    stored = a_stored({**KEPT, "Content-Type": "text/html", "X-Name": "a", "Set": "b"})
    found = served(stored, age=7, method=method, **condition)
    assert (found.status, found.reason, found.body) == (304, "Not Modified", b"")
    assert found.headers == {**KEPT, "Age": "7"}


def test_who_has_it_in_a_coding_is_told_the_tag_of_that():
    found = served(a_stored({"ETag": '"x"'}, bodies=BODIES), HTTP_IF_NONE_MATCH='W/"x"', HTTP_ACCEPT_ENCODING="gzip")
    assert (found.status, found.headers) == (304, {"ETag": 'W/"x"'})


@pytest.mark.parametrize(
    ("facts", "status"),
    [({}, 304), ({"status": 404}, 404), ({"status": 203}, 203), ({"slots": []}, 200), ({"slots": [4]}, 200)],
)
def test_only_a_page_that_is_the_same_for_all_is_left_out(facts, status):
    stored = a_stored({"ETag": '"x"', "Last-Modified": DATE}, **facts)
    for condition in ({"HTTP_IF_NONE_MATCH": "*"}, {"HTTP_IF_MODIFIED_SINCE": DATE}):
        assert served(stored, lambda: TOKEN, **condition).status == status


def test_a_head_is_answered_with_the_length_of_what_a_get_is_given():
    stored = a_stored({"X-Name": "a"}, bodies=BODIES)
    for environ in ({}, {"HTTP_ACCEPT_ENCODING": "gzip"}):
        whole, head = (served(stored, method=method, **environ) for method in ("GET", "HEAD"))
        assert head.body == b""
        assert head.headers == {**whole.headers, "Content-Length": str(len(whole.body))}
        assert (head.status, head.reason) == (whole.status, whole.reason)


@pytest.mark.parametrize(
    ("slots", "body"), [([0], TOKEN + "page"), ([4], "page" + TOKEN), ([1, 3], f"p{TOKEN}ag{TOKEN}e"), ([], "page")]
)
def test_a_visitor_is_given_one_token_of_their_own_in_every_place(slots, body):
    tokens = iter([TOKEN])
    assert served(a_stored(slots=slots), lambda: next(tokens)).body == body.encode()
    assert list(tokens) == []  # also where only its cookie is wanted
    head = served(a_stored(slots=slots), lambda: TOKEN, method="HEAD")
    assert head.headers["Content-Length"] == str(len(body))


def test_a_body_that_is_damaged_is_an_error_for_who_asks_for_that():
    data = a_stored({"ETag": '"x"'}, bodies=BODIES).pack()
    stored = StoredResponse.unpack(data[:-1] + b"X", FINGERPRINT)
    assert served(stored).body == b"page"
    with pytest.raises(ValueError, match="damaged"):
        served(stored, HTTP_ACCEPT_ENCODING="gzip")


@given(values, values, values, st.sampled_from(["GET", "HEAD"]))
def test_no_field_is_an_error(one, other, third, method):
    stored = a_stored({"ETag": one, "Last-Modified": other, "Age": third}, bodies=BODIES)
    environ = {"HTTP_ACCEPT_ENCODING": one, "HTTP_IF_NONE_MATCH": other, "HTTP_IF_MODIFIED_SINCE": third}
    for asked in (environ, {name: environ[name] for name in ("HTTP_IF_MODIFIED_SINCE", "HTTP_ACCEPT_ENCODING")}):
        assert served(stored, age=1, method=method, **asked).status in (200, 304)
