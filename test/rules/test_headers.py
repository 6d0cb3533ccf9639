"""Header fields are read as their RFCs write them, and with caution where they are malformed."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dumper.rules.headers import (
    HOP_BY_HOP,
    REMADE,
    control,
    directives,
    is_targeted,
    is_token,
    lowered,
    members,
    qualities,
    storable,
)
from test.rules.examples import TCHAR, values

ROWS = [
    ("RFC 9111 §5.2 a token alone", "no-store", {"no-store": ""}),
    ("RFC 9111 §5.2 names in any case", "No-STORE, Max-Age=5", {"no-store": "", "max-age": "5"}),
    ("RFC 9111 §5.2 both forms of an argument", 'max-age="5"', {"max-age": "5"}),
    ("RFC 9111 §5.2.2.7 qualified", 'private="set-cookie, x"', {"private": "set-cookie, x"}),
    ("RFC 9110 §5.6.1.2 empty members", ",, public ,\t, no-cache,", {"public": "", "no-cache": ""}),
    ("RFC 9110 §5.6.3 blanks and tabs", " \tpublic\t ,  max-age=5 ", {"public": "", "max-age": "5"}),
    ("RFC 9110 §5.6.4 an escaped quote", r'a="x\"y, private"', {"a": 'x"y, private'}),
    ("RFC 9110 §5.6.4 an escaped backslash", r'a="\\", private', {"a": "\\", "private": ""}),
    ("RFC 9110 §5.6.4 quotes that are part of it", r'a="\"b\""', {"a": '"b"'}),
    ("RFC 9110 §5.6.4 an empty string", 'a="", b', {"a": "", "b": ""}),
    ("RFC 9111 §4.2.1 the first of two counts", "max-age=0, max-age=60", {"max-age": "0"}),
    ("malformed: blanks around the equals sign", "max-age = 5", {"max-age": "5"}),
    ("malformed: no argument", "max-age=, private", {"max-age": "", "private": ""}),
    ("malformed: a blank for a comma", "public private", {"public": "", "private": ""}),
    ("malformed: a semicolon for a comma", "public; private", {"public": "", "private": ""}),
    ("malformed: a quote that is not closed", 'a="b, private', {"a": '"b', "private": ""}),
    ("malformed: a quoted name", '"private"', {"private": ""}),
    ("malformed: no name", "=5, private", {"5": "", "private": ""}),
    ("nothing", "", {}),
    ("nothing but commas", " , ,", {}),
]


@pytest.mark.parametrize(("field", "found"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_directives_are_read(field, found):
    assert directives(field) == found


def reference(field: str) -> dict[str, str] | None:
    """The directives of a well-formed field, a character at a time; None for one that is malformed."""
    found: dict[str, str] = {}
    place = 0

    def skip(characters: str) -> str:
        nonlocal place
        start = place
        while place < len(field) and field[place] in characters:
            place += 1
        return field[start:place]

    while True:
        skip(" \t")
        if place == len(field):
            return found
        if field[place] != ",":  # else an empty member
            name, argument = skip(TCHAR), ""
            if not name:
                return None
            if place < len(field) and field[place] == "=":
                place += 1
                if place < len(field) and field[place] == '"':
                    place += 1
                    while place < len(field) and field[place] != '"':
                        place += field[place] == "\\"
                        argument += field[place : place + 1]
                        place += 1
                    if place >= len(field):
                        return None
                    place += 1
                elif not (argument := skip(TCHAR)):
                    return None
            found.setdefault(name.lower(), argument)
            skip(" \t")
            if place < len(field) and field[place] != ",":
                return None
        place = min(place + 1, len(field))


tokens = st.text(alphabet=TCHAR, min_size=1, max_size=4) | st.sampled_from(["Private", "no-store", "max-age"])
quoted = st.text(alphabet='a ,;=\\"\té', max_size=5).map(lambda text: '"' + re.sub(r'(["\\])', r"\\\1", text) + '"')
directive = tokens | st.builds("{}={}".format, tokens, tokens | quoted)
separators = st.sampled_from([",", " , ", ",,", ",\t", " ,\t ,"])


@st.composite
def fields(draw):
    parts = draw(st.lists(directive, max_size=5))
    return "".join(part + draw(separators) for part in parts) + draw(directive)


@given(fields())
def test_whatever_is_well_formed_is_read_as_the_grammar_says(field):
    assert reference(field) is not None
    assert directives(field) == reference(field)


@given(st.text(alphabet='aB-, \t;="\\', max_size=12))
@example('a="\\')
def test_whatever_the_grammar_accepts_is_read_alike(field):
    expected = reference(field)
    assert expected is None or directives(field) == expected


@given(st.text(alphabet=st.characters(), max_size=50))
def test_no_field_is_an_error(field):
    directives(field)
    members(field)
    storable({"Connection": field})
    assert all(0 <= weight <= 1 for weight in qualities(field).values())


@given(st.lists(st.tuples(st.text("ab-", min_size=1, max_size=3), st.sampled_from(", \t;")), max_size=6))
def test_no_name_is_lost_whatever_parts_them(parts):
    assert set(directives("".join(map("".join, parts)))) == {name for name, _ in parts}


def test_a_long_field_takes_no_longer_than_it_should():
    for long in ('a="' * 20_000, "a=" + '"\\' * 20_000, " " * 50_000 + "=", "a " * 20_000, 'a="' + "b" * 50_000):
        directives(long)


@given(st.lists(st.text(alphabet="aB-*é", max_size=3)), st.sampled_from(["", " ", "\t", " \t "]))
def test_members_are_in_lower_case_without_blanks_and_none_is_empty(names, blank):
    field = ",".join(blank + name + blank for name in names)
    assert members(field) == [name.lower() for name in names if name]


@pytest.mark.parametrize(
    ("rule", "fields", "kept"),
    [
        ("plain fields", {"Content-Type": "a", "ETag": "b"}, ["Content-Type", "ETag"]),
        ("RFC 9110 §7.6.1 in any case", {"KEEP-ALIVE": "a", "X": "b"}, ["X"]),
        ("RFC 9110 §7.6.1 what Connection lists", {"Connection": "close, X-One", "x-one": "a", "X": "b"}, ["X"]),
        ("RFC 9110 §7.6.1 a list with blanks", {"connection": " , x-one\t,", "X-One": "a", "X": "b"}, ["X"]),
        *((f"RFC 9111 §3.1 {name}", {name.title(): "a", "X": "b"}, ["X"]) for name in sorted(HOP_BY_HOP | REMADE)),
    ],
)
def test_what_belongs_to_one_connection_is_not_stored(rule, fields, kept):
    assert [name for name, _ in storable(fields)] == kept, rule


def test_proxy_fields_of_rfc_9111_are_among_those():
    assert {"proxy-authenticate", "proxy-authentication-info", "proxy-authorization"} <= HOP_BY_HOP


def test_names_are_the_same_in_any_case():
    assert lowered({"ETag": "A", "x-ONE": "B"}) == {"etag": "A", "x-one": "B"}


CONTROLS = [
    ("nothing", {}, {}, False),
    ("Cache-Control alone", {"cache-control": "public"}, {"public": ""}, False),
    ("for this cache alone", {"dumper-cache-control": "Public"}, {"public": ""}, True),
    ("both", {"dumper-cache-control": "max-age=5", "cache-control": "private"}, {"max-age": "5"}, True),
    ("for this cache, empty", {"dumper-cache-control": " ,", "cache-control": "private"}, {"private": ""}, False),
    ("for this cache, garbled", {"dumper-cache-control": "é", "cache-control": "a"}, {"a": "", "é": ""}, False),
    ("for another cache", {"cdn-cache-control": "private", "cache-control": "public"}, {"public": ""}, False),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "found", "own"), [row[1:] for row in CONTROLS], ids=[row[0] for row in CONTROLS])
def test_what_is_said_to_this_cache_alone_counts_more(fields, found, own):
    assert control(fields) == found
    assert is_targeted(fields) is own


@given(values)
def test_a_name_is_made_of_the_characters_of_rfc_9110_5_6_2(text):
    assert is_token(text) == (bool(text) and set(text) <= set(TCHAR))


WEIGHTS = [
    ("none", "", {}),
    ("RFC 9110 §12.4.2 without", "gzip", {"gzip": 1.0}),
    ("RFC 9110 §12.4.2 in any case", "GZIP;Q=0.5", {"gzip": 0.5}),
    ("RFC 9110 §12.4.2 blanks", " gzip ;\tq=0.5 , br", {"gzip": 0.5, "br": 1.0}),
    ("RFC 9110 §12.4.2 all digits", "a;q=0, b;q=1.000, c;q=0., d;q=0.12", {"a": 0, "b": 1, "c": 0, "d": 0.12}),
    ("RFC 9110 §12.4.2 too many digits", "a;q=0.1234", {"a": 0}),
    ("RFC 9110 §12.4.2 more than 1", "a;q=1.1, b;q=2, c;q=10", {"a": 0, "b": 0, "c": 0}),
    ("malformed", "a;q=, b;q=x, c;q=-1, d;q=1e0, e;q=.5, f;q=٠, g;q=nan", dict.fromkeys("abcdefg", 0.0)),
    ("RFC 9110 §12.5.1 another parameter", "a;level=1;q=0.5", {"a": 0.5}),
    ("of two the first", "a;q=0, a", {"a": 0}),
]  # fmt: skip


@pytest.mark.parametrize(("field", "found"), [row[1:] for row in WEIGHTS], ids=[row[0] for row in WEIGHTS])
def test_weights_are_read(field, found):
    assert qualities(field) == found


@given(st.dictionaries(st.text("abc*", min_size=1, max_size=3), st.integers(0, 1000), max_size=4))
def test_each_weight_is_read_to_its_last_digit(weights):
    field = ", ".join(f"{name};q={weight / 1000:.3f}" for name, weight in weights.items())
    assert qualities(field) == {name: weight / 1000 for name, weight in weights.items()}
