"""What all the fakes have in common: pages, a log of calls, an HTTP server, and faults on demand."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from test.cdns.clock import Clock
from test.servers import HOST

Kind = int | str
KINDS: frozenset[Kind] = frozenset({429, 500, 503, "timeout", "drop", "lost", "garbage"})


class Url(NamedTuple):
    host: str
    path: str
    query: str = ""  # with its question mark: "/a?" is another URL than "/a"

    @property
    def target(self) -> str:
        return self.path + self.query


def url_of(host: str, target: str) -> Url:
    path, mark, query = target.partition("?")
    return Url(host.lower(), path, mark + query)


def parse_url(url: str) -> Url | None:
    """Scheme and host as the vendors want them, the target verbatim; None where it is no URL of a page."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.fragment or not parts.path.startswith("/"):
        return None
    return url_of(parts.netloc, url.split(parts.netloc, 1)[1])


@dataclass(eq=False)
class Page:
    tags: frozenset[str]
    body: bytes
    stale: bool = False  # after a soft purge: served only while it is fetched anew


@dataclass(frozen=True)
class Call:
    """What a client has asked for."""

    method: str
    target: str
    headers: Message
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(self.target.partition("?")[2], keep_blank_values=True)

    def json(self) -> Any:
        """The body, or None if it is no JSON or not said to be."""
        if self.headers.get_content_type() != "application/json":
            return None
        with suppress(ValueError):
            return json.loads(self.body)
        return None


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(status: int, content: Any, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json", **(headers or {})})


class Cdn:
    """A CDN and its API, at ``url`` while it is entered."""

    #: The response header field that names a page's tags, and the faults that can be asked for.
    tag_header = ""
    kinds = KINDS

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.calls: list[Call] = []
        self._pages: dict[Url, Page] = {}
        self._faults: deque[Kind] = deque()
        self._lock = threading.RLock()
        self._closing = threading.Event()

    # What each vendor has of its own:

    def tags(self, value: str) -> frozenset[str]:
        """The tags of a page whose response had this value in the field ``tag_header``."""
        raise NotImplementedError

    def answer(self, call: Call) -> Answer:
        """Do as the call says, or refuse to."""
        raise NotImplementedError

    def refuse(self, status: int) -> Answer:
        """An answer to any call, in the vendor's form, that says 429, 500 or 503."""
        raise NotImplementedError

    # What a test does with it:

    def keep(self, host: str, target: str, tags: str = "", body: bytes = b"") -> None:
        with self._lock:
            self._pages[url_of(host, target)] = Page(self.tags(tags), body)

    def page(self, host: str, target: str) -> Page | None:
        with self._lock:
            return self._pages.get(url_of(host, target))

    def holds(self, host: str, target: str) -> bool:
        """Whether a visitor is served what was kept, as if it were fresh."""
        page = self.page(host, target)
        return page is not None and not page.stale

    def fail_next(self, kind: Kind, times: int = 1) -> None:
        """Fail the next calls: with a status; or (timeout) never answer, (drop) hang up without having done anything,
        (lost) hang up when it is done, (garbage) answer 200 as a proxy on the way may, with nothing done."""
        if kind not in self.kinds:
            raise ValueError(f"{type(self).__name__} knows no fault {kind!r}")
        with self._lock:
            self._faults.extend([kind] * times)

    def __enter__(self):
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()
        if self._server.crashes and not any(exc_info):
            raise RuntimeError(f"{type(self).__name__} has crashed") from self._server.crashes[0]

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._server.server_port}"

    # What the vendors' parts use:

    def drop(self, condemned: Callable[[Url, Page], bool]) -> None:
        for url, page in list(self._pages.items()):
            if condemned(url, page):
                del self._pages[url]

    def handle(self, call: Call) -> Answer | None:
        """The answer; None is to hang up."""
        with self._lock:
            self.calls.append(call)
            fault = self._faults.popleft() if self._faults else None
            if fault is None or fault == "lost":
                answer = self.answer(call)
                return answer if fault is None else None
            if fault not in ("timeout", "drop"):
                return self.fault(fault)
        if fault == "timeout":
            self._closing.wait()
        return None

    def fault(self, kind: Kind) -> Answer:
        if isinstance(kind, int):
            return self.refuse(kind)
        return Answer(200, b"<html>Please log in to the network</html>", {"Content-Type": "text/html"})


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # server_close() waits for them

    def __init__(self, cdn: Cdn) -> None:
        self.cdn = cdn
        self.crashes: list[BaseException] = []
        self._open: set[socket.socket] = set()
        super().__init__((HOST, 0), _Handler)

    def process_request(self, request, client_address) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the connections that are kept alive."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request, client_address) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, ConnectionError):  # a client may hang up
            self.crashes.append(error)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet
    disable_nagle_algorithm = True

    def serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.server.cdn.handle(Call(self.command, self.path, self.headers, body))
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PURGE = serve

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: ``calls`` has it all."""
