"""Pages with forms: a visitor's own tokens are cut out of a page before it is stored, and another's put in.

Django masks a token anew wherever it makes one (its security notes on BREACH say why): 64 letters and digits, the first
half a mask, the second the secret, each letter shifted by that of the mask. So all tokens of one visitor can be found.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence

SECRET_LENGTH = 32
TOKEN_LENGTH = 2 * SECRET_LENGTH
_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_PLACE = {letter: place for place, letter in enumerate(_LETTERS)}
_RUN = re.compile(rb"[A-Za-z0-9]{%d,}" % TOKEN_LENGTH)


def cut(body: bytes, secret: bytes, count: int, beside: bytes = b"") -> tuple[bytes, list[int]] | None:
    """``body`` without the tokens made of ``secret``, and where they were.

    None unless exactly ``count`` different ones are found and nothing else tells the secret, in the body or ``beside``
    it: what was encoded, hashed or torn apart cannot be replaced.
    """
    if len(secret) != SECRET_LENGTH or not secret.isalnum():
        return None
    starts = list(_tokens(body, secret))
    found = {body[start : start + TOKEN_LENGTH] for start in starts}
    pieces, slots, end, length = [], [], 0, 0
    for start in starts:
        pieces.append(body[end:start])
        length += start - end
        slots.append(length)
        end = start + TOKEN_LENGTH
    pieces.append(body[end:])
    rest = b"".join(pieces)
    return None if len(found) != count or _tells(rest + b"\n" + beside, {secret, *found}) else (rest, slots)


def fill(body: bytes, slots: Sequence[int], token: bytes) -> bytes:
    """``body`` with ``token`` where others were cut out."""
    ends = [*slots, len(body)]
    return token.join(body[start:end] for start, end in zip([0, *slots], ends, strict=True))


def _tells(text: bytes, tokens: Iterable[bytes]) -> bool:
    """Whether ``text`` has a good part of one of ``tokens``, in any case, backwards, or encoded."""
    lowered = text.lower()
    return any(part in lowered for token in tokens for form in (token, token[::-1]) for part in _parts(form))


def _parts(token: bytes) -> Iterator[bytes]:
    """Parts of ``token`` as it is, in hexadecimal, and in Base64 from wherever its groups of three begin."""
    encoded = [b64encode(b"-" * start + token)[start and 4 :] for start in range(3)]
    for form in (token, token.hex().encode(), *encoded):
        for start in range(0, len(form) - 11, 8):
            yield form[start : start + 8].lower()


def _tokens(body: bytes, secret: bytes) -> Iterator[int]:
    """Where the tokens made of ``secret`` begin."""
    for run in _RUN.finditer(body):
        start, last = run.start(), run.end() - TOKEN_LENGTH
        while start <= last:
            if _is_token(body, start, secret):
                yield start
                start += TOKEN_LENGTH
            else:
                start += 1


def _is_token(body: bytes, start: int, secret: bytes) -> bool:
    for index, letter in enumerate(secret, start):
        shifted = (_PLACE[letter] + _PLACE[body[index]]) % len(_LETTERS)
        if _LETTERS[shifted] != body[index + SECRET_LENGTH]:
            return False
    return True
