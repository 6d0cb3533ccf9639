"""However an alias reaches its server, a feed does too."""

import socket
import subprocess

import pytest
import redis

from test.near.feeds import Watched
from test.servers import HOST, RedisServer, program

pytestmark = pytest.mark.slow


class GuardedServer(RedisServer):
    """Takes a password, over TCP, TLS and a Unix socket."""

    def command(self):
        self.certificate = self.directory / "certificate"
        self.unix = self.directory / "socket"
        subprocess.run(
            [
                *(program("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-batch"),
                *("-keyout", self.directory / "key", "-out", self.certificate),
                *("-subj", "/CN=localhost", "-addext", f"subjectAltName=IP:{HOST}"),
            ],
            check=True,
            capture_output=True,
        )
        return (
            *(*super().command(), "--requirepass", "secret", "--unixsocket", str(self.unix)),
            *("--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"),
            *("--tls-cert-file", str(self.certificate), "--tls-key-file", str(self.directory / "key")),
        )

    def answers(self):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.unix))
            connection.sendall(b"PING\r\n")
            return connection.recv(100).startswith(b"-NOAUTH")


@pytest.fixture(scope="module")
def guarded():
    with GuardedServer() as server:
        yield server


@pytest.fixture
def client(guarded):
    with redis.Redis(unix_socket_path=str(guarded.unix), password="secret", db=3) as client:
        yield client


def tls(server):
    return {"kind": redis.SSLConnection, "port": server.port, "ssl_ca_certs": str(server.certificate)}


def unix(server):
    return {"kind": redis.UnixDomainSocketConnection, "path": str(server.unix)}


@pytest.mark.parametrize("options", [tls, unix])
def test_it_hears_of_changes(guarded, client, options):
    with Watched(**options(guarded), password="secret", db=3) as feed:
        client.set("p:a", 1)
        feed.hears(b"p:a")
        names = {f"p:{number:0200}": 1 for number in range(10_000)}
        client.mset(names)
        feed.hears(*map(str.encode, names))
        client.client_kill_filter(_type="pubsub")
        feed.loses_all()
        feed.comes_back()


@pytest.mark.parametrize("encoded", [{"decode_responses": True}, {"client_name": "site"}, {"health_check_interval": 1}])
def test_options_of_an_alias_do_not_matter(redis_server, encoded):
    with Watched(redis_server.port, **encoded) as feed, redis.Redis(port=redis_server.port) as client:
        client.set("p:\u00e4", 1)
        feed.hears("p:\u00e4".encode())
        (found,) = client.client_list(_type="pubsub")
        assert found["name"].startswith("dumper-feed-")
