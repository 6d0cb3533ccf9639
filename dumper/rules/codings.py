"""Content codings (RFC 9110 §8.4): a page is compressed once, when it is stored, and never when it is served."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Collection, Sequence
from importlib import import_module
from typing import Any

from dumper.rules.headers import IDENTITY, qualities

#: Below this many bytes a compressed page is no smaller on the wire.
LEAST = 200
#: What compresses well, besides text/*. Pictures, films and archives are compressed already.
_TEXTS = ("json", "javascript", "xml", "x-ndjson", "wasm", "csv", "font-ttf", "vnd.ms-fontobject")


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=6, mtime=0)


def _brotli() -> Callable[[bytes], bytes]:
    compress = import_module("brotli").compress
    return lambda body: bytes(compress(body, quality=5))


def _zstd() -> Callable[[bytes], bytes]:
    try:
        compress: Any = import_module("compression.zstd").compress  # Python 3.14
    except ImportError:
        compressor = import_module("zstandard").ZstdCompressor
        return lambda body: bytes(compressor(level=9).compress(body))
    return lambda body: bytes(compress(body, 9))


def _installed() -> dict[str, Callable[[bytes], bytes]]:
    found: dict[str, Callable[[bytes], bytes]] = {"gzip": _gzip}
    for coding, load in {"br": _brotli, "zstd": _zstd}.items():
        try:
            found[coding] = load()
        except ImportError:
            continue
    return found


#: what compresses into each coding that can be made here
COMPRESSORS = _installed()


def encoded(body: bytes, content_type: str, codings: Sequence[str]) -> dict[str, bytes]:
    """``body`` as it is, and in each of ``codings`` that can be made here in which it is smaller."""
    bodies = {IDENTITY: body}
    if len(body) >= LEAST and is_text(content_type):
        for coding in filter(COMPRESSORS.__contains__, codings):
            compressed = COMPRESSORS[coding](body)
            if len(compressed) < len(body):
                bodies[coding] = compressed
    return bodies


def is_text(content_type: str) -> bool:
    """Whether content of this media type is worth compressing."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type.startswith("text/") or media_type.rpartition("/")[2].rpartition("+")[2] in _TEXTS


def decoded(body: bytes, coding: str, limit: int) -> bytes | None:
    """What was compressed with gzip; None for another coding, what is damaged, or is larger than ``limit`` bytes."""
    if coding.strip().lower() not in ("gzip", "x-gzip"):
        return None
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, limit + 1)
    except zlib.error:
        return None
    is_all = unpacker.eof and not unpacker.unused_data and len(plain) <= limit
    return plain if is_all else None


def best(accept_encoding: str | None, bodies: Collection[str]) -> str:
    """The coding in which to serve one of ``bodies`` (RFC 9110 §12.5.3): of those liked best the one stored first.

    Where nothing that is stored is accepted, it is served as it is: that is allowed, and helps more than an error.
    """
    if not accept_encoding or len(bodies) == 1:
        return IDENTITY
    accepted = qualities(accept_encoding)
    others = accepted.get("*", 0.0)
    found, most = IDENTITY, 0.0
    for coding in bodies:
        names = ("gzip", "x-gzip") if coding == "gzip" else (coding,)
        quality = next((accepted[name] for name in names if name in accepted), others)
        if coding != IDENTITY and quality > most:
            found, most = coding, quality
    return found if most >= accepted.get(IDENTITY, 0.0) else IDENTITY


def weakened(etag: str) -> str:
    """``etag`` for a body that is encoded, which shares no strong one with another (RFC 9110 §8.8.3.3)."""
    return etag if etag.startswith("W/") else "W/" + etag
