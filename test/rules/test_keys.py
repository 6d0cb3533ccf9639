"""Two requests share a stored response exactly if all that is known of them is equal."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dumper.rules.keys import digest, key_of, tag_name
from dumper.rules.tags import SITE, named_tag, path_tag
from test.rules.examples import FACTS, a_request, facts

parts = st.lists(st.text(alphabet="0129:a", max_size=4), max_size=4)


@given(facts, facts)
def test_requests_share_a_key_exactly_if_their_facts_are_equal(one, other):
    assert (key_of(a_request(**one)) == key_of(a_request(**other))) == (one == other)


@given(facts)
def test_equal_requests_always_share_a_key(same):
    assert key_of(a_request(**same)) == key_of(a_request(**dict(same)))


@given(facts, st.sampled_from(FACTS), st.text(max_size=5))
def test_each_fact_alone_makes_another_key(common, fact, value):
    one = a_request(**common)
    other = replace(one, **{fact: value})
    assert (key_of(one).fingerprint == key_of(other).fingerprint) == (common[fact] == value)


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


@given(facts)
def test_the_name_in_the_store_is_short_plain_ascii_and_begins_the_fingerprint(any_facts):
    key = key_of(a_request(**any_facts))
    assert re.fullmatch("[0-9a-f]{64}", key.fingerprint)
    assert key.name == key.fingerprint[:32]


@given(st.lists(st.text(max_size=5), unique=True, max_size=5))
def test_each_tag_has_a_name_of_its_own(names):
    tags = {SITE, *map(path_tag, names), *map(named_tag, names)}
    assert len({tag_name(tag) for tag in tags}) == 2 * len(names) + 1
    assert all(re.fullmatch("[0-9a-f]{32}", tag_name(tag)) for tag in tags)


def test_header_fields_make_no_difference_but_for_what_django_made_of_them():
    plain = a_request()
    assert key_of(plain) == key_of(a_request(environ={"HTTP_COOKIE": "a=b", "HTTP_ACCEPT_LANGUAGE": "de"}))
    assert key_of(plain) == key_of(a_request(language_negotiated=True))


def test_a_response_is_stored_with_the_path_below_the_script_prefix():
    assert key_of(a_request(path="/app/page/", path_info="/page/")).path == path_tag("/page/")


def test_head_and_get_are_stored_apart():
    assert key_of(a_request(method="HEAD")) != key_of(a_request(method="GET"))


def test_a_path_of_ten_thousand_characters_has_a_key_as_short_as_any():
    long = key_of(a_request(path="/" + "é" * 10_000))
    assert len(long.name) == 32
    assert long != key_of(a_request(path="/" + "é" * 9_999))
