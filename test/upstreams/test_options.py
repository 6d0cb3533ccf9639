"""Converters: each says what a value has to be, or gives it back as it is used."""

import pytest

from dumper import converters
from dumper.upstreams import options
from dumper.upstreams.options import Misconfigured, apply, converted

ROWS = [
    (options.text, "a b", "a b"),
    (converters.flag, False, False),
    (converters.seconds, 0.5, 0.5),
    (converters.seconds, 2**31, 2**31),
    (options.whole_seconds, None, None),
    (options.whole_seconds, 60.9, 60),
    (options.delays, None, ()),
    (options.delays, [], ()),
    (options.delays, 60, (60,)),
    (options.delays, (90, 0.5, 30), (0.5, 30, 90)),
    (options.field_name, "X-Some_Thing", "X-Some_Thing"),
    (options.field_names, "*", frozenset({"*"})),
    (options.field_names, {"Accept", "accept"}, frozenset({"accept"})),
    (options.prefix, "", ""),
    (options.prefix, "/", ""),
    (options.prefix, "/shop/", "/shop"),
    (options.prefix, "/größe", "/größe"),
]


@pytest.mark.parametrize(("converter", "value", "used"), ROWS)
def test_a_good_value_is_used(converter, value, used):
    assert converter(value) == used
    assert type(converter(value)) is type(used)


WRONG = [
    (options.text, ["", None, 1, b"a", "é", "a\n", "\x00"]),
    (converters.flag, [None, 0, 1, "yes"]),
    (converters.seconds, [None, 0, -1, True, "1", float("nan"), float("inf"), 2**31 + 1, 10**400]),
    (options.whole_seconds, [0, False, "60", []]),
    (options.delays, [0, "60", ["60"], [0], {60}, True, [[60]]]),
    (options.field_name, ["", None, 1, "a b", "a:", "é", "a\r\n", b"a"]),
    (options.field_names, ["accept", None, 1, [1], ["a b"], {"a": 1}]),
    (options.prefix, ["a", None, 1, "//", "/a//b", "/./a", "/a/..", "/a%20", "/a#", "/\\a", "/" + "a" * 9000]),
]


@pytest.mark.parametrize(("converter", "value"), [(converter, value) for converter, row in WRONG for value in row])
def test_a_bad_value_is_an_error_that_says_what_it_has_to_be(converter, value):
    with pytest.raises(Misconfigured, match=r"^has the value that must be .*(string|number|name|True|path)"):
        converted("the value", converter, value)


class Owner:
    first = 1


def test_options_become_attributes():
    owner = Owner()
    apply(owner, {"first": 2}, {"first": converters.seconds, "second": converters.seconds}, ["first"])
    assert owner.first == 2
    assert Owner.first == 1
    assert not hasattr(owner, "second")


def test_an_option_that_is_unknown_or_missing_is_an_error():
    with pytest.raises(Misconfigured, match="has no option 'third'; there are first, second"):
        apply(Owner(), {"third": 2}, {"second": converters.seconds, "first": converters.seconds}, [])
    with pytest.raises(Misconfigured, match=r"needs the option first$"):
        apply(Owner(), {}, {"first": converters.seconds}, ["first"])
    with pytest.raises(Misconfigured, match=r"needs the options first, second$"):
        apply(Owner(), {}, {"first": converters.seconds}, ["first", "second"])
