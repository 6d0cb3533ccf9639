"""Requests, responses, and the bytes of a stored response."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from dumper.rules.tags import SITE, Tag, path_tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a request asks for."""

    method: str
    scheme: str
    #: validated by Django; None where it is not allowed
    host: str | None
    #: decoded, with the script prefix / without it
    path: str
    path_info: str
    query: str
    #: "" where Django has no translations / no time zones
    language: str
    time_zone: str
    #: whether Django's LocaleMiddleware has chosen the language already
    language_negotiated: bool = False
    #: header fields by their CGI names (RFC 3875 §4.1.18)
    environ: Mapping[str, Any]

    @property
    def tags(self) -> tuple[Tag, ...]:
        """What any response to this request depends on: its path, by both of its names, and the site."""
        if self.path == self.path_info:
            return path_tag(self.path_info), SITE
        return path_tag(self.path_info), path_tag(self.path), SITE


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a view answered, after every middleware has had its turn."""

    status: int
    reason: str
    headers: Mapping[str, str]
    #: None where it is not complete: streaming, or a template that is not rendered
    body: bytes | None
    sets_cookie: bool
    #: what was asked for that is one visitor's own, in words
    personal: str | None = None
    language: str
    time_zone: str
    #: what a decorator has left on it for a middleware that comes later
    marks: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """A response and the generations it was rendered under. Times are seconds since the epoch."""

    fingerprint: str
    generations: dict[Tag, str]
    stored_at: float
    expires_at: float | None
    status: int
    reason: str
    headers: Sequence[tuple[str, str]]
    marks: Mapping[str, Any]
    body: bytes

    def pack(self) -> bytes:
        """The bytes that go into a store: a header of fixed size, JSON, the body. Never pickle.

        ``DMPR``, a version, the CRC-32 of all that follows, the length of the JSON: 13 bytes, big-endian.
        """
        head = json.dumps([getattr(self, name) for name in _HEAD], separators=(",", ":"), default=_plain).encode()
        length = _LENGTH.pack(len(head))
        checksum = crc32(self.body, crc32(head, crc32(length)))
        return _FRAME.pack(_MAGIC, _VERSION, checksum) + length + head + self.body

    @classmethod
    def unpack(cls, data: object, fingerprint: str) -> StoredResponse | None:
        """The response in ``data``; None where it is damaged, foreign, from the future, or another key's."""
        if not isinstance(data, bytes) or len(data) < _START:
            return None
        magic, version, checksum = _FRAME.unpack_from(data)
        if (magic, version) != (_MAGIC, _VERSION) or crc32(memoryview(data)[_FRAME.size :]) != checksum:
            return None
        body = _START + _LENGTH.unpack_from(data, _FRAME.size)[0]
        try:
            head = dict(zip(_HEAD, json.loads(data[_START:body]), strict=True))
        except (ValueError, TypeError, RecursionError):
            return None
        return cls(**head, body=data[body:]) if head["fingerprint"] == fingerprint else None


_MAGIC, _VERSION = b"DMPR", 1
_FRAME, _LENGTH = struct.Struct(">4sBI"), struct.Struct(">I")
_START = _FRAME.size + _LENGTH.size
_HEAD = ("fingerprint", "generations", "stored_at", "expires_at", "status", "reason", "headers", "marks")


def _plain(value: object) -> object:
    """``value``, which JSON does not know, as something that it does."""
    return list(value) if isinstance(value, (set, frozenset)) else str(value)
