"""A network between a client and a server that can be slow, silent, cut and wrong."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

from test.servers import HOST


class Proxy:
    """``with Proxy(server.port) as proxy``: whoever connects to ``proxy.port`` speaks to the server."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        #: seconds that each answer waits; its bytes that are passed on at a time
        self.delay = 0.0
        self.piece = 65_536
        #: it takes all and passes on nothing: as a network does that has lost the way
        self.is_silent = False
        #: all that clients have said
        self.said = bytearray()
        self.clients: list[socket.socket] = []
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Proxy:
        self._start(self._accept)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.refuse()
        self.cut()
        for thread in self._threads:
            thread.join()

    def refuse(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def cut(self) -> None:
        """Close all connections."""
        for connected in self._sockets:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
            connected.close()
        self._sockets.clear()
        self.clients.clear()

    def inject(self, data: bytes) -> None:
        """Say ``data`` to all clients."""
        for client in self.clients:
            client.sendall(data)

    def _start(self, work, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server = socket.create_connection((HOST, self._target))
                self._sockets += [client, server]
                self.clients.append(client)
                self._start(self._ask, client, server)
                self._start(self._answer, server, client)

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                self.said += data
                if not self.is_silent:
                    server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                time.sleep(self.delay)
                while data and not self.is_silent:
                    client.sendall(data[: self.piece])
                    data = data[self.piece :]
            client.shutdown(socket.SHUT_WR)
