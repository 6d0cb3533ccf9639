"""How long a response may be stored: what it says, and what cannot be read is stale."""

from datetime import datetime, timezone
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dumper.rules.freshness import MOST_SECONDS, lifetime, seconds
from test.rules.examples import values

NOW = 1_700_000_000.0


def at(later: float, form: str = "%a, %d %b %Y %H:%M:%S GMT") -> str:
    return datetime.fromtimestamp(NOW + later, timezone.utc).strftime(form)


LIFETIMES = [
    ("nothing said", {}, None),
    ("nothing said of it", {"cache-control": "public"}, None),
    ("RFC 9111 §4.2.1 s-maxage first", {"cache-control": "max-age=1, s-maxage=2", "expires": at(3)}, 2),
    ("RFC 9111 §4.2.1 max-age before Expires", {"cache-control": "max-age=1", "expires": at(3)}, 1),
    ("RFC 9111 §4.2.1 Expires", {"expires": at(3)}, 3),
    ("RFC 9213 §2.2 for this cache", {"dumper-cache-control": "max-age=5", "cache-control": "s-maxage=1"}, 5),
    ("RFC 9213 §2.2 then Expires says nothing", {"dumper-cache-control": "public", "expires": at(3)}, None),
    ("RFC 9213 §2.2 empty, it is as if it were not there", {"dumper-cache-control": " ,", "expires": at(3)}, 3),
    ("RFC 9213 §2.2 garbled, it says less", {"dumper-cache-control": "é", "expires": at(3)}, 3),
    ("RFC 9111 §5.1 Age is taken off", {"cache-control": "max-age=9", "age": " 4 "}, 5),
    ("RFC 9111 §5.1 older than it may be", {"cache-control": "max-age=9", "age": "10"}, 0),
    ("RFC 9111 §5.1 an Age of garbage", {"cache-control": "max-age=9", "age": "-1"}, 9),
    ("RFC 9111 §5.2.2.10 s-maxage=0", {"cache-control": "s-maxage=0, max-age=9"}, 0),
    ("RFC 9111 §5.2.2.1 max-age=0", {"cache-control": "max-age=0"}, 0),
    ("RFC 9111 §5.2.2.1 quoted", {"cache-control": 'max-age="7"'}, 7),
    ("RFC 9111 §4.2.1 two of them", {"cache-control": "max-age=0, max-age=60"}, 0),
    ("RFC 9111 §1.2.2 negative", {"cache-control": "max-age=-1"}, 0),
    ("RFC 9111 §1.2.2 garbage", {"cache-control": "max-age=soon"}, 0),
    ("RFC 9111 §1.2.2 a fraction", {"cache-control": "max-age=1.5"}, 0),
    ("RFC 9111 §1.2.2 no argument", {"cache-control": "max-age"}, 0),
    ("RFC 9111 §1.2.2 digits that are no ASCII", {"cache-control": "max-age=²"}, 0),
    ("RFC 9111 §1.2.2 leading zeros", {"cache-control": "max-age=" + "0" * 5000 + "7"}, 7),
    ("RFC 9111 §1.2.2 too large", {"cache-control": "max-age=99999999999999999999"}, MOST_SECONDS),
    ("RFC 9111 §1.2.2 too large for int()", {"cache-control": "max-age=" + "9" * 5000}, MOST_SECONDS),
    ("RFC 9111 §5.3 past", {"expires": at(-3)}, 0),
    ("RFC 9111 §5.3 the invalid date 0", {"expires": "0"}, 0),
    ("RFC 9111 §5.3 another invalid date", {"expires": "Thu, 99 Foo 2099 00:00:00 GMT"}, 0),
    ("RFC 9111 §5.3 empty", {"expires": ""}, 0),
    ("RFC 9111 §5.3 two dates", {"expires": f"{at(3)}, {at(3)}"}, 0),
    ("RFC 9111 §4.2 another zone than GMT", {"expires": at(9999).replace("GMT", "CET")}, 0),
    ("RFC 9110 §5.6.7 the form of RFC 850", {"expires": at(3, "%A, %d-%b-%y %H:%M:%S GMT")}, 3),
    ("RFC 9110 §5.6.7 the form of asctime is in UTC", {"expires": at(3, "%a %b %d %H:%M:%S %Y")}, 3),
    ("RFC 9111 §5.3 any year", {"expires": "Fri, 31 Dec 9999 23:59:59 GMT"}, MOST_SECONDS),
]


@pytest.mark.parametrize(("fields", "found"), [row[1:] for row in LIFETIMES], ids=[row[0] for row in LIFETIMES])
def test_a_response_says_how_long_it_lives(fields, found):
    assert lifetime(fields, None, NOW) == found
    assert lifetime(fields, 600, NOW) == (600 if found is None else found)


@given(values | st.text("0123456789 :,+-GMTJan", max_size=40))
@example(format_datetime(datetime.max))
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Mon, 01 Jan 2024 00:00:00 +" + "9" * 30)
@example("1 Jan " + "9" * 5000 + " 00:00 GMT")
def test_any_text_is_a_lifetime_that_can_be_kept(text):
    for fields in ({"expires": text}, {"cache-control": f"max-age={text}"}, {"cache-control": text}, {"age": text}):
        assert 0 <= lifetime(fields, 600, NOW) <= MOST_SECONDS


@given(st.integers(0, 2**40))
def test_a_number_of_seconds_is_read_up_to_what_can_be_counted(number):
    assert seconds(str(number)) == seconds(f"00{number}") == min(number, MOST_SECONDS)


@given(values.filter(lambda text: not (text.isascii() and text.isdigit())))
@example("")
@example("٣")
@example("+1")
@example("1 ")
def test_what_is_no_number_is_no_second(text):
    assert seconds(text) == 0
