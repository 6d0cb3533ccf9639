"""A real origin of a few lines, which answers as a test says and remembers who asked.

with Origin() as origin:
    origin.headers = {"Cache-Control": "s-maxage=60"}
    ...  # origin.port, origin.requests
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import NamedTuple

from test.servers import HOST


class Request(NamedTuple):
    method: str
    target: str
    headers: HTTPMessage


class Origin:
    """Each answer is another: its body is a number.

    ``headers`` may be pairs, where their order counts, or a function of the target.
    """

    def __init__(self) -> None:
        self.headers: Mapping[str, str] | Iterable[tuple[str, str]] | Callable[[str], Mapping[str, str]] = {}
        self.status: int | None = 200  # None: the connection ends without an answer
        self.requests: list[Request] = []
        self._numbers = count(1)

    def __enter__(self) -> Origin:
        self._server = ThreadingHTTPServer((HOST, 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        return self._server.server_port

    def _handler(origin) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                origin.requests.append(Request(self.command, self.path, self.headers))
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if origin.status is None:
                    self.close_connection = True
                    return
                body = b"%d" % next(origin._numbers)
                headers = origin.headers(self.path) if callable(origin.headers) else origin.headers
                pairs = headers.items() if isinstance(headers, Mapping) else headers
                self.send_response(origin.status)
                for name, value in (*pairs, ("Content-Type", "text/html"), ("Content-Length", str(len(body)))):
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def __getattr__(self, name: str):
                if name.startswith("do_"):
                    return self.answer
                raise AttributeError(name)

            def log_message(self, *args: object) -> None:
                pass

        return Handler
