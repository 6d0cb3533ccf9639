import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path

import psycopg
import pytest

from test import servers
from test.servers import (
    MemcachedServer,
    PostgresServer,
    RedisServer,
    family,
    gunicorn,
    processes,
    uvicorn,
)

ALL = [RedisServer, MemcachedServer, PostgresServer, gunicorn, uvicorn]


def refuses(server) -> bool:
    with socket.socket() as client:
        return client.connect_ex((servers.HOST, server.port)) != 0


@pytest.mark.parametrize("make", ALL)
def test_a_server_answers_until_it_is_stopped_and_leaves_nothing_behind(make):
    with make() as server:
        assert server.answers()
        members = family(server.process.pid)
        assert server.process.pid in processes()
    assert refuses(server)
    assert not members & processes().keys()
    assert not server.directory.exists()


@pytest.mark.parametrize("make", ALL)
def test_a_killed_server_comes_back_on_the_same_port(make):
    with make() as server:
        port, first = server.port, server.process
        members = family(first.pid)
        server.stop(kill=True)
        assert first.returncode == -signal.SIGKILL
        assert refuses(server)
        assert not members & processes().keys()
        server.start()
        assert server.answers()
        assert (server.port, server.process.pid != first.pid) == (port, True)


def test_a_paused_server_is_silent_until_it_is_resumed():
    with RedisServer() as server:
        server.pause()
        with socket.create_connection((servers.HOST, server.port), timeout=0.2) as client:
            client.sendall(b"PING\r\n")
            with pytest.raises(TimeoutError):
                client.recv(16)
            server.resume()
            client.settimeout(5)
            assert client.recv(16) == b"+PONG\r\n"


def test_a_paused_server_can_be_stopped():
    with RedisServer() as server:
        process = server.process
        server.pause()
        server.stop()
        assert process.returncode == 0


def test_flush_empties_redis(redis_server):
    redis_server._ask(b"SET name value\r\n")
    assert redis_server._ask(b"DBSIZE\r\n") != b":0\r\n"
    redis_server.flush()
    assert redis_server._ask(b"DBSIZE\r\n") == b":0\r\n"


def test_flush_empties_memcached(memcached_server):
    memcached_server._ask(b"set name 0 0 5\r\nvalue\r\n")
    assert memcached_server._ask(b"get name\r\n").startswith(b"VALUE name")
    memcached_server.flush()
    assert memcached_server._ask(b"get name\r\n") == b"END\r\n"


def test_postgres_keeps_its_data_over_a_restart():
    with PostgresServer() as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
        server.stop()
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (1,)


def test_postgres_stops_while_a_client_is_connected():
    with PostgresServer() as server:
        client = psycopg.connect(server.url)
        server.stop()
        assert refuses(server)
        client.close()


@pytest.mark.parametrize("serve", [gunicorn, uvicorn])
def test_the_site_has_its_own_settings_and_the_environment_given(serve):
    with serve(DEMO_DEBUG="0") as site:
        environ = Path(f"/proc/{site.process.pid}/environ").read_text().split("\0")
        assert "DEMO_DEBUG=0" in environ
        assert not any(line.startswith("DJANGO_SETTINGS_MODULE=test") for line in environ)
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(f"{site.url}/no-such-page/", timeout=10)
        assert error.value.code == 404
        error.value.close()


def test_a_missing_program_names_its_debian_package():
    with pytest.raises(RuntimeError, match="install the Debian package some-package"):
        servers.program("no-such-program", "some-package")


def test_a_server_that_fails_to_start_says_why():
    with pytest.raises(RuntimeError, match="no-such-option"), gunicorn("--no-such-option"):
        pass


def test_the_repository_comes_before_the_standard_library(pytestconfig):
    assert pytestconfig.rootpath.resolve() == servers.ROOT
