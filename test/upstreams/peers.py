"""Servers that speak just enough HTTP, and do to each request what a test says.

with Peer(answer(503), DROP) as peer:  # then 200 to whatever comes
    ...  # peer.url, peer.requests
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from test.servers import HOST


@dataclass(frozen=True)
class Asked:
    """A request as it came: names of fields in lower case, all their values; on which connection."""

    method: str
    target: str
    fields: list[tuple[str, str]]
    body: bytes
    connection: int

    def __getitem__(self, name: str) -> str:
        """The only value of a field."""
        [value] = [value for known, value in self.fields if known == name]
        return value


@dataclass(frozen=True)
class Reply:
    data: bytes = b""
    closes: bool = False
    hangs: bool = False


def answer(status=200, body=b"", *, closes=False, **fields) -> Reply:
    """An underscore in the name of a field stands for a hyphen; ``closes`` says nothing beforehand."""
    fields = {"Content-Length": len(body), **{name.replace("_", "-"): value for name, value in fields.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
    return Reply(f"HTTP/1.1 {status} Reason\r\n{head}\r\n".encode("latin-1") + body, closes=closes)


OK = answer()
DROP = Reply(closes=True)
HANG = Reply(hangs=True)


class Peer:
    """Listens at ``url`` while it is entered; the last reply is given to all further requests."""

    def __init__(self, *replies: Reply, then: Reply = OK) -> None:
        self.requests: list[Asked] = []
        self.connections = 0
        self._replies = list(replies)
        self._then = then
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []

    def __enter__(self):
        self._listening = socket.create_server((HOST, 0))
        self.port = self._listening.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._closing.set()
        for open in [self._listening, *self._open]:
            with suppress(OSError):
                open.shutdown(socket.SHUT_RDWR)
            open.close()
        for thread in self._threads:
            thread.join()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def targets(self) -> list[str]:
        return [asked.target for asked in self.requests]

    def then(self, reply: Reply) -> None:
        """What is answered from now on."""
        self._replies.clear()
        self._then = reply

    def wake(self) -> None:
        """Drop what hangs."""
        self._closing.set()

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                self._open.append(connection)
                self._start(self._serve, connection, self.connections)

    def _serve(self, connection: socket.socket, number: int) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as file:
            while asked := read(file, number):
                self.requests.append(asked)
                reply = self._replies.pop(0) if self._replies else self._then
                if reply.hangs:
                    self._closing.wait()
                    return
                connection.sendall(reply.data)
                if reply.closes:
                    connection.shutdown(socket.SHUT_RDWR)
                    return


def read(file, number: int) -> Asked | None:
    """The next request; None if there is none."""
    if not (line := file.readline()):
        return None
    method, target, _ = line.decode("latin-1").split(" ")
    fields = []
    while line := file.readline().decode("latin-1").rstrip("\r\n"):
        name, _, value = line.partition(":")
        fields.append((name.lower(), value.strip()))
    length = int(dict(fields).get("content-length", 0))
    return Asked(method, target, fields, file.read(length), number)
