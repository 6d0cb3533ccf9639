"""Messages of a Redis server (RESP3), read from whatever pieces of them have arrived.

Only what can come over a connection that tracks changes; anything else is garbage, since what is not understood may
have told of a change.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

NEWLINE = b"\r\n"
_LENGTH = re.compile(rb"0|[1-9][0-9]{0,9}")
_INTEGER = re.compile(rb"[+-]?[0-9]{1,19}")


class Garbage(Exception):
    """What has arrived is no message of a Redis server."""


class Message(NamedTuple):
    """``kind`` is the first byte of its type: ">" a push, "+" a reply, "-" an error, and so on.

    A value is bytes, an int, None or a list of values.
    """

    kind: bytes
    value: Any


class Reader:
    """Takes pieces, gives messages; the values of an array are read once, however many pieces it comes in."""

    def __init__(self) -> None:
        self._rest = b""
        #: the arrays that are not complete yet, from the outermost: each with its type and how many values it takes
        self._open: list[tuple[bytes, int, list[Any]]] = []

    def read(self, piece: bytes) -> list[Message]:
        """The messages that are complete with ``piece``. Raises Garbage."""
        data = self._rest + piece
        messages: list[Message] = []
        at = 0
        while (end := data.find(NEWLINE, at)) >= 0:
            kind, line = data[at : at + 1], data[at + 1 : end]
            after = end + 2
            if kind == b"$" and line != b"-1":
                start, after = after, after + _length(line) + 2
                if len(data) < after:
                    break
                if data[after - 2 : after] != NEWLINE:
                    raise Garbage(f"a string that is longer than {_shown(line)}")
                self._add(messages, kind, data[start : after - 2])
            elif kind in (b"*", b">") and line != b"-1":
                if kind == b">" and self._open:
                    raise Garbage("a push inside of another message")
                self._open.append((kind, _length(line), []))
                self._close(messages)
            else:
                self._add(messages, kind, _simple(kind, line))
            at = after
        self._rest = data[at:]
        return messages

    def _add(self, messages: list[Message], kind: bytes, value: Any) -> None:
        if self._open:
            self._open[-1][2].append(value)
            self._close(messages)
        else:
            messages.append(Message(kind, value))

    def _close(self, messages: list[Message]) -> None:
        """Take the arrays that are complete to where they belong."""
        while self._open and len(self._open[-1][2]) == self._open[-1][1]:
            kind, _, values = self._open.pop()
            if self._open:
                self._open[-1][2].append(values)
            else:
                messages.append(Message(kind, values))


def _simple(kind: bytes, line: bytes) -> bytes | int | None:
    """The value of a message that is a line."""
    if kind in (b"+", b"-"):
        return line
    if kind == b":" and _INTEGER.fullmatch(line):
        return int(line)
    if (kind == b"_" and not line) or (kind in (b"$", b"*") and line == b"-1"):
        return None
    raise Garbage(f"a message that begins with {_shown(kind + line)}")


def _length(line: bytes) -> int:
    if not _LENGTH.fullmatch(line):
        raise Garbage(f"a length of {_shown(line)}")
    return int(line)


def _shown(line: bytes) -> str:
    return repr(line[:40])
