"""A page is compressed once, when it is stored; each visitor gets it in a coding that they accept."""

import gzip
import random
import zlib

import brotli
import pytest
import zstandard
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.test import override_settings
from django.utils import text

from dumper.rules import codings
from test.middleware.stacks import DJANGO, FETCH, STACKS, UPDATE
from test.middleware.visits import Visitor, is_hit, is_stored, site, stored_bytes

GZIP = "django.middleware.gzip.GZipMiddleware"
CONDITIONAL = "django.middleware.http.ConditionalGetMiddleware"
BODY = b"a page that is long enough to be compressed " * 50
DECODERS = {
    "": lambda body: body,
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
}
FULL = [UPDATE, *DJANGO, FETCH]
PLACES = {
    "nowhere": FULL,
    "above": [GZIP, *FULL],
    "below UpdateCacheMiddleware": [UPDATE, GZIP, *DJANGO, FETCH],
    "above FetchFromCacheMiddleware": [UPDATE, *DJANGO, GZIP, FETCH],
    "below": [*FULL, GZIP],
    "above and below": [GZIP, *FULL, GZIP],
    "with ConditionalGetMiddleware": [UPDATE, GZIP, CONDITIONAL, *DJANGO, FETCH],
}
# Not "gzip;q=0": Django's GZipMiddleware takes that for a yes.
ACCEPTED = ["", "gzip", "br", "zstd", "gzip, br, zstd", "identity", "deflate", "*", "br;q=1, gzip;q=0.5"]


def page(request):
    return HttpResponse(BODY)


def plain(response) -> bytes:
    return DECODERS[response.get("Content-Encoding", "")](response.content)


def is_accepted(coding, accepted) -> bool:
    found = codings.qualities(accepted)
    return not coding or found.get(coding, found.get("*", 0)) > 0


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("kind", "first"), [*(("sync", first) for first in ACCEPTED), ("async", "gzip")])
def test_each_visitor_gets_a_coding_that_they_accept(kind, first, place):
    with site(page, MIDDLEWARE=PLACES[place]):
        visitor = Visitor(kind)
        for accepted in [first, *ACCEPTED, first]:
            answer = visitor.get(headers={"accept-encoding": accepted} if accepted else {})
            assert is_stored(answer) == (accepted is first and "hit" not in answer["Cache-Status"])
            assert plain(answer) == BODY
            assert is_accepted(answer.get("Content-Encoding", ""), accepted)
            assert "Accept-Encoding" in answer["Vary"]
            assert answer["Content-Length"] == str(len(answer.content))
        assert is_hit(answer)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("zstd", "zstd"),
        ("br", "br"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip, br, zstd", "zstd"),
        ("gzip, br", "br"),
        ("zstd;q=0.1, gzip;q=0.9", "gzip"),
        ("*", "zstd"),
        ("zstd;q=0, *", "br"),
        ("gzip;q=0", ""),
        ("deflate", ""),
        ("identity", ""),
        ("identity;q=0", ""),
        ("gzip;q=0.5, identity", ""),
        ("gzip;q=x", ""),
        ("", ""),
    ],
)
def test_the_coding_is_what_accept_encoding_asks_for(accepted, coding):
    with site(page, MIDDLEWARE=STACKS["alone"]):
        Visitor().get()
        answer = Visitor().get(headers={"accept-encoding": accepted})
    assert is_hit(answer)
    assert answer.get("Content-Encoding", "") == coding
    assert plain(answer) == BODY


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("accepted", ACCEPTED)
def test_a_hit_compresses_nothing(monkeypatch, place, accepted):
    with site(page, MIDDLEWARE=PLACES[place]):
        assert is_stored(Visitor().get(headers={"accept-encoding": "gzip"}))

        def fails(*args, **kwargs):
            raise AssertionError("something was compressed")

        with monkeypatch.context() as patched:
            patched.setattr(text, "compress_string", fails)
            patched.setattr("django.middleware.gzip.compress_string", fails)
            patched.setattr(codings, "COMPRESSORS", dict.fromkeys(codings.COMPRESSORS, fails))
            answer = Visitor().get(headers={"accept-encoding": accepted})
            assert is_hit(answer)
            assert plain(answer) == BODY


@pytest.mark.parametrize("names", [[], ["gzip"], ["br", "gzip"]])
def test_codings_are_those_of_the_setting(names):
    with site(page, MIDDLEWARE=STACKS["alone"], DUMPER_COMPRESSION=names):
        Visitor().get()
        found = {Visitor().get(headers={"accept-encoding": coding}).get("Content-Encoding", "") for coding in DECODERS}
    assert found == {"", *names}


UNCOMPRESSED = [
    ("a short page", HttpResponse, (b"short",), {}),
    ("a picture", HttpResponse, (BODY,), {"content_type": "image/png"}),
    ("what nobody may change", HttpResponse, (BODY,), {"headers": {"Cache-Control": "no-transform"}}),
    ("what does not get smaller", HttpResponse, (random.Random(1).randbytes(3000),), {"content_type": "text/plain"}),
]


@pytest.mark.parametrize(
    ("make", "args", "options"), [row[1:] for row in UNCOMPRESSED], ids=[row[0] for row in UNCOMPRESSED]
)
def test_what_is_better_left_alone_is_not_compressed(make, args, options):
    with site(lambda request: make(*args, **options), MIDDLEWARE=STACKS["alone"]):
        Visitor().get()
        answer = Visitor().get(headers={"accept-encoding": "gzip, br, zstd"})
    assert is_hit(answer)
    assert "Content-Encoding" not in answer
    assert answer.content == args[0]


def encoded_by_the_view(coding, body):
    return lambda request: HttpResponse(body, headers={"Content-Encoding": coding, "Vary": "Accept-Encoding"})


def test_what_the_view_has_compressed_in_a_way_of_its_own_stays_apart():
    body = zlib.compress(BODY)
    with site(encoded_by_the_view("deflate", body), MIDDLEWARE=STACKS["alone"]):
        first = Visitor().get(headers={"accept-encoding": "deflate"})
        assert is_stored(first)
        again = Visitor().get(headers={"accept-encoding": "deflate"})
        assert is_hit(again)
        assert (again.content, again["Content-Encoding"]) == (body, "deflate")
        assert not is_hit(Visitor().get(headers={"accept-encoding": "gzip"}))


GZIPPED = gzip.compress(BODY, mtime=0)


@pytest.mark.parametrize("body", [b"no gzip at all", GZIPPED[:-4], GZIPPED + b"more"])
def test_gzip_that_is_damaged_is_handed_on_as_it_is(body):
    with site(encoded_by_the_view("gzip", body), MIDDLEWARE=STACKS["alone"]):
        for _ in range(2):
            answer = Visitor().get(headers={"accept-encoding": "gzip"})
            assert answer.content == body
            assert answer["Content-Encoding"] == "gzip"


def test_a_bomb_is_not_unpacked():
    body = gzip.compress(bytes(10_000_000))
    with (
        site(encoded_by_the_view("gzip", body), MIDDLEWARE=STACKS["alone"]),
        override_settings(DUMPER_MAX_BODY_SIZE=100_000),
    ):
        assert Visitor().get(headers={"accept-encoding": "gzip"}).content == body
        assert len(stored_bytes()) < 2 * 100_000 + 10_000_000


def test_a_form_is_never_compressed_and_never_lost():
    def view(request):
        return HttpResponse(BODY + get_token(request).encode() + BODY)

    with site(view, MIDDLEWARE=PLACES["below UpdateCacheMiddleware"]):
        visitors = [Visitor(), Visitor()]
        answers = [visitor.get(headers={"accept-encoding": "gzip"}) for visitor in visitors]
        assert is_stored(answers[0])
        assert is_hit(answers[1])
        assert plain(answers[0]) != plain(answers[1])
        assert len(plain(answers[0])) == len(plain(answers[1])) == 2 * len(BODY) + 64
