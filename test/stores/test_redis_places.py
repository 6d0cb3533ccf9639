"""RedisStore reaches its server in every way that an alias may say, sync and async."""

import subprocess

import pytest
import redis

from dumper.rules.frames import IDENTITY
from dumper.stores.base import Proof
from test.servers import RedisServer, program
from test.stores.backends import DJANGO_REDIS, OWN_REDIS
from test.stores.helpers import PAGE, PATH, on_loop, one_loop, put
from test.stores.test_redis_wire import DATA, store_on

pytestmark = pytest.mark.slow


class Guarded(RedisServer):
    """With a password, behind TLS, and on a socket in the file system."""

    def command(self):
        certificate, secret = str(self.directory / "crt"), str(self.directory / "key")
        request = [program("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
        files = ["-keyout", secret, "-out", certificate]
        subprocess.run([*request, *names, *files], check=True, capture_output=True)
        tls = ["--tls-port", str(self.port), "--tls-auth-clients", "no"]
        tls += ["--tls-cert-file", certificate, "--tls-key-file", secret, "--tls-ca-cert-file", certificate]
        place = ["--requirepass", "secret", "--unixsocket", str(self.directory / "socket")]
        return [*super().command(), "--port", "0", *tls, *place]

    def answers(self):
        return (self.directory / "socket").exists()


@pytest.fixture(scope="module")
def guarded():
    with Guarded() as server:
        yield server


PLACES = {
    "TLS": "rediss://:secret@{0.address}/2?ssl_ca_certs={0.directory}/crt",
    "a socket": "unix://:secret@{0.directory}/socket?db=2",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("backend", [OWN_REDIS, DJANGO_REDIS])
def test_a_server_may_be_reached_in_any_way_that_the_alias_says(guarded, place, protocol, backend):
    options = {"CONNECTION_POOL_KWARGS": {"protocol": protocol}} if backend == DJANGO_REDIS else {"protocol": protocol}
    with store_on(place.format(guarded), BACKEND=backend, OPTIONS=options) as store, one_loop() as run:
        for each in (store, on_loop(store, run)):
            leases = put(each, DATA)
            assert each.confirm(Proof(leases, {PAGE: DATA[:IDENTITY]}))
            each.release([PATH], "none")
        assert store.wire._async


class Special(redis.Connection):
    pass


def greet(connection):
    connection.on_connect()


THREADED = {"class": {"connection_class": Special}, "option": {"redis_connect_func": greet}}


@pytest.mark.parametrize("options", THREADED.values(), ids=THREADED)
def test_what_async_connections_do_not_know_is_done_in_a_thread(redis_server, options):
    redis_server.flush()
    with store_on(redis_server.url, OPTIONS=options) as store, one_loop() as run:
        put(store)
        assert on_loop(store, run).read(PAGE, ()).data == b"page"
        assert store.wire._async is None
