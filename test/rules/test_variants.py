"""Visitors share a page exactly if they are alike in all its dimensions; being absent is not being empty."""

import json
import struct
from zlib import crc32

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dumper.rules.dimensions import ANY_QUERY, COOKIES, QUERY, cookie, field, meta, of_query, parameter, session
from dumper.rules.keys import Key
from dumper.rules.messages import Unreadable
from dumper.rules.tags import path_tag
from dumper.rules.variants import pack, unpack, unshared, variant
from test.rules.examples import FINGERPRINT, KEY, a_request, a_stored, unreadable

OTHER = Key(path_tag("/other/"), "e" * 32, "e" * 64)
DIMENSIONS = [
    QUERY,
    ANY_QUERY,
    parameter("a"),
    parameter("b"),
    cookie("a"),
    cookie("b"),
    meta("HTTP_X_ONE"),
    meta("CONTENT_TYPE"),
]
dimensions = st.frozensets(st.sampled_from(DIMENSIONS))
values = st.sampled_from(["", "1", "1:1", "é"])
visitors = st.fixed_dictionaries(
    {"query": st.lists(st.tuples(st.sampled_from("ab"), values), max_size=3).map(lambda p: "&".join(map("=".join, p)))},
    optional={
        "HTTP_COOKIE": st.lists(st.tuples(st.sampled_from("ab"), values), max_size=2).map(
            lambda pairs: "; ".join(map("=".join, pairs))
        ),
        "HTTP_X_ONE": values,
        "CONTENT_TYPE": values,
    },
)


def request(visitor):
    return a_request(query=visitor["query"], environ={name: visitor[name] for name in visitor if name != "query"})


def seen(dimension, asked):
    """What ``dimension`` says of a request, in plain words."""
    kind, _, name = dimension.partition(":")
    if kind == "query":
        return asked.parameters().get(name, "absent") if name else asked.query
    if kind == "query?":
        return bool(asked.parameters())
    return asked.cookies().get(name, ()) if kind == "cookie" else asked.environ.get(name, ())


@given(dimensions, visitors, visitors)
def test_visitors_share_a_page_exactly_if_they_are_alike_in_each_dimension(found, one, other):
    first, second = request(one), request(other)
    alike = all(seen(dimension, first) == seen(dimension, second) for dimension in found)
    assert (variant(KEY, found, first) == variant(KEY, found, second)) == alike


@given(dimensions, dimensions, visitors)
def test_other_dimensions_make_another_key(one, other, visitor):
    asked = request(visitor)
    assert (variant(KEY, one, asked) == variant(KEY, other, asked)) == (one == other)


@given(dimensions.filter(bool), visitors)
def test_a_variant_lies_with_the_path_of_its_key_and_is_none_of_another_key(found, visitor):
    asked = request(visitor)
    made = variant(KEY, found, asked)
    assert made.path == KEY.path
    assert made.fingerprint.startswith(made.name)
    assert made.fingerprint not in (KEY.fingerprint, variant(OTHER, found, asked).fingerprint)


def test_where_there_is_but_one_page_it_lies_under_the_key_itself():
    assert variant(KEY, frozenset(), a_request(query="a=1")) == KEY


PAIRS = [
    ("absent and empty parameters", parameter("a"), {"query": ""}, {"query": "a="}),
    ("absent and empty cookies", cookie("a"), {}, {"environ": {"HTTP_COOKIE": "a="}}),
    ("absent and empty fields", field("X-One"), {}, {"environ": {"HTTP_X_ONE": ""}}),
    ("absent and empty Cookie fields", COOKIES, {}, {"environ": {"HTTP_COOKIE": ""}}),
    ("a query string of parameters and of none", ANY_QUERY, {"query": "a="}, {"query": "&"}),
    ("one value and two", parameter("a"), {"query": "a=1"}, {"query": "a=1&a=1"}),
    ("values in another order", parameter("a"), {"query": "a=1&a=2"}, {"query": "a=2&a=1"}),
    ("a parameter without a name", parameter(""), {"query": "=1"}, {"query": "=2"}),
    (
        "a cookie without a name",
        cookie(""),
        {"environ": {"HTTP_COOKIE": "1"}},
        {"environ": {"HTTP_COOKIE": "2"}},
    ),
    (
        "RFC 9110 §8.3 Content-Type",
        field("Content-Type"),
        {"environ": {"CONTENT_TYPE": "a"}},
        {"environ": {"CONTENT_TYPE": "b"}},
    ),
]


@pytest.mark.parametrize(("dimension", "one", "other"), [row[1:] for row in PAIRS], ids=[row[0] for row in PAIRS])
def test_what_is_nearly_the_same_is_told_apart(dimension, one, other):
    assert variant(KEY, {dimension}, a_request(**one)) != variant(KEY, {dimension}, a_request(**other))


def test_what_was_not_read_makes_no_difference():
    one = a_request(query="a=1&b=1", environ={"HTTP_COOKIE": "a=1; b=1", "HTTP_X_ONE": "1"})
    other = a_request(query="b=2&a=1", environ={"HTTP_COOKIE": "b=2; a=1", "HTTP_X_TWO": "2"})
    assert variant(KEY, {parameter("a"), cookie("a")}, one) == variant(KEY, {parameter("a"), cookie("a")}, other)


@given(st.text("ab1:", max_size=3), st.text("ab1:", max_size=3), st.text("ab1:", max_size=3))
def test_no_name_runs_into_a_value(name, value, other):
    one = a_request(environ={"HTTP_COOKIE": f"{name}={value}"})
    assert variant(KEY, {cookie(name)}, one) != variant(KEY, {cookie(name + "x")}, one)
    second = a_request(environ={"HTTP_COOKIE": f"{name}={other}"})
    assert (variant(KEY, {cookie(name)}, one) == variant(KEY, {cookie(name)}, second)) == (value == other)


def test_what_cannot_be_read_is_said_so():
    with pytest.raises(Unreadable):
        variant(KEY, {parameter("a")}, a_request(parameters=unreadable))
    assert variant(KEY, {cookie("a")}, a_request(parameters=unreadable))


UNSHARED = [
    ({session("sessionid")}, {"HTTP_COOKIE": "sessionid=x"}, "session"),
    ({session("sessionid")}, {"HTTP_COOKIE": "sessionid="}, "session"),
    ({session("sessionid")}, {"HTTP_COOKIE": "a=b"}, None),
    ({session("sessionid")}, {}, None),
    ({COOKIES}, {"HTTP_COOKIE": "a=b"}, "cookies"),
    ({COOKIES}, {"HTTP_COOKIE": ""}, None),
    ({COOKIES}, {}, None),
    ({cookie("a"), COOKIES}, {"HTTP_COOKIE": "b=c"}, "cookies"),
    ({cookie("a")}, {"HTTP_COOKIE": "a=b"}, None),
    ({field("Authorization")}, {"HTTP_AUTHORIZATION": "Basic x"}, "authorization"),
    ({field("Authorization")}, {"HTTP_AUTHORIZATION": ""}, "authorization"),
    ({field("Authorization")}, {}, None),
    ({field("X-Authorization")}, {"HTTP_AUTHORIZATION": "Basic x"}, None),
    (set(), {"HTTP_COOKIE": "sessionid=x", "HTTP_AUTHORIZATION": "Basic x"}, None),
]


@pytest.mark.parametrize(("found", "environ", "reason"), UNSHARED)
def test_some_dimensions_are_shared_by_those_alone_who_send_nothing(found, environ, reason):
    assert unshared(found, a_request(environ=environ)) == reason


def test_cookie_in_vary_is_all_cookies():
    assert field("Cookie") == field("COOKIE") == COOKIES


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_query_string_is_told_from_other_dimensions(dimension):
    assert of_query([dimension]) is dimension.startswith("query")


names = st.text(max_size=5)
any_dimensions = st.frozensets(
    st.sampled_from(DIMENSIONS) | names.map(parameter) | names.map(cookie) | names.map(meta) | names.map(session)
)


@given(any_dimensions)
@example(frozenset())
def test_what_was_packed_is_unpacked(found):
    assert unpack(pack(KEY, found), KEY) == found


@given(any_dimensions.filter(bool), st.data())
def test_a_flipped_bit_is_noticed(found, data):
    packed = bytearray(pack(KEY, found))
    bit = data.draw(st.integers(0, len(packed) * 8 - 1))
    packed[bit // 8] ^= 1 << bit % 8
    assert unpack(bytes(packed), KEY) == frozenset()


def by_hand(head: object) -> bytes:
    encoded = json.dumps(head).encode()
    return struct.pack(">4sBII", b"DMPV", 3, len(encoded), crc32(encoded)) + encoded


@pytest.mark.parametrize(
    "data",
    [
        None,
        "text",
        b"",
        pack(OTHER, [QUERY]),
        a_stored().pack(),
        *map(by_hand, (None, 7, "ab", [], {}, [FINGERPRINT], [FINGERPRINT, 7], [FINGERPRINT, "query"])),
        *map(by_hand, ([FINGERPRINT, [[]]], [FINGERPRINT, [7]], [FINGERPRINT, ["weather:sunny"]])),
        by_hand([FINGERPRINT, ["query"], 1]),
    ],
)
def test_what_is_anything_else_has_no_dimensions(data):
    assert unpack(data, KEY) == frozenset()


def test_the_form_is_fixed():
    assert unpack(by_hand([FINGERPRINT, ["query:a", "cookie"]]), KEY) == {parameter("a"), COOKIES}
