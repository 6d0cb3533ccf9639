"""One connection to a Redis server that tracks changes: what has arrived is passed on, and proofs are asked for.

That nothing is on its way is proven by the clock. The server answers in order: once a PING is answered, all that it had
told before the PING was sent has been read as well.
"""

from __future__ import annotations

import os
import select
import ssl
from collections.abc import Callable, Collection
from time import monotonic
from typing import Any, cast

import redis

from dumper.near.resp import Garbage, Message, Reader

#: Told the names of what has changed; None means that anything may have.
Forget = Callable[[Collection[bytes] | None], None]

#: Bytes taken from the socket at a time, and how often at most for one question.
PIECE = 65_536
MOST_PIECES = 4
PING = b"PING\r\n"
#: A server lets the output for a client pile up without end, unless the client subscribes to a channel.
CHANNEL = "dumper-feed"
NOTHING_THERE = (BlockingIOError, ssl.SSLWantReadError)


class Lost(Exception):
    """The connection is of no more use."""


class Refused(Exception):
    """The server does not tell of changes, or not to this user."""


class Link:
    """One connection, from the moment that it tracks changes until it is lost.

    Its methods raise OSError, Lost, Garbage or Refused when it is.
    """

    def __init__(self, connection: redis.Connection, prefix: bytes, bound: float, forget: Forget) -> None:
        """Ask ``connection`` to track, without waiting for its answer."""
        self._connection = cast(Any, connection)
        self._bound = bound
        self._forget = forget
        self._reader = Reader()
        commands: list[tuple[bytes | str, ...]] = [
            ("CLIENT", "SETNAME", f"dumper-feed-{os.getpid()}"),
            ("SUBSCRIBE", CHANNEL),  # answered with a push
            ("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", prefix),
            ("PING",),
        ]
        #: the replies that are on their way; when the PING among them was sent; when the last that is answered was
        self._awaited = [b"OK", b"OK", b"PONG"]
        self._asked_at = monotonic()
        self._proven_at = float("-inf")
        self._connection.send_packed_command(self._connection.pack_commands(commands), check_health=False)
        self._socket = self._connection._sock
        self._socket.setblocking(False)
        self._receive = self._socket.recv
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        #: whether something has arrived: to ask for it takes longer where there is nothing
        self._poll = waiting.poll
        self._is_dry = False

    def is_current(self) -> bool:
        if not self._drained():
            return False
        now = monotonic()
        age = now - self._proven_at
        if age * 4 > self._bound:
            self._prove(now)
        return age <= self._bound

    def close(self) -> None:
        """In a child of the process that made it, the connection of the parent stays open."""
        self._connection.disconnect()

    def _drained(self) -> bool:
        """Pass on what has arrived; whether that was all."""
        if self._is_dry and not self._poll(0):
            return True
        self._is_dry = False
        for _ in range(MOST_PIECES):
            try:
                piece = self._receive(PIECE)
            except NOTHING_THERE:
                self._is_dry = True
                return True
            if not piece:
                raise Lost("closed by the server")
            self._pass_on(self._reader.read(piece))
        return False

    def _pass_on(self, messages: list[Message]) -> None:
        names: list[bytes] = []
        is_known = True
        is_proof = False
        for kind, value in messages:
            if kind == b">":
                if value[:1] == [b"invalidate"]:
                    found = _invalidated(value)
                    is_known = is_known and found is not None
                    names += found or ()
            else:
                is_proof = self._reply(kind, value) or is_proof
        is_first = is_proof and self._proven_at < 0
        if is_first or not is_known:
            self._forget(None)
        elif names:
            self._forget(names)
        if is_proof:
            self._proven_at = self._asked_at

    def _reply(self, kind: bytes, value: Any) -> bool:
        """Whether it answers a PING."""
        if kind == b"-":
            text = value.decode(errors="replace")
            raise (Refused if value.startswith((b"ERR ", b"NOPERM ")) else Lost)(text)
        if kind != b"+" or not self._awaited or value != self._awaited.pop(0):
            raise Garbage(f"a reply that nobody waits for: {value!r:.40}")
        return not self._awaited

    def _prove(self, now: float) -> None:
        """Have a PING on its way."""
        if not self._awaited:
            self._awaited.append(b"PONG")
            self._asked_at = now
            if self._socket.send(PING) < len(PING):
                raise Lost("the server takes no more")
        elif now - self._asked_at > self._bound:
            raise Lost(f"no answer for {self._bound} seconds")


def _invalidated(push: list[Any]) -> list[bytes] | None:
    """The names in an invalidation; None where it is everything."""
    if len(push) == 2:
        names = push[1]
        if names is None or (isinstance(names, list) and all(isinstance(name, bytes) for name in names)):
            return names
    raise Garbage("an invalidation of another form")
