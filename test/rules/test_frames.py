"""Whatever comes out of a store is what was put there, or nothing: damage is noticed, and is no error."""

import json
import pickletools
import struct
from zlib import crc32

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dumper.rules.frames import VERSION, framed, unframed

MAGIC = b"TEST"
FRAME = struct.Struct(">4sBII")
DATA = framed(MAGIC, ["größe", 1], b"one", b"two")

texts = st.text(max_size=9)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=9,
)
heads = st.lists(plain, max_size=3)


def by_hand(head: bytes, rest: bytes = b"", magic: bytes = MAGIC, version: int = VERSION) -> bytes:
    """A frame with a checksum that is right, whatever is in it."""
    return FRAME.pack(magic, version, len(head), crc32(head)) + head + rest


@given(heads, st.lists(st.binary(max_size=20), max_size=3))
@example([], [])
@example(["]"], [b"]"])
def test_what_was_framed_comes_out_again(head, bodies):
    found, rest = unframed(MAGIC, framed(MAGIC, head, *bodies))
    assert found == head
    assert bytes(rest) == b"".join(bodies)


@given(heads, st.data())
def test_a_flipped_bit_before_the_bodies_is_noticed(head, data):
    whole = bytearray(framed(MAGIC, head))
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    assert unframed(MAGIC, bytes(whole)) is None


@pytest.mark.parametrize("length", range(len(DATA) - len(b"onetwo")))
def test_every_truncation_of_the_head_is_noticed(length):
    assert unframed(MAGIC, DATA[:length]) is None


@given(st.binary(max_size=60), st.binary(max_size=5))
def test_foreign_bytes_are_nothing(data, magic):
    assert unframed(MAGIC, data) is None
    assert unframed(MAGIC, MAGIC + bytes([VERSION]) + data) is None
    assert magic == MAGIC or unframed(magic, DATA) is None


@pytest.mark.parametrize("data", [None, "text", 1, [], {}, memoryview(DATA), bytearray(DATA)])
def test_what_is_no_bytes_is_nothing(data):
    assert unframed(MAGIC, data) is None


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("the version before", by_hand(b"[]", version=VERSION - 1)),
        ("a future version", by_hand(b"[]", version=VERSION + 1)),
        ("another magic", by_hand(b"[]", magic=b"TESX")),
        ("no JSON", by_hand(b"{")),
        ("no UTF-8", by_hand(b'["\xff"]')),
        ("an empty head", by_hand(b"")),
        ("a number of too many digits", by_hand(b"9" * 5000)),
        ("JSON that is nested too deeply", by_hand(b"[" * 100_000)),
        ("a head that is longer than all there is", FRAME.pack(MAGIC, VERSION, 3, crc32(b"[]")) + b"[]"),
    ],
)
def test_what_cannot_be_read_is_nothing_even_with_the_right_checksum(what, data):
    assert unframed(MAGIC, data) is None, what


def test_the_form_is_fixed():
    assert VERSION == 3
    found = unframed(MAGIC, by_hand(b'["a", 1]', b"rest"))
    assert found is not None
    assert (found[0], bytes(found[1])) == (["a", 1], b"rest")


@given(heads)
def test_it_is_json_and_no_pickle(head):
    data = framed(MAGIC, head)
    assert json.loads(data[FRAME.size :]) == head
    with pytest.raises(ValueError, match=r"opcode|string4"):
        list(pickletools.genops(data))


@pytest.mark.parametrize(("value", "plainly"), [({"a"}, ["a"]), (frozenset({1}), [1]), (Exception("x"), "x")])
def test_what_json_does_not_know_is_put_plainly(value, plainly):
    found = unframed(MAGIC, framed(MAGIC, [{"key": value}]))
    assert found is not None
    assert found[0] == [{"key": plainly}]


def test_what_json_cannot_hold_is_an_error_when_it_is_written():
    endless: list = []
    endless.append(endless)
    for head in (endless, [{(1, 2): 3}]):
        with pytest.raises((TypeError, ValueError, RecursionError)):
            framed(MAGIC, head)
