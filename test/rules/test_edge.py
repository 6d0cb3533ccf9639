"""What edges are told in each of the fields that they read, and what of the view's own words stays in force."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dumper.rules.edge import ALL, has_spoken, is_forbidden, kept, not_kept, strange_fields, written
from dumper.rules.headers import directives
from test.rules.examples import TCHAR

CC, SC, XA = "Cache-Control", "Surrogate-Control", "X-Accel-Expires"


def view(control=None, **more):
    """The fields of a view, names in lower case."""
    return {**({"cache-control": control} if control is not None else {}), **more}


KEPT = [
    ("a field of its own", view(), SC, {SC: "max-age=60", CC: "no-cache"}),
    ("RFC 9213", view(), "CDN-Cache-Control", {"CDN-Cache-Control": "max-age=60", CC: "no-cache"}),
    ("nginx's", view(), XA, {XA: "60", CC: "no-cache"}),
    ("nginx's in lower case", view(), XA.lower(), {XA.lower(): "60", CC: "no-cache"}),
    ("the view's word to browsers stays", view("max-age=5"), SC, {SC: "max-age=60"}),
    ("so does its Expires", view(expires="0"), SC, {SC: "max-age=60"}),
    ("an empty field says nothing", view(" ,"), SC, {SC: "max-age=60", CC: "no-cache"}),
    ("Cache-Control alone", view(), CC, {CC: "max-age=0, s-maxage=60"}),
    ("in any case", view(), "cache-control", {CC: "max-age=0, s-maxage=60"}),
    ("with the view's word to browsers", view("max-age=5"), CC, {CC: "max-age=5, s-maxage=60"}),
    ("with a directive nobody knows", view('x="a, b"'), CC, {CC: 'x="a, b", s-maxage=60'}),
    ("the view's word to shared caches counts", view("s-maxage=5"), CC, {}),
    ("empty", view(""), CC, {CC: "max-age=0, s-maxage=60"}),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "control", "said"), [row[1:] for row in KEPT], ids=[row[0] for row in KEPT])
def test_what_may_be_kept_is_said_where_the_edge_reads_it(fields, control, said):
    assert kept(fields, control, 60) == said


NOT_KEPT = [
    ("a field of its own", view("public, max-age=60"), SC, {SC: "no-store"}),
    ("nginx's", view("public"), XA, {XA: "0"}),
    ("Cache-Control alone", view(), CC, {CC: "private"}),
    ("browsers may keep it", view("max-age=5"), CC, {CC: "private, max-age=5"}),
    ("what speaks to shared caches goes", view("public, s-maxage=9, proxy-revalidate, a"), CC, {CC: "private, a"}),
    ("what the view forbids stays", view("no-store"), CC, {}),
    ("private", view("private, max-age=5"), CC, {}),
    ("no-cache", view("No-Cache"), CC, {}),
    ("private of one field only", view('private="x", max-age=5'), CC, {CC: "private, max-age=5"}),
    ("no-cache of one field only", view('no-cache="x", max-age=5'), CC, {CC: 'private, no-cache=x, max-age=5'}),
    ("no-cache of fields", view('no-cache="x, y", s-maxage=5'), CC, {CC: 'private, no-cache="x, y"'}),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "control", "said"), [row[1:] for row in NOT_KEPT], ids=[row[0] for row in NOT_KEPT])
def test_what_may_not_be_kept_is_said_whatever_the_view_says(fields, control, said):
    assert not_kept(fields, control) == said


names = st.sampled_from("public private no-store no-cache s-maxage max-age proxy-revalidate must-revalidate x".split())
values = st.sampled_from(["", "=5", '="a, b"', "=x"])
controls = st.lists(st.builds("{}{}".format, names, values)).map(", ".join)


@given(controls)
def test_an_edge_that_reads_cache_control_keeps_nothing_that_it_must_not(control):
    said = directives(not_kept(view(control), CC).get(CC, control))
    assert said.get("private") == "" or "no-store" in said or said.get("no-cache") == ""
    assert is_forbidden(view(control)) or not {"public", "s-maxage", "proxy-revalidate"} & set(said)
    browsers = {"max-age", "must-revalidate", "no-cache", "no-store", "x"}
    theirs = directives(control)
    assert {name: said.get(name) for name in browsers} == {name: theirs.get(name) for name in browsers}


@given(controls, st.integers(1, 10**9))
def test_what_the_view_says_to_browsers_is_left_as_it_is(control, seconds):
    for field in (CC, SC, XA):
        said, theirs = directives(kept(view(control), field, seconds).get(CC, control)), directives(control)
        if theirs:
            assert {name: said[name] for name in theirs} == theirs
        if field == CC:
            assert said["s-maxage"] == theirs.get("s-maxage", str(seconds))


SPOKEN = [
    (view(), False), (view("public"), False), (view("no-cache"), False), (view("private"), False),
    (view("max-age=5"), True), (view("S-Maxage=5"), True), (view(expires="0"), True),
    ({"surrogate-control": "x"}, True), ({"cdn-cache-control": ""}, True), ({"x-accel-expires": "5"}, True),
    ({"cloudflare-cdn-cache-control": "x"}, True), ({"etag": "max-age=5"}, False),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "said"), SPOKEN)
def test_a_view_has_spoken_if_it_has_named_a_time_or_spoken_to_edges(fields, said):
    assert has_spoken(fields) is said


FORBIDDEN = [
    ("", False), ("public", False), ("max-age=0", False), ("x-private", False), ('x="private"', False),
    ("no-store", True), ("NO-CACHE", True), ("a, private", True), ("private=", True), ("no-store=5", True),
    ('private="set-cookie"', False), ('no-cache="set-cookie"', False), ('no-cache="a", no-store', True),
]  # fmt: skip


@pytest.mark.parametrize(("control", "is_so"), FORBIDDEN)
def test_a_view_has_forbidden_it_unless_it_speaks_of_single_fields(control, is_so):
    assert is_forbidden(view(control)) is is_so
    assert not is_forbidden(view())


VARY = [
    ("", {"a"}, []),
    ("Accept, A", {"a"}, ["accept"]),
    ("accept, A", {"a", "accept"}, []),
    ("Cookie", {ALL}, []),
    ("Cookie", set(), ["cookie"]),
    ("*", {ALL}, ["*"]),
    ("a, *", {"a"}, ["*"]),
]


@pytest.mark.parametrize(("field", "known", "strange"), VARY)
def test_an_edge_copes_with_what_it_knows_in_vary_and_never_with_an_asterisk(field, known, strange):
    assert strange_fields({"vary": field}, frozenset(known)) == strange
    assert strange_fields({}, frozenset(known)) == []


@given(st.text(TCHAR, min_size=1), st.text(TCHAR + ', ;="\\'))
def test_a_directive_is_read_as_it_was_meant(name, value):
    assert directives(written(name, value)) == {name.lower(): value}
