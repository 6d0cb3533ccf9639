"""Requests to a cache: one connection that is kept alive, always with a time-out, and no redirect is followed.

``http.client`` sends a target as it is; other libraries rewrite some. Where it connects to is what the settings say and
nothing else: no part of it is ever made from a URL that is purged.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection, RemoteDisconnected
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from dumper.rules.headers import is_token
from dumper.rules.targets import is_host
from dumper.upstreams.base import UpstreamError
from dumper.upstreams.options import Misconfigured

#: Bytes of an answer that are read; purges are answered with little.
MOST_BYTES = 65_536

OWN_FIELDS = ("host", "content-length", "transfer-encoding", "connection")


class Answer(NamedTuple):
    status: int
    #: names in lower case
    headers: Mapping[str, str]
    body: bytes


class Client:
    """Speaks HTTP/1.1 to the address of ``location``, for one thread at a time."""

    def __init__(self, location: str, timeout: float, headers: Mapping[str, str]) -> None:
        """Raises Misconfigured for what is no http or https URL with a host and no more than a path."""
        self.location = location
        self._headers = dict(headers)
        self._timeout = timeout
        self._path, self._connect = _connector(location, timeout)
        self._connection: HTTPConnection | None = None
        for name, value in self._headers.items():
            if not is_token(name) or not (value.isascii() and value.isprintable()):
                raise Misconfigured(f"has a header field that cannot be sent: {name!r}")
            if name.lower() in OWN_FIELDS:
                raise Misconfigured(f"has a header field in HEADERS that is set for each request: {name!r}")

    def send(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """One request below the path of the location. Raises UpstreamError where there is no answer."""
        is_new = self._connection is None
        try:
            return self._send(method, target, headers or {}, body)
        except (RemoteDisconnected, ConnectionError) as error:
            self.close()
            if is_new:
                raise UpstreamError(f"{self.location}: {_named(error)}") from error
        except (OSError, HTTPException, ValueError) as error:
            self.close()
            raise UpstreamError(f"{self.location}: {_named(error)}") from error
        # It has closed the connection while nothing was asked; a purge may be done twice.
        return self.send(method, target, headers, body)

    def _send(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        connection = self._connection = self._connection or self._connect()
        if connection.sock is None:
            connection.connect()
        _begin(connection.sock, self._timeout)
        connection.request(method, self._path + target, body, {**self._headers, **headers})
        with connection.getresponse() as response:
            content = response.read(MOST_BYTES)
            if response.will_close or not response.isclosed():
                self.close()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, fields, content)

    def close(self) -> None:
        if self._connection:
            with suppress(OSError):
                self._connection.close()
            self._connection = None


def _connector(location: str, timeout: float) -> tuple[str, Callable[[], HTTPConnection]]:
    """The path of ``location``, and what connects to its host. Raises Misconfigured."""
    shown = location.rpartition("@")[2]  # before it may be a password
    wrong = Misconfigured(f"has a LOCATION that is no URL such as http://127.0.0.1:6082: {shown!r}")
    if not (location.isascii() and location.isprintable()) or " " in location:
        raise wrong  # urlsplit() would drop some of it in silence
    try:
        parts = urlsplit(location)
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https") or not is_host(parts.netloc) or parts.query or parts.fragment:
        raise wrong
    host = str(parts.hostname)
    if parts.scheme == "http":
        return parts.path.rstrip("/"), lambda: _Connection(host, port, timeout=timeout)
    context = ssl.create_default_context()
    context.sslsocket_class = _TlsSocket
    return parts.path.rstrip("/"), lambda: HTTPSConnection(host, port, timeout=timeout, context=context)


class _Deadline:
    """A socket's time-out is that of one read; this one's is that of all, however small the pieces come."""

    deadline = float("inf")

    def recv_into(self: Any, *args: Any) -> int:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self.settimeout(left)
        return int(super().recv_into(*args))  # type: ignore[misc]


class _Socket(_Deadline, socket.socket):
    pass


class _TlsSocket(_Deadline, ssl.SSLSocket):
    pass


class _Connection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        self.sock = _Socket(fileno=self.sock.detach())


def _begin(sock: Any, seconds: float) -> None:
    """A request is sent on ``sock``, and its answer read, in that time."""
    sock.settimeout(seconds)
    sock.deadline = time.monotonic() + seconds


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
