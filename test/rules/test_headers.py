"""Cache-Control, Vary and Connection are read as their RFCs write them, and with caution where they are malformed."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dumper.rules.headers import HOP_BY_HOP, directives, members, storable

TCHAR = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

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
        *((f"RFC 9111 §3.1 {name}", {name.title(): "a", "X": "b"}, ["X"]) for name in sorted(HOP_BY_HOP)),
    ],
)
def test_what_belongs_to_one_connection_is_not_stored(rule, fields, kept):
    assert [name for name, _ in storable(fields)] == kept, rule


def test_proxy_fields_of_rfc_9111_are_among_those():
    assert {"proxy-authenticate", "proxy-authentication-info", "proxy-authorization"} <= HOP_BY_HOP
