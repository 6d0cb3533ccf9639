"""What was decided about a request is a member of a Cache-Status field (RFC 9211)."""

from urllib.parse import unquote

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dumper.rules.status import Decision

#: RFC 9211 §2.2
FORWARDS = ["bypass", "method", "uri-miss", "vary-miss", "miss", "request", "stale", "partial"]

ROWS = [
    ("§2.1 hit", Decision(forwarded=None), "dumper; hit"),
    ("§2.1 hit, §2.4 ttl", Decision(forwarded=None, ttl=59.9), "dumper; hit; ttl=59"),
    ("§2.2 fwd=uri-miss", Decision("uri-miss"), "dumper; fwd=uri-miss"),
    ("§2.2 fwd=method", Decision("method", "method"), 'dumper; fwd=method; detail="method"'),
    ("§2.2 fwd=stale", Decision("stale", "expired"), 'dumper; fwd=stale; detail="expired"'),
    ("§2.2 fwd=bypass", Decision(), "dumper; fwd=bypass"),
    ("§2.5 stored", Decision("uri-miss", stored=True), "dumper; fwd=uri-miss; stored"),
    ("§2.5 stored for a while", Decision("uri-miss", stored=True, ttl=60), "dumper; fwd=uri-miss; stored; ttl=60"),
    ("§2.4 a ttl of 0 is told", Decision(forwarded=None, ttl=0.4), "dumper; hit; ttl=0"),
    ("§2.8 detail is quoted", Decision("bypass", 'a "b" \\c'), r'dumper; fwd=bypass; detail="a \"b\" \\c"'),
    ("§2.8 detail is ASCII", Decision("bypass", "größe"), 'dumper; fwd=bypass; detail="gr??e"'),
    ("§2.8 detail is one line", Decision("bypass", "a\r\nb\tc\x7f\0"), 'dumper; fwd=bypass; detail="a??b?c??"'),
]


@pytest.mark.parametrize(("decision", "field"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_decision_is_written_as_rfc_9211_says(decision, field):
    assert str(decision) == field


@given(
    st.builds(
        Decision,
        forwarded=st.none() | st.sampled_from(FORWARDS),
        detail=st.none() | st.text(alphabet=st.characters(), max_size=20),
        stored=st.booleans(),
        ttl=st.none() | st.floats(0, 2**31),
    )
)
def test_every_decision_can_be_parsed_as_a_structured_field(decision):
    [(name, parameters)] = http_sf.parse(str(decision).encode("ascii"), tltype="list")
    assert str(name) == "dumper"
    assert parameters.get("hit", False) == decision.hit
    assert parameters.get("fwd") == (decision.forwarded and http_sf.Token(decision.forwarded))
    assert parameters.get("stored", False) == decision.stored
    assert parameters.get("ttl") == (None if decision.ttl is None else int(decision.ttl))
    assert len(parameters.get("detail", "")) == len(decision.detail or "")


@given(
    st.builds(Decision, forwarded=st.sampled_from(FORWARDS), detail=st.none() | st.text(max_size=5)),
    st.text(max_size=20),
    st.lists(st.text(max_size=20), max_size=3),
)
def test_what_is_explained_can_be_parsed_as_well(decision, key, tags):
    [(_, parameters)] = http_sf.parse(decision.explained(key, tags).encode("ascii"), tltype="list")
    [(_, plain)] = http_sf.parse(str(decision).encode("ascii"), tltype="list")
    assert parameters.items() >= plain.items()
    assert len(parameters["key"]) == len(key)
    assert unquote(parameters["tags"]) == ", ".join(tags)


def test_the_key_and_the_tags_are_told_to_those_alone_who_may_know():
    decision = Decision("uri-miss", stored=True)
    assert str(decision) == "dumper; fwd=uri-miss; stored"
    explained = decision.explained("ab12", ["path:/größe/", 'tag:"x"'])
    assert explained == 'dumper; fwd=uri-miss; stored; key="ab12"; tags="path:/gr%C3%B6%C3%9Fe/, tag:%22x%22"'
