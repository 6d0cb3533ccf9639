"""A stored response comes back as it was, or not at all: damage is never served and never an error."""

import json
import pickle
import pickletools
import struct
from dataclasses import fields, replace
from zlib import crc32

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dumper.rules.messages import StoredResponse
from dumper.rules.tags import SITE, path_tag
from test.rules.examples import a_request

FINGERPRINT = "f" * 64
FRAME = struct.Struct(">4sBII")  # the checksum is of all behind itself
texts = st.text(alphabet=st.characters(), max_size=10)  # surrogates too
seconds = st.floats(0, 1e12)

stored_responses = st.builds(
    StoredResponse,
    fingerprint=st.just(FINGERPRINT),
    generations=st.dictionaries(texts.map(path_tag), texts, max_size=3),
    stored_at=seconds,
    expires_at=st.none() | seconds,
    status=st.integers(200, 599),
    reason=texts,
    headers=st.lists(st.lists(texts, min_size=2, max_size=2), max_size=3),
    marks=st.dictionaries(texts, st.booleans(), max_size=2),
    body=st.binary(max_size=50) | st.text(" \n]", max_size=5).map(str.encode),
)

PAGE = StoredResponse(
    fingerprint=FINGERPRINT,
    generations={SITE: "g1", path_tag("/größe/"): "g2"},
    stored_at=1_700_000_000.5,
    expires_at=None,
    status=200,
    reason="OK",
    headers=[["Content-Type", "text/html; charset=utf-8"], ["X-Name", "größe"]],
    marks={},
    body=b"\n  <p>page</p>\x00\xff" * 3,  # blanks might as well belong to the JSON before
)
DATA = PAGE.pack()


def framed(head: bytes, body: bytes = b"", magic: bytes = b"DMPR", version: int = 1) -> bytes:
    """Bytes with a checksum that is right, whatever is in them."""
    checked = struct.pack(">I", len(head)) + head + body
    return struct.pack(">4sBI", magic, version, crc32(checked)) + checked


def head_with(**values: object) -> bytes:
    """The JSON of ``PAGE``, with other values."""
    length = FRAME.unpack_from(DATA)[3]
    head = json.loads(DATA[FRAME.size : FRAME.size + length])
    names = [field.name for field in fields(StoredResponse) if field.name != "body"]
    assert len(head) == len(names)
    return json.dumps(list({**dict(zip(names, head, strict=True)), **values}.values())).encode()


@given(stored_responses)
@example(PAGE)
def test_what_was_packed_is_unpacked(stored):
    assert StoredResponse.unpack(stored.pack(), stored.fingerprint) == stored


@given(stored_responses, st.data())
def test_a_single_flipped_bit_is_noticed(stored, data):
    packed = bytearray(stored.pack())
    bit = data.draw(st.integers(0, len(packed) * 8 - 1))
    packed[bit // 8] ^= 1 << bit % 8
    assert StoredResponse.unpack(bytes(packed), stored.fingerprint) is None


def test_every_single_flipped_bit_of_a_page_is_noticed():
    for bit in range(len(DATA) * 8):
        damaged = bytearray(DATA)
        damaged[bit // 8] ^= 1 << bit % 8
        assert StoredResponse.unpack(bytes(damaged), FINGERPRINT) is None, bit


@pytest.mark.parametrize("length", range(len(DATA)))
def test_every_truncation_is_noticed(length):
    assert StoredResponse.unpack(DATA[:length], FINGERPRINT) is None


@given(st.binary(min_size=1, max_size=20))
def test_bytes_added_at_the_end_are_noticed(more):
    assert StoredResponse.unpack(DATA + more, FINGERPRINT) is None


@given(st.binary(max_size=200))
def test_foreign_bytes_are_nothing(data):
    assert StoredResponse.unpack(data, FINGERPRINT) is None
    assert StoredResponse.unpack(b"DMPR\x01" + data, FINGERPRINT) is None


@pytest.mark.parametrize("data", [None, "text", 1, [], {}, memoryview(DATA), pickle.dumps(PAGE.body)])
def test_what_is_no_bytes_of_ours_is_nothing(data):
    assert StoredResponse.unpack(data, FINGERPRINT) is None


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("a future version", framed(head_with(), PAGE.body, version=2)),
        ("version 0", framed(head_with(), PAGE.body, version=0)),
        ("another magic", framed(head_with(), PAGE.body, magic=b"DMPX")),
        ("no JSON", framed(b"{")),
        ("no UTF-8", framed(b'["\xff"]')),
        ("an empty head", framed(b"")),
        ("a number", framed(b"7")),
        ("null", framed(b"null")),
        ("an object", framed(b"{}")),
        ("too few values", framed(b'["a"]')),
        ("too many values", framed(head_with(more=1))),
        ("a number of too many digits", framed(b"9" * 5000)),
        ("JSON that is nested too deeply", framed(b"[" * 100_000)),
        ("another fingerprint", framed(head_with(fingerprint="e" * 64))),
        ("no fingerprint", framed(head_with(fingerprint=None))),
    ],
)
def test_what_cannot_be_read_is_nothing_even_with_the_right_checksum(what, data):
    assert StoredResponse.unpack(data, FINGERPRINT) is None, what


def test_the_form_is_fixed_a_page_of_version_1_can_be_read():
    assert StoredResponse.unpack(framed(head_with(), PAGE.body), FINGERPRINT) == PAGE


@given(texts)
def test_a_page_of_another_key_is_nothing(fingerprint):
    other = replace(PAGE, fingerprint=fingerprint)
    assert (StoredResponse.unpack(other.pack(), FINGERPRINT) is None) == (fingerprint != FINGERPRINT)


@given(stored_responses)
def test_no_pickle_is_written(stored):
    packed = stored.pack()
    magic, version, _, length = FRAME.unpack_from(packed)
    assert (magic, version) == (b"DMPR", 1)
    assert isinstance(json.loads(packed[FRAME.size : FRAME.size + length]), list)
    with pytest.raises(ValueError, match="opcode"):
        list(pickletools.genops(packed))


def test_reading_executes_nothing():
    class Bomb:
        def __reduce__(self):
            return pytest.fail, ("it was unpickled",)

    bomb = pickle.dumps(Bomb())
    assert StoredResponse.unpack(bomb, FINGERPRINT) is None
    assert StoredResponse.unpack(framed(bomb), FINGERPRINT) is None
    assert StoredResponse.unpack(framed(head_with(), bomb), FINGERPRINT).body == bomb


def test_marks_that_json_does_not_know_are_written_in_plain():
    marked = replace(PAGE, marks={"set": {"a"}, "tuple": ("b",), "other": path_tag})
    marks = StoredResponse.unpack(marked.pack(), FINGERPRINT).marks
    assert (marks["set"], marks["tuple"]) == (["a"], ["b"])
    assert isinstance(marks["other"], str)


def test_a_request_depends_on_the_site_and_its_path_by_both_of_its_names():
    assert a_request(path="/a/").tags == (path_tag("/a/"), SITE)
    mounted = a_request(path="/app/a/", path_info="/a/")
    assert mounted.tags == (path_tag("/a/"), path_tag("/app/a/"), SITE)
