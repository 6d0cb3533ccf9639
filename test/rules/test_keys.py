"""Two requests share a key exactly if all that is known of them beforehand, and may make a difference, is equal."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dumper.rules.keys import digest, digest_of_bytes, key_of, tag_name
from dumper.rules.tags import SITE, named_tag, path_tag
from test.rules.examples import FACTS, a_request, facts, unreadable

MODES = ["observed", "exact", ("a", "b")]
parts = st.lists(st.text(alphabet="0129:a", max_size=4), max_size=4)
queries = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["", "1", "é", "1:a"])), max_size=4).map(
    lambda pairs: "&".join(map("=".join, pairs))
)


def key(query="observed", **some_facts):
    return key_of(a_request(**some_facts), query)


@given(facts, facts, st.sampled_from(MODES))
def test_requests_share_a_key_exactly_if_their_facts_are_equal(one, other, query):
    assert (key(query, **one) == key(query, **other)) == (one == other)


@given(facts, st.sampled_from(FACTS), st.text(max_size=5), st.sampled_from(MODES))
def test_each_fact_alone_makes_another_key(common, fact, value, query):
    one = a_request(**common)
    other = replace(one, **{fact: value})
    assert (key_of(one, query).fingerprint == key_of(other, query).fingerprint) == (common[fact] == value)


@given(queries, queries)
def test_an_observed_query_string_is_no_part_of_the_key(one, other):
    assert key(query=one) == key(query=other)


def test_a_parameter_is_looked_at_only_where_parameters_are_named():
    for query in ("observed", "exact"):
        key(query, parameters=unreadable)
    assert key(("a",), parameters=unreadable)  # falls back, and is no error


@given(queries, queries)
def test_an_exact_query_string_is_part_of_the_key_as_it_was_sent(one, other):
    same = key_of(a_request(query=one), "exact") == key_of(a_request(query=other), "exact")
    assert same == (one == other)


@given(queries, queries)
def test_of_a_named_query_string_only_the_named_parameters_make_a_difference(one, other):
    first, second = a_request(query=one), a_request(query=other)
    counted = [
        {name: list(values) for name, values in request.parameters().items() if name in "ab"}
        for request in (first, second)
    ]
    assert (key_of(first, ("a", "b")) == key_of(second, ("a", "b"))) == (counted[0] == counted[1])


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("a=1&c=2", "a=1&c=3", True),
        ("a=1&b=2", "b=2&a=1", True),
        ("a=1&a=2", "a=2&a=1", False),
        ("a=", "", False),
        ("a=1&a=b&b=1", "a=1&a=b", False),
        ("a=1&a=2", "a=1&b=2", False),
    ],
)
def test_named_parameters_are_told_apart_by_all_of_their_values(one, other, are_one):
    assert (key_of(a_request(query=one), ("a", "b")) == key_of(a_request(query=other), ("a", "b"))) is are_one


def test_where_the_parameters_cannot_be_read_nobody_else_shares_the_key():
    names = ("a",)
    broken = key_of(a_request(query="a=1", parameters=unreadable), names)
    assert broken not in {key_of(a_request(query=query), names) for query in ("a=1", "", "a=2")}
    assert broken != key_of(a_request(query="a=2", parameters=unreadable), names)


@given(parts, parts)
def test_no_part_of_a_digest_runs_into_the_next(one, other):
    assert (digest(*one) == digest(*other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (("ab",), ("a", "b")),
        (("",), ()),
        (("1:a",), ("a",)),
        (("a1:b",), ("a", "b")),
        (("é",), ("e\u0301",)),
        (("/x",), ("//x",)),
    ],
)
def test_what_looks_alike_has_another_digest(one, other):
    assert digest(*one) != digest(*other)


@given(st.text(alphabet=st.characters(), max_size=50))
def test_any_text_has_a_digest_even_one_that_is_no_utf8(text):
    assert re.fullmatch("[0-9a-f]{64}", digest(text))
    assert digest("\udc80" + text) != digest(text)


@given(st.binary(max_size=9), st.binary(max_size=9))
def test_bytes_have_a_digest_of_their_own(one, other):
    assert (digest_of_bytes(one) == digest_of_bytes(other)) == (one == other)
    assert re.fullmatch("[0-9a-f]{64}", digest_of_bytes(one))


@given(facts)
def test_the_name_in_the_store_is_short_plain_ascii_and_begins_the_fingerprint(any_facts):
    found = key(**any_facts)
    assert re.fullmatch("[0-9a-f]{64}", found.fingerprint)
    assert found.name == found.fingerprint[:32]


@given(st.lists(st.text(max_size=5), unique=True, max_size=5))
def test_each_tag_has_a_name_of_its_own(names):
    tags = {SITE, *map(path_tag, names), *map(named_tag, names)}
    assert len({tag_name(tag) for tag in tags}) == 2 * len(names) + 1
    assert all(re.fullmatch("[0-9a-f]{32}", tag_name(tag)) for tag in tags)


def test_header_fields_make_no_difference_but_for_what_django_made_of_them():
    assert key() == key(environ={"HTTP_COOKIE": "a=b", "HTTP_ACCEPT_LANGUAGE": "de"})
    assert key() == key(language_negotiated=True)


def test_a_response_is_stored_with_the_path_below_the_script_prefix():
    assert key(path="/app/page/", path_info="/page/").path == path_tag("/page/")


def test_head_and_get_have_one_key():
    assert key(method="HEAD") == key(method="GET")


def test_a_path_of_ten_thousand_characters_has_a_key_as_short_as_any():
    long = key(path="/" + "é" * 10_000)
    assert len(long.name) == 32
    assert long != key(path="/" + "é" * 9_999)
