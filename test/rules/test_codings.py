"""A page is stored in each coding in which it is smaller, and served in one that the visitor takes."""

import gzip
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dumper.rules.codings import COMPRESSORS, LEAST, best, decoded, encoded, is_text, weakened
from test.rules.examples import values

STORED = ["identity", "zstd", "br", "gzip"]
TEXT = b"ice cream " * 100

CHOICES = [
    ("no field", None, STORED, "identity"),
    ("§12.5.3 an empty field", "", STORED, "identity"),
    ("of those liked alike the first that is stored", "gzip, br, zstd", STORED, "zstd"),
    ("the only one accepted", "gzip", STORED, "gzip"),
    ("in any case", "GZip", STORED, "gzip"),
    ("the one liked best", "br;q=0.5, gzip;q=0.9", STORED, "gzip"),
    ("§12.4.2 three digits", "br;q=0.001, gzip;q=0.002", STORED, "gzip"),
    ("§12.4.2 not acceptable", "gzip;q=0", STORED, "identity"),
    ("§12.4.2 not acceptable, with a point", "gzip;q=0.000", STORED, "identity"),
    ("§12.5.3 anything", "*", STORED, "zstd"),
    ("§12.5.3 anything else", "zstd;q=0, br;q=0, *", STORED, "gzip"),
    ("§12.5.3 nothing else", "gzip, *;q=0", STORED, "gzip"),
    ("§8.4.1.3 the old name of gzip", "x-gzip", STORED, "gzip"),
    ("§8.4.1.3 the old name, not acceptable", "*, x-gzip;q=0", ["identity", "gzip"], "identity"),
    ("identity liked better", "gzip;q=0.5, identity", STORED, "identity"),
    ("identity liked less", "gzip, identity;q=0.5", STORED, "gzip"),
    ("identity liked alike", "gzip;q=0.5, identity;q=0.5", STORED, "gzip"),
    ("none of those stored", "compress, deflate", STORED, "identity"),
    ("nothing at all is accepted", "*;q=0", STORED, "identity"),
    ("not even what is stored alone", "gzip, identity;q=0", ["identity"], "identity"),
    ("no number for a weight", "gzip;q=x, br", STORED, "br"),
    ("a weight that is too large", "gzip;q=2", STORED, "identity"),
    ("a weight of other digits", "gzip;q=٠.٩", STORED, "identity"),
    ("another parameter", "gzip;level=9;q=0.5", STORED, "gzip"),
]


@pytest.mark.parametrize(("field", "stored", "coding"), [row[1:] for row in CHOICES], ids=[row[0] for row in CHOICES])
def test_a_visitor_is_served_the_coding_they_like_best(field, stored, coding):
    assert best(field, stored) == coding


@given(values, st.integers(1, len(STORED)))
def test_any_field_chooses_one_of_those_that_are_stored(field, count):
    assert best(field, STORED[:count]) in STORED[:count]


def test_gzip_needs_nothing_to_be_installed():
    assert "gzip" in COMPRESSORS
    assert set(COMPRESSORS) <= {"gzip", "br", "zstd"}


@given(st.binary(max_size=300).map(lambda body: body * 3), st.sampled_from(["text/html", "image/png"]))
@example(TEXT, "text/plain")
def test_what_is_encoded_is_smaller_and_the_same(body, content_type):
    found = encoded(body, content_type, ["gzip"])
    assert found["identity"] == body
    assert set(found) <= {"identity", "gzip"}
    if "gzip" in found:
        assert content_type.startswith("text")
        assert len(found["gzip"]) < len(body)
        assert gzip.decompress(found["gzip"]) == body
        assert decoded(found["gzip"], "gzip", len(body)) == body


@pytest.mark.parametrize("coding", COMPRESSORS)
def test_each_coding_makes_a_page_smaller_and_the_same_each_time(coding):
    found = encoded(TEXT, "text/html; charset=utf-8", [coding])
    assert list(found) == ["identity", coding]
    assert len(found[coding]) < len(TEXT) / 5
    assert encoded(TEXT, "text/html", [coding]) == found


def test_bodies_are_stored_in_the_order_of_the_codings():
    codings = list(reversed(COMPRESSORS))
    assert list(encoded(TEXT, "text/html", codings)) == ["identity", *codings]


@pytest.mark.parametrize(
    ("body", "content_type", "codings"),
    [
        (b"a" * (LEAST - 1), "text/html", ["gzip"]),
        (TEXT, "image/png", ["gzip"]),
        (TEXT, "", ["gzip"]),
        (TEXT, "text/html", []),
        (b"".join(sha256(bytes([number])).digest() for number in range(30)), "text/html", ["gzip"]),
    ],
)
def test_what_does_not_get_smaller_is_stored_as_it_is(body, content_type, codings):
    assert encoded(body, content_type, codings) == {"identity": body}


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        *((text, True) for text in ("text/html", "TEXT/CSS ; charset=x", "text/csv", "application/json")),
        *((text, True) for text in ("application/javascript", "application/ld+json", "image/svg+xml")),
        *((text, False) for text in ("image/png", "video/mp4", "application/zip", "font/woff2", "", ";")),
        *((text, False) for text in ("application/octet-stream", "image/jpeg; text/html", "+", "/")),
    ],
)  # fmt: skip
def test_texts_are_told_from_what_is_compressed_already(content_type, expected):
    assert is_text(content_type) is expected


def gzipped(body):
    return gzip.compress(body, mtime=0)


@pytest.mark.parametrize(
    ("body", "coding", "limit", "found"),
    [
        (gzipped(TEXT), "gzip", len(TEXT), TEXT),
        (gzipped(TEXT), " X-GZip ", len(TEXT), TEXT),
        (gzipped(b""), "gzip", 0, b""),
        (gzipped(TEXT), "gzip", len(TEXT) - 1, None),
        (gzipped(b"a" * 10_000_000), "gzip", 1000, None),
        (gzipped(TEXT), "br", len(TEXT), None),
        (gzipped(TEXT), "gzip, gzip", len(TEXT), None),
        (gzipped(TEXT), "", len(TEXT), None),
        (gzipped(TEXT)[:-1], "gzip", len(TEXT), None),
        (gzipped(TEXT) + b"x", "gzip", len(TEXT), None),
        (gzipped(TEXT) * 2, "gzip", 2 * len(TEXT), None),
        (gzipped(TEXT)[:-5] + b"xxxxx", "gzip", len(TEXT), None),
        (TEXT, "gzip", len(TEXT), None),
        (b"", "gzip", 9, None),
    ],
)
def test_only_what_is_wholly_gzip_is_decoded(body, coding, limit, found):
    assert decoded(body, coding, limit) == found


@given(st.binary(max_size=300), st.integers(0, 300))
def test_what_is_decoded_is_what_was_encoded_or_nothing(body, limit):
    assert decoded(gzipped(body), "gzip", limit) == (body if len(body) <= limit else None)
    assert decoded(body, "gzip", limit) is None or body.startswith(b"\x1f\x8b")


def test_a_tag_is_weakened_once():
    assert weakened('"x"') == 'W/"x"'
    assert weakened('W/"x"') == 'W/"x"'
