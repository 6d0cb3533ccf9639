"""A stored response comes back as it was, or not at all: damage is never served and never an error."""

import json
import pickle
import pickletools
import struct
from dataclasses import replace
from zlib import crc32

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dumper.rules.frames import framed
from dumper.rules.messages import StoredResponse
from dumper.rules.tags import SITE, path_tag
from test.rules.examples import FINGERPRINT, a_request, a_stored

FRAME = struct.Struct(">4sBII")
texts = st.text(max_size=10)
seconds = st.floats(0, 1e12)
contents = st.binary(max_size=50) | st.text(" \n]", max_size=5).map(str.encode)

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
    slots=st.none() | st.lists(st.integers(0, 50), max_size=3),
    bodies=st.fixed_dictionaries({"identity": contents}, optional={"gzip": contents, "br": contents}),
)

PAGE = a_stored(
    generations={SITE: "g1", path_tag("/größe/"): "g2"},
    headers={"Content-Type": "text/html; charset=utf-8", "X-Name": "größe"},
    slots=[3, 9],
    # blanks might as well belong to the JSON before
    bodies={"identity": b"\n  <p>page</p>\x00\xff" * 3, "gzip": b"gzipped", "br": b""},
)
DATA = PAGE.pack()
HEAD_ENDS = FRAME.size + FRAME.unpack_from(DATA)[2]


def by_hand(head: object, rest: bytes = b"") -> bytes:
    """A frame with a checksum that is right, whatever is in it."""
    encoded = json.dumps(head).encode()
    return FRAME.pack(b"DMPR", 3, len(encoded), crc32(encoded)) + encoded + rest


def head() -> list:
    return json.loads(DATA[FRAME.size : HEAD_ENDS])


def read(data: bytes) -> list:
    """All that comes out of ``data``: nothing, or each body or the error of asking for it."""
    stored = StoredResponse.unpack(data, FINGERPRINT)
    found = []
    for coding in stored.bodies if stored else ():
        try:
            found.append((coding, stored.bodies[coding]))
        except ValueError:
            found.append((coding, None))
    return found


@given(stored_responses)
@example(PAGE)
def test_what_was_packed_is_unpacked(stored):
    found = StoredResponse.unpack(stored.pack(), stored.fingerprint)
    assert found is not None
    assert replace(found, bodies=dict(found.bodies)) == stored
    assert list(found.bodies) == list(stored.bodies)
    assert len(found.bodies) == len(stored.bodies)


@given(stored_responses, st.data())
def test_a_flipped_bit_is_noticed_before_anything_wrong_is_read(stored, data):
    packed = bytearray(stored.pack())
    bit = data.draw(st.integers(0, len(packed) * 8 - 1))
    packed[bit // 8] ^= 1 << bit % 8
    found = read(bytes(packed))
    assert all(body in (None, stored.bodies[coding]) for coding, body in found)
    assert [body for _, body in found].count(None) == (1 if found else 0)


def test_every_single_flipped_bit_of_a_page_is_noticed():
    for bit in range(len(DATA) * 8):
        damaged = bytearray(DATA)
        damaged[bit // 8] ^= 1 << bit % 8
        found = read(bytes(damaged))
        assert bool(found) == (bit // 8 >= HEAD_ENDS), bit
        assert not found or [body for _, body in found].count(None) == 1, bit


@pytest.mark.parametrize("length", range(len(DATA)))
def test_every_truncation_is_noticed(length):
    assert StoredResponse.unpack(DATA[:length], FINGERPRINT) is None


@given(st.binary(min_size=1, max_size=20))
def test_bytes_added_at_the_end_are_noticed(more):
    assert StoredResponse.unpack(DATA + more, FINGERPRINT) is None


@given(st.binary(max_size=200))
def test_foreign_bytes_are_nothing(data):
    assert StoredResponse.unpack(data, FINGERPRINT) is None
    assert StoredResponse.unpack(b"DMPR\x03" + data, FINGERPRINT) is None


@pytest.mark.parametrize("data", [None, "text", 1, [], {}, memoryview(DATA), pickle.dumps(b"page")])
def test_what_is_no_bytes_of_ours_is_nothing(data):
    assert StoredResponse.unpack(data, FINGERPRINT) is None


#: heads that are whole, but of another form: those of a version that somebody forgot to count
FOREIGN = [
    ("a number", 7),
    ("nothing", None),
    ("an object", {}),
    ("no values", []),
    ("too few values", ["a"]),
    ("too many values", ["more", *head()]),
    ("no sizes", [*head()[:-1], None]),
    ("sizes that are too short", [*head()[:-1], [["identity", 1]]]),
    ("sizes that are none", [*head()[:-1], [["identity", {}, 1]]]),
    ("codings that are none", [*head()[:-1], [[[], 1, 1]]]),
    ("sizes of more than there is", [*head()[:-1], [["identity", 9999, 1]]]),
    ("another fingerprint", ["e" * 64, *head()[1:]]),
    ("no fingerprint", [None, *head()[1:]]),
]


@pytest.mark.parametrize("values", [row[1] for row in FOREIGN], ids=[row[0] for row in FOREIGN])
def test_what_is_of_another_form_is_nothing_even_with_the_right_checksum(values):
    assert StoredResponse.unpack(by_hand(values, DATA[HEAD_ENDS:]), FINGERPRINT) is None


def test_a_record_of_dimensions_is_no_page():
    assert StoredResponse.unpack(framed(b"DMPV", head()), FINGERPRINT) is None


def test_the_form_is_fixed_a_page_of_version_3_can_be_read():
    values = [FINGERPRINT, {"site": "g"}, 1.5, None, 404, "Gone", [["A", "b"]], {"m": True}, [1], 5, 6.5]
    found = StoredResponse.unpack(by_hand([*values, [["identity", 3, crc32(b"abc")]]], b"abc"), FINGERPRINT)
    assert found is not None
    assert (found.status, found.reason, found.headers, found.marks) == (404, "Gone", [["A", "b"]], {"m": True})
    assert (found.generations, found.stored_at, found.expires_at, found.slots) == ({"site": "g"}, 1.5, None, [1])
    assert (found.while_revalidate, found.if_error) == (5, 6.5)
    assert dict(found.bodies) == {"identity": b"abc"}


def test_a_body_that_is_damaged_does_not_keep_another_from_being_read():
    found = StoredResponse.unpack(DATA[:-1] + b"X", FINGERPRINT)  # the last byte is one of gzip's
    assert found is not None
    assert found.bodies["identity"] == PAGE.bodies["identity"]
    with pytest.raises(ValueError, match="gzip"):
        found.bodies["gzip"]
    with pytest.raises(KeyError):
        found.bodies["zstd"]


@given(texts)
def test_a_page_of_another_key_is_nothing(fingerprint):
    other = replace(PAGE, fingerprint=fingerprint)
    assert (StoredResponse.unpack(other.pack(), FINGERPRINT) is None) == (fingerprint != FINGERPRINT)


@given(stored_responses)
def test_no_pickle_is_written(stored):
    with pytest.raises(ValueError, match="opcode"):
        list(pickletools.genops(stored.pack()))


def test_a_request_has_the_tags_of_both_names_of_its_path_and_of_the_site():
    assert a_request(path="/a/").tags == (path_tag("/a/"), SITE)
    assert a_request(path="/app/a/", path_info="/a/").tags == (path_tag("/a/"), path_tag("/app/a/"), SITE)
