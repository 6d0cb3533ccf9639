"""Who has a page already is not sent it again (RFC 9110 §8.8, §13)."""

import re
from datetime import datetime, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dumper.rules.validators import etag_of, is_not_modified, timestamp
from test.rules.examples import values

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
BEFORE, AFTER = DATE.replace("37", "36"), DATE.replace("37", "38")

CONDITIONS = [
    ("nothing asked", {}, {"etag": '"x"', "last-modified": DATE}, False),
    ("§13.1.2 the same", {"HTTP_IF_NONE_MATCH": '"x"'}, {"etag": '"x"'}, True),
    ("§13.1.2 another", {"HTTP_IF_NONE_MATCH": '"y"'}, {"etag": '"x"'}, False),
    ("§13.1.2 one of several", {"HTTP_IF_NONE_MATCH": '"y" ,, W/"x",'}, {"etag": '"x"'}, True),
    ("§13.1.2 a comma in a tag", {"HTTP_IF_NONE_MATCH": '"y,x", "a"'}, {"etag": '"y,x"'}, True),
    ("§8.8.3.2 weakly: W/ is no part of it", {"HTTP_IF_NONE_MATCH": 'W/"x"'}, {"etag": '"x"'}, True),
    ("§8.8.3.2 weakly, the other way", {"HTTP_IF_NONE_MATCH": '"x"'}, {"etag": 'W/"x"'}, True),
    ("§8.8.3 tags are case-sensitive", {"HTTP_IF_NONE_MATCH": '"X"'}, {"etag": '"x"'}, False),
    ("§8.8.3 an empty tag", {"HTTP_IF_NONE_MATCH": '""'}, {"etag": '""'}, True),
    ("§8.8.3 any bytes", {"HTTP_IF_NONE_MATCH": '"é"'}, {"etag": '"é"'}, True),
    ("§13.1.2 any", {"HTTP_IF_NONE_MATCH": " * "}, {"etag": '"x"'}, True),
    ("§13.1.2 any of none", {"HTTP_IF_NONE_MATCH": "*"}, {"last-modified": DATE}, False),
    ("§13.1.2 an asterisk as a tag", {"HTTP_IF_NONE_MATCH": '"*"'}, {"etag": '"x"'}, False),
    ("§13.1.2 a part of a tag", {"HTTP_IF_NONE_MATCH": '"xy"'}, {"etag": '"x"'}, False),
    ("§13.1.2 no quotes", {"HTTP_IF_NONE_MATCH": "x"}, {"etag": '"x"'}, False),
    ("§13.1.2 nothing", {"HTTP_IF_NONE_MATCH": ""}, {"etag": '"x"'}, False),
    ("§13.1.3 the same", {"HTTP_IF_MODIFIED_SINCE": DATE}, {"last-modified": DATE}, True),
    ("§13.1.3 later", {"HTTP_IF_MODIFIED_SINCE": AFTER}, {"last-modified": DATE}, True),
    ("§13.1.3 earlier", {"HTTP_IF_MODIFIED_SINCE": BEFORE}, {"last-modified": DATE}, False),
    ("§13.1.3 no date", {"HTTP_IF_MODIFIED_SINCE": "yesterday"}, {"last-modified": DATE}, False),
    ("§13.1.3 two dates", {"HTTP_IF_MODIFIED_SINCE": f"{DATE}, {DATE}"}, {"last-modified": DATE}, False),
    ("§13.1.3 nothing known", {"HTTP_IF_MODIFIED_SINCE": DATE}, {"etag": '"x"'}, False),
    ("§13.1.3 nothing known but garbage", {"HTTP_IF_MODIFIED_SINCE": DATE}, {"last-modified": "x"}, False),
    (
        "§13.2.2 tags come first",
        {"HTTP_IF_NONE_MATCH": '"y"', "HTTP_IF_MODIFIED_SINCE": DATE},
        {"etag": '"x"', "last-modified": DATE},
        False,
    ),
    (
        "§13.2.2 tags come first, where there is none as well",
        {"HTTP_IF_NONE_MATCH": '"y"', "HTTP_IF_MODIFIED_SINCE": DATE},
        {"last-modified": DATE},
        False,
    ),
]


@pytest.mark.parametrize(
    ("asked", "stored", "expected"), [row[1:] for row in CONDITIONS], ids=[row[0] for row in CONDITIONS]
)
def test_a_condition_is_met_or_not(asked, stored, expected):
    assert is_not_modified(asked, stored) is expected


tags = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters='"\x7f'), max_size=5)


@given(tags, st.lists(tags, max_size=4), st.sampled_from(["", "W/"]), st.sampled_from(["", "W/"]))
@example("a,b", ["a", "b"], "", "")
def test_a_tag_is_found_exactly_if_it_is_in_the_list(own, listed, weak, strong):
    field = ", ".join(f'{weak}"{tag}"' for tag in listed)
    assert is_not_modified({"HTTP_IF_NONE_MATCH": field}, {"etag": f'{strong}"{own}"'}) == (own in listed)


@given(values, values)
def test_no_condition_is_an_error(field, own):
    for stored in ({"etag": own}, {"last-modified": own}):
        is_not_modified({"HTTP_IF_NONE_MATCH": field}, stored)
        is_not_modified({"HTTP_IF_MODIFIED_SINCE": field}, stored)


@given(st.binary(max_size=9), st.binary(max_size=9))
def test_bodies_have_the_same_strong_tag_exactly_if_they_are_the_same(one, other):
    assert (etag_of(one) == etag_of(other)) == (one == other)
    assert re.fullmatch('"[0-9a-f]{32}"', etag_of(one))


FORMS = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"]
moments = st.datetimes(datetime(1980, 1, 1), datetime(2060, 1, 1), timezones=st.just(timezone.utc))


@given(moments, st.sampled_from(FORMS), st.sampled_from([str, str.upper, str.lower]))
def test_each_form_of_a_date_is_read(moment, form, case):
    assert timestamp(case(f" {moment.strftime(form)}\t")) == int(moment.timestamp())


@pytest.mark.parametrize(
    "date",
    [
        *("", "0", "-1", "tomorrow", "1994", "784111777", "1994-11-06T08:49:37Z"),
        *(DATE.replace("GMT", zone) for zone in ("EST", "CET", "UTC", "+0000", "+0100", "Z", "")),
        *(DATE.replace("06", day) for day in ("6", "00", "32", "006", "٠٦")),
        *(DATE.replace("08:49:37", time) for time in ("08:49", "24:00:00", "08:60:00", "8:49:37", "08.49.37")),
        *(DATE.replace("1994", year) for year in ("94", "0000", "-994", "11994")),
        DATE.replace("Nov", "Foo"),
        DATE.replace("Sun, ", ""),
        f"{DATE} x",
        f"{DATE}, {DATE}",
        "9" * 10_000,
    ],
)
def test_what_is_no_date_is_none(date):
    assert timestamp(date) is None


@given(values)
def test_no_date_is_an_error(date):
    timestamp(date)
