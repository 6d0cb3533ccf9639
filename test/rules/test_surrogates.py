"""Keys are short, opaque, of one site, and stand in fields as each vendor reads them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dumper.rules.surrogates import joined, keys_of, surrogate_key
from dumper.rules.tags import SITE, Tag, named_tag, path_tag, row_tag

tags = st.text().map(Tag)
sites = st.text(min_size=1, max_size=10)


@given(tags, sites)
def test_whatever_a_tag_holds_its_key_is_16_hexadecimal_digits(tag, site):
    assert re.fullmatch(r"[0-9a-f]{16}", surrogate_key(tag, site))
    assert surrogate_key(tag, site) == surrogate_key(tag, site)


@given(st.lists(st.tuples(sites, tags), unique=True))
def test_other_tags_and_other_sites_have_other_keys(pairs):
    assert len({surrogate_key(tag, site) for site, tag in pairs}) == len(pairs)


def test_kinds_of_tags_and_the_border_between_site_and_tag_make_a_difference():
    found = [SITE, path_tag("/a"), named_tag("/a"), row_tag("/a", ""), Tag("/a"), Tag("")]
    assert len({surrogate_key(tag, "x") for tag in found}) == len(found)
    assert surrogate_key(Tag("bc"), "a") != surrogate_key(Tag("c"), "ab")


def test_a_key_is_the_same_in_every_process_and_version():
    assert surrogate_key(path_tag("/café/"), "dumper.cached_path.") == "e82ca4812f18f193"


@given(st.lists(tags))
def test_keys_are_there_once_each_in_an_order_that_does_not_follow_the_tags(names):
    found = keys_of(names, "x")
    assert found == sorted(found)
    assert set(found) == {surrogate_key(tag, "x") for tag in names}
    assert len(found) == len(set(names))


FIELDS = [
    ("xkey", "a1 b2"),
    ("Surrogate-Key", "a1 b2"),
    ("X-Some-Field", "a1 b2"),
    ("Cache-Tag", "a1,b2"),
    ("CACHE-TAG", "a1,b2"),
    ("Edge-Cache-Tag", "a1,b2"),
    ("CDN-Tag", "~a1~b2~"),
    ("Cache-Groups", '"a1", "b2"'),
]


@pytest.mark.parametrize(("name", "value"), FIELDS)
def test_keys_are_parted_as_the_field_has_it(name, value):
    assert joined(name, ["a1", "b2"]) == value
    assert joined(name, iter(["a1", "b2"])) == value


@pytest.mark.parametrize("name", [name for name, _ in FIELDS])
@given(st.lists(tags, min_size=1))
def test_a_field_is_printable_ascii_and_nothing_of_a_tag_is_in_it(name, names):
    value = joined(name, keys_of(names, "x"))
    assert re.fullmatch(r'[0-9a-f ,~"]+', value)
    assert re.findall(r"[0-9a-f]+", value) == keys_of(names, "x")
