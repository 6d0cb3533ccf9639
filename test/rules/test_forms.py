"""A visitor's tokens are cut out of a page, every one and nothing else, and another's put in."""

import string
from base64 import b64encode
from random import Random

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from dumper.rules.forms import SECRET_LENGTH, TOKEN_LENGTH, cut, fill

LETTERS = string.ascii_letters + string.digits
SECRET = "kR3vQz8LmY0aTnWc5XhUe7JdPs2GbFoi"
OTHER = "Zx1Nq9Vt4Ej6Kw3Bf8Hr5Da7Ms0Lc2Gy"


def masked(secret: str, mask: str) -> bytes:
    """As Django's ``_mask_cipher_secret`` does it."""
    pairs = zip((LETTERS.index(letter) for letter in secret), (LETTERS.index(letter) for letter in mask), strict=True)
    return (mask + "".join(LETTERS[(x + y) % len(LETTERS)] for x, y in pairs)).encode()


def a_mask(seed: int) -> str:
    """Any: not one that is like a page, as no real one is."""
    return "".join(Random(seed).choices(LETTERS, k=SECRET_LENGTH))


masks = st.integers().map(a_mask)
#: what stands around tokens: anything, also more letters
around = st.binary(max_size=20) | st.text(LETTERS + '"<> ', max_size=80).map(str.encode)


@st.composite
def pages(draw):
    """The pieces of a page between tokens, and the tokens."""
    tokens = [masked(SECRET, mask) for mask in draw(st.lists(masks, max_size=4))]
    return [draw(around) for _ in [*tokens, None]], tokens


def page_of(pieces, tokens):
    return pieces[0] + b"".join(token + piece for token, piece in zip(tokens, pieces[1:], strict=True))


@given(pages())
@example(([b"", b"", b""], [masked(SECRET, a_mask(1)), masked(SECRET, a_mask(2))]))
@example(([b"x" * 64, b"y" * 70], [masked(SECRET, a_mask(1))]))
def test_cutting_loses_nothing_but_the_tokens(page):
    pieces, tokens = page
    found = cut(page_of(*page), SECRET.encode(), len(set(tokens)))
    assert found is not None
    rest, slots = found
    assert rest == b"".join(pieces)
    assert slots == [len(b"".join(pieces[: index + 1])) for index in range(len(tokens))]


@given(pages(), masks)
def test_whoever_gets_the_page_gets_their_own_token_in_every_place(page, mask):
    pieces, tokens = page
    token = masked(OTHER, mask)
    found = cut(page_of(*page), SECRET.encode(), len(set(tokens)))
    assert found is not None
    assert fill(*found, token) == page_of(pieces, [token] * len(tokens))
    back = cut(fill(*found, token), OTHER.encode(), 1 if tokens else 0)
    assert back == found


TRACES = [
    ("the secret", SECRET.encode()),
    ("part of the secret", SECRET[8:20].encode()),
    ("in hexadecimal", SECRET.encode().hex().encode()),
    ("in Base64", b64encode(b"a" + SECRET.encode())),
    ("in another case", SECRET.lower().encode()),
    ("backwards", SECRET[::-1].encode()),
    ("a token backwards", masked(SECRET, a_mask(1))[::-1]),
    ("a token in Base64", b64encode(masked(SECRET, a_mask(1)))),
]


@pytest.mark.parametrize("trace", [row[1] for row in TRACES], ids=[row[0] for row in TRACES])
def test_a_page_that_tells_the_secret_in_another_way_is_not_understood(trace):
    token = masked(SECRET, a_mask(1))
    assert cut(token, SECRET.encode(), 1, b"beside") is not None
    assert cut(token + b"<" + trace, SECRET.encode(), 1) is None
    assert cut(token, SECRET.encode(), 1, b"beside: " + trace) is None


@given(pages(), st.data())
def test_what_is_left_has_no_trace_of_the_secret(page, data):
    pieces, tokens = page
    secret = SECRET.encode()
    place = data.draw(st.integers(0, len(pieces) - 1))
    piece = pieces[place]
    split = data.draw(st.integers(0, len(piece)))
    shown = [*pieces[:place], piece[:split] + secret + piece[split:], *pieces[place + 1 :]]
    assert cut(page_of(shown, tokens), secret, len(set(tokens))) is None


def test_a_secret_that_tokens_tear_apart_is_a_trace_as_well():
    secret, token = SECRET.encode(), masked(SECRET, a_mask(1))
    assert cut(secret[:4] + b" " + token + secret[4:8], secret, 1) is not None
    assert cut(secret[:4] + token + secret[4:8], secret, 1) is None


@given(pages(), st.integers(0, 5))
def test_more_or_fewer_tokens_than_were_made_are_not_understood(page, count):
    _, tokens = page
    found = cut(page_of(*page), SECRET.encode(), count)
    assert (found is None) == (count != len(set(tokens)))


def test_one_token_may_be_there_several_times():
    token = masked(SECRET, a_mask(1))
    assert cut(b" ".join([token] * 3), SECRET.encode(), 1) == (b"  ", [0, 1, 2])


@given(masks, st.integers(0, TOKEN_LENGTH - 1), st.sampled_from(LETTERS))
def test_a_token_with_another_letter_is_none(mask, place, letter):
    token = masked(SECRET, mask).decode()
    assume(token[place] != letter)
    damaged = token[:place] + letter + token[place + 1 :]
    assert cut(damaged.encode(), SECRET.encode(), 0) == (damaged.encode(), [])


@given(masks, st.integers(1, TOKEN_LENGTH - 1), st.sampled_from(["-", " ", "%", "&#x41;", "é"]))
def test_a_token_that_is_torn_apart_is_not_understood(mask, place, between):
    token = masked(SECRET, mask).decode()
    assert cut((token[:place] + between + token[place:]).encode(), SECRET.encode(), 1) is None


def test_the_tokens_of_somebody_else_are_left_alone():
    theirs = masked(OTHER, a_mask(1))
    assert cut(theirs, SECRET.encode(), 0) == (theirs, [])
    assert cut(theirs, SECRET.encode(), 1) is None


@pytest.mark.parametrize(
    "secret", [b"", b"short", b"a" * 31, b"a" * 33, b"a" * 64, b"-" * 32, "é".encode() * 16, b"a b" * 11]
)
def test_what_django_does_not_make_is_no_secret(secret):
    assert cut(b"page", secret, 0) is None
    assert cut(b"x" * 100, secret, 0) is None


@given(st.binary(max_size=100), st.binary(max_size=40), st.integers(0, 2))
def test_no_page_and_no_secret_is_an_error(body, secret, count):
    cut(body, secret, count)


def test_a_page_that_looks_like_tokens_all_over_takes_no_longer_than_it_should():
    assert cut(b"a" * 300_000, SECRET.encode(), 0) == (b"a" * 300_000, [])


@pytest.mark.parametrize(("slots", "filled"), [([], b"abc"), ([0], b"-abc"), ([3], b"abc-"), ([1, 1, 2], b"a--b-c")])
def test_a_token_is_put_into_each_slot(slots, filled):
    assert fill(b"abc", slots, b"-") == filled
