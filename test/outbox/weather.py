"""A cache in front that is told by PURGE, and is as reliable as the weather: a real HTTP server that keeps account."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: what may become of a PURGE: (what, how often in bad weather)
FAULTS = {
    "refused": 0.10,  # 503
    "hung": 0.02,  # no answer before the time-out, and nothing is done
    "dropped": 0.05,  # the connection is closed, and nothing is done
    "lost": 0.08,  # it is done, but the acknowledgement gets lost
    "late": 0.02,  # it is done, but acknowledged only after the time-out
}
LONG = 0.4  # seconds; longer than the time-out


class Weather(ThreadingHTTPServer):
    """``purged``: when each path was purged last; ``calls``: all that was asked; ``mood``: what becomes of each PURGE,
    by its number, or one thing for all; None leaves that to chance."""

    daemon_threads = True
    request_queue_size = 100

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.purged: dict[str, float] = {}
        self.counts: Counter[str] = Counter()
        self.calls: list[str] = []
        self.mood: str | Callable[[int], str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Weather:
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()

    def forecast(self) -> str:
        """What becomes of the next PURGE."""
        if isinstance(self.mood, str):
            return self.mood
        if self.mood:
            return self.mood(len(self.calls))
        weights = list(FAULTS.values())
        return random.choices([*FAULTS, "done"], [*weights, 1 - sum(weights)])[0]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed, or has given up."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Weather

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_PURGE(self) -> None:
        self.server.calls.append(self.path)
        what = self.server.forecast()
        self.server.counts[what] += 1
        if what in ("hung", "late"):
            time.sleep(LONG)
        if what in ("done", "lost", "late"):
            self.server.purged[self.path] = time.time()
        if what in ("hung", "dropped", "lost"):
            self.close_connection = True
            return
        self.send_response(503 if what == "refused" else random.choice([200, 204, 404]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        return
