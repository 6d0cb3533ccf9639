"""An answer has a deadline as a whole, however small the pieces are in which it comes."""

import socket
import threading
import time
from contextlib import suppress

import pytest

from dumper.upstreams.base import UpstreamError
from dumper.upstreams.client import Client
from test.servers import HOST

PIECES = {
    "interim answers": [b"HTTP/1.1 100 Continue\r\n\r\n"] * 100,
    "a body": [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *[b"a"] * 100],
    "a header": [b"HTTP/1.1 200 OK\r\n", *[b"X"] * 100],
    "trailers": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", *[b"X: a\r\n"] * 90],
}


@pytest.fixture
def dripping(request):
    """A server that answers with a piece each 50 ms."""
    listening = socket.create_server((HOST, 0))

    def serve():
        with suppress(OSError):
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                for piece in request.param:
                    connection.sendall(piece)
                    time.sleep(0.05)

    thread = threading.Thread(target=serve)
    thread.start()
    with listening:
        yield f"http://{HOST}:{listening.getsockname()[1]}"
    thread.join()


@pytest.mark.parametrize("dripping", PIECES.values(), ids=PIECES, indirect=True)
def test_what_drips_is_given_up_on(dripping):
    client = Client(dripping, 0.4, {})
    began = time.monotonic()
    with pytest.raises(UpstreamError, match=r"(?i)timed? ?out"):
        client.send("PURGE", "/")
    assert time.monotonic() - began < 3
