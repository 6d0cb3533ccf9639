"""The frame around all that goes into a store: what it is, in which version, and whether it is whole. Never pickle.

Four letters, a version, the length and the CRC-32 of a head in JSON: 13 bytes, big-endian. Then the head, then bodies,
of which the head knows the lengths and checksums: whoever needs one of them need not check the others.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any
from zlib import crc32

VERSION = 3
_FRAME = struct.Struct(">4sBII")
#: how many bytes at the beginning tell one frame from another
IDENTITY = _FRAME.size


def framed(magic: bytes, head: Sequence[Any], *bodies: bytes) -> bytes:
    """``head`` and ``bodies`` in a frame. Raises TypeError, ValueError or RecursionError where JSON cannot hold it."""
    encoded = json.dumps(head, separators=(",", ":"), default=_plain).encode()
    return b"".join((_FRAME.pack(magic, VERSION, len(encoded), crc32(encoded)), encoded, *bodies))


def identity_of(data: object) -> bytes | None:
    """What tells the frame ``data`` from another under the same key; None for what is none."""
    return data[:IDENTITY] if isinstance(data, bytes) else None


def unframed(magic: bytes, data: object) -> tuple[Any, memoryview] | None:
    """The head, and the bytes after it; None where ``data`` is damaged, foreign, or of another version."""
    if not isinstance(data, bytes) or len(data) < _FRAME.size:
        return None
    found, version, length, checksum = _FRAME.unpack_from(data)
    content = memoryview(data)[_FRAME.size :]
    head = content[:length]
    if (found, version, len(head), checksum) != (magic, VERSION, length, crc32(head)):
        return None
    try:
        return json.loads(bytes(head)), content[length:]
    except (ValueError, RecursionError):
        return None


def _plain(value: object) -> object:
    """``value``, which JSON does not know, as something that it does."""
    return list(value) if isinstance(value, (set, frozenset)) else str(value)
