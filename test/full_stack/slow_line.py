"""A line between a cache and its origin that holds back the answers until it is told to let them pass."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer

from test.servers import HOST


class SlowLine:
    """Bytes that go to the origin pass at once; those that come back wait while ``hold()`` is in force."""

    def __init__(self, origin: int) -> None:
        self._free = threading.Event()
        self._free.set()
        #: set as soon as an answer is held back
        self.held = threading.Event()
        #: how many requests have come along
        self.requests = 0
        line = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError), socket.create_connection((HOST, origin)) as far:
                    back = threading.Thread(target=line._pass_on, args=(far, self.request, True))
                    back.start()
                    line._pass_on(self.request, far, False)
                    back.join()

        self._server = ThreadingTCPServer((HOST, 0), Handler)
        self._server.daemon_threads = True

    def __enter__(self) -> SlowLine:
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        port: int = self._server.server_address[1]
        return port

    def hold(self) -> None:
        self.held.clear()
        self._free.clear()

    def release(self) -> None:
        self._free.set()

    def _pass_on(self, one: socket.socket, other: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while data := one.recv(65_536):
                if not is_answer and data.startswith((b"GET ", b"HEAD ")):
                    self.requests += 1
                if is_answer and not self._free.is_set():
                    self.held.set()
                    self._free.wait()
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
