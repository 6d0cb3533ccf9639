"""The doors in real servers: what they let pass, what they bear, and that no answer is older than a change."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest

from test.servers import HOST, ROOT, SiteServer

pytestmark = pytest.mark.slow

#: seconds by which an answer may be late where the store tells of changes
STALENESS = 0.5
GUNICORN = ("gunicorn", "test.full_stack.behind_doors:wsgi", "--bind={host}:{port}", "--no-control-socket")
UVICORN = ("uvicorn", "test.full_stack.behind_doors:asgi", "--host={host}", "--port={port}")
SERVERS = {
    "gunicorn": GUNICORN,
    "gunicorn, threads": (*GUNICORN, "--worker-class=gthread", "--threads=4"),
    "gunicorn, forks": (*GUNICORN, "--preload", "--workers=2", "--worker-class=gthread", "--threads=4"),
    "uvicorn": UVICORN,
    "uvicorn, forks": (*UVICORN, "--workers=2"),
}
HAS_THREADS = [name for name in SERVERS if name != "gunicorn"]


@contextmanager
def serving(name, mode, redis_server, directory):
    redis_server.flush()
    environ = {
        "DOORS_MODE": mode,
        "DOORS_STALENESS": str(STALENESS),
        "DOORS_REDIS": redis_server.url,
        "DOORS_DATABASE": str(directory / "doors.sqlite3"),
        "DJANGO_SETTINGS_MODULE": "",
    }
    create = [sys.executable, "-m", "test.full_stack.behind_doors"]
    subprocess.run(create, cwd=ROOT, env={**os.environ, **environ}, check=True)
    with SiteServer(*SERVERS[name], environ=environ) as server:
        yield server


@pytest.fixture(params=["checked", "pushed"])
def mode(request):
    return request.param


@pytest.fixture(params=SERVERS)
def server(request, redis_server, tmp_path):
    with serving(request.param, "checked", redis_server, tmp_path) as server:
        yield server


def ask(server, path, method="GET", body=None, **more):
    """The answer of the site: its status, what it says of itself, and the body."""
    connection = HTTPConnection(HOST, server.port, timeout=30)
    try:
        connection.request(method, path, body, **more)
        response = connection.getresponse()
        return response.status, response.getheader("Cache-Status", ""), response.read()
    finally:
        connection.close()


def sent(method, data):
    return f"{method} {len(data)} {hashlib.sha256(data).hexdigest()}".encode()


def is_hit(answer):
    return answer[0] == 200 and answer[1].startswith("dumper; hit")


def test_pages_are_stored_and_answered_by_all_workers(server):
    ask(server, "/large/")
    answers = [ask(server, "/large/") for _ in range(20)]
    assert all(map(is_hit, answers))
    assert {answer[2] for answer in answers} == {b"0123456789" * 100_000}
    assert ask(server, "/large/", "HEAD")[2] == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
def test_bodies_reach_the_view_untouched(server, method):
    data = os.urandom(300_000)
    for _ in range(2):
        assert ask(server, "/body/", method, data)[2] == sent(method, data)
        chunks = iter([data[:100], data[100:150_000], data[150_000:]])
        assert ask(server, "/body/", method, chunks, encode_chunked=True)[2] == sent(method, data)
    assert ask(server, "/body/")[2] == sent("GET", b"")


def test_files_are_sent_as_ever(server):
    expected = (ROOT / "test/full_stack/behind_doors.py").read_bytes()
    for _ in range(2):
        assert ask(server, "/file/")[2] == expected


def test_visitors_may_leave_in_the_middle(server):
    ask(server, "/large/")
    assert is_hit(ask(server, "/large/"))
    for number in range(60):
        with socket.create_connection((HOST, server.port), timeout=30) as connection:
            connection.sendall(f"GET /large/ HTTP/1.1\r\nHost: {server.address}\r\n\r\n".encode())
            if number % 3:
                connection.recv(1000 * (number % 3))
    assert is_hit(ask(server, "/large/"))
    assert ask(server, "/large/")[2] == b"0123456789" * 100_000
    assert "Traceback" not in server.log.read_text()


def torture(server, seconds=5.0, readers=6):
    """What was saved and when it was committed at the latest; what was shown, and when that was asked for."""
    saved, shown, failures = [(0, time.monotonic())], [], []
    over = time.monotonic() + seconds

    def write():
        value = 0
        while time.monotonic() < over:
            value += 1
            assert ask(server, f"/save/{value}/", "POST", b"")[0] == 200
            saved.append((value, time.monotonic()))
            time.sleep(0.02 if value % 5 else 0.3)

    def read():
        connection = HTTPConnection(HOST, server.port, timeout=30)
        while time.monotonic() < over:
            asked_at = time.monotonic()
            connection.request("GET", "/number/")
            response = connection.getresponse()
            shown.append((asked_at, int(response.read()), response.getheader("Cache-Status")))
        connection.close()

    def noting(work):
        try:
            work()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=noting, args=[work]) for work in (write, *[read] * readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    return saved, shown


@pytest.mark.alone
@pytest.mark.parametrize("name", HAS_THREADS)
def test_no_answer_is_older_than_what_was_committed_before_it_was_asked_for(name, mode, redis_server, tmp_path):
    with serving(name, mode, redis_server, tmp_path) as server:
        saved, shown = torture(server)
    allowed = STALENESS if mode == "pushed" else 0
    stale, oldest = 0, 0.0
    for asked_at, value, _ in shown:
        outdated_at = next((moment for number, moment in saved if number > value), asked_at)
        stale += outdated_at < asked_at
        oldest = max(oldest, asked_at - outdated_at)
    hits = sum(status.startswith("dumper; hit") for _, _, status in shown)
    print(f"{name}, {mode}: {len(saved)} saves, {len(shown)} answers, {hits} hits, {stale} stale, for {oldest:.4f} s")
    assert oldest <= allowed
    assert hits > 20
    assert len(saved) > 10
