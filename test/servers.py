"""Real servers for the tests: each a process of its own, on a free loopback port, in a temporary directory.

    with RedisServer() as redis:
        ...  # redis.url
        redis.stop(kill=True)
        redis.start()  # on the same port

A missing program is an error, never a skipped test.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parent.parent
#: which of the processes is this that pytest-xdist shares the tests out to, and of how many
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


def free_port() -> int:
    """A port that neither an outgoing connection nor another worker takes: it is ours while its server is stopped."""
    while True:
        port = 20_000 + WORKER + WORKERS * secrets.randbelow(12_000 // WORKERS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port


def program(name: str, package: str) -> str:
    """The path of a program; Debian keeps PostgreSQL's out of PATH."""
    if path := shutil.which(name):
        return path
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    if newest := max(versions, key=lambda path: float(path.parts[-3]), default=None):
        return str(newest)
    raise RuntimeError(f"{name} is missing: install the Debian package {package}")


def processes() -> dict[int, tuple[int, int]]:
    """The parent and the group of each living process."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            state, parent, group, *more = path.read_text().rpartition(") ")[2].split()
            threads = int(more[14])  # while one of them lives, so do the sockets of a process that is a zombie already
            if state != "Z" or threads > 1:
                found[int(path.parent.name)] = int(parent), int(group)
    return found


def family(leader: int) -> set[int]:
    """The living processes of a group, with all their descendants."""
    known = processes()
    members = {pid for pid, (_, group) in known.items() if group == leader}
    while more := {pid for pid, (parent, _) in known.items() if parent in members} - members:
        members |= more
    return members


def send(number: int, pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


class Server:
    """A process that is started, stopped, paused and resumed by its id."""

    user: str | None = None
    cwd: Path | None = None
    stop_signal = signal.SIGTERM
    start_seconds = 30
    stop_seconds = 10

    def __init__(self) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._temporary = tempfile.TemporaryDirectory(prefix="dumper-")
        self.directory = Path(self._temporary.name)
        self.log = self.directory / "log"

    # What a server has to say:

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def environ(self) -> dict[str, str]:
        return dict(os.environ)

    def answers(self) -> bool:
        """Whether it really answers; an OSError means no."""
        raise NotImplementedError

    # What a test does with it:

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
        self._temporary.cleanup()

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def start(self) -> None:
        if self.process:
            raise RuntimeError(f"{self!r} runs already")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                env=self.environ(),
                cwd=self.cwd or self.directory,
                user=self.user,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal is for the tests, which then stop it
            )
        self._wait()

    def stop(self, kill: bool = False) -> None:
        """Stop it in order, or as a crash does; the last of its workers is gone when this returns."""
        if not self.process:
            return
        process, self.process = self.process, None
        members = family(process.pid)
        if kill:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # all at once: a master replaces the workers it loses
            send(signal.SIGKILL, members)
        else:
            process.send_signal(self.stop_signal)
        send(signal.SIGCONT, members)  # a paused process would not notice
        deadline = time.monotonic() + self.stop_seconds
        # PostgreSQL's children have groups of their own; a worker just forked is in the group, but no member yet.
        while living := family(process.pid) | (members & processes().keys()):
            if time.monotonic() > deadline:
                send(signal.SIGKILL, living)
            time.sleep(0.01)
        process.wait()

    def pause(self) -> None:
        """It takes connections still, but answers nothing."""
        send(signal.SIGSTOP, family(self.process.pid))

    def resume(self) -> None:
        send(signal.SIGCONT, family(self.process.pid))

    def _wait(self) -> None:
        deadline = time.monotonic() + self.start_seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            with suppress(OSError):
                if self.answers():
                    return
            time.sleep(0.02)
        self.stop(kill=True)
        raise RuntimeError(f"{self!r} did not start:\n{self.log.read_text(errors='replace')[-4000:]}")

    def _ask(self, request: bytes) -> bytes:
        """The first bytes of what it answers."""
        with socket.create_connection((HOST, self.port), timeout=5) as connection:
            connection.sendall(request)
            return connection.recv(4096)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.address}>"


class RedisServer(Server):
    """Keeps nothing on disk: stopped and started, it is empty."""

    @property
    def url(self) -> str:
        return f"redis://{self.address}/0"

    def command(self) -> Sequence[str]:
        redis = program("redis-server", "redis-server")
        return redis, "--bind", HOST, "--port", str(self.port), "--save", "", "--appendonly", "no"

    def answers(self) -> bool:
        return self._ask(b"PING\r\n") == b"+PONG\r\n"

    def flush(self) -> None:
        if (answer := self._ask(b"FLUSHALL\r\n")) != b"+OK\r\n":
            raise RuntimeError(f"{self!r}: {answer!r}")


class MemcachedServer(Server):
    def command(self) -> Sequence[str]:
        memcached = program("memcached", "memcached")
        # Started by root, it insists on another user.
        return memcached, "-l", HOST, "-p", str(self.port), "-U", "0", "-u", "nobody"

    def answers(self) -> bool:
        return self._ask(b"version\r\n").startswith(b"VERSION ")

    def flush(self) -> None:
        if (answer := self._ask(b"flush_all\r\n")) != b"OK\r\n":
            raise RuntimeError(f"{self!r}: {answer!r}")


class PostgresServer(Server):
    """Trusts everyone on this machine and never waits for the disk."""

    stop_signal = signal.SIGINT  # SIGTERM would wait for the clients to leave

    def __init__(self) -> None:
        super().__init__()
        self.data = self.directory / "data"
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self.user = "postgres"

    @property
    def url(self) -> str:
        return f"postgresql://postgres@{self.address}/postgres"

    def environ(self) -> dict[str, str]:
        return {**super().environ(), "LC_ALL": "C"}

    def start(self) -> None:
        if not self.data.exists():
            self._initialise()
        super().start()

    def _initialise(self) -> None:
        initdb = program("initdb", "postgresql")
        if self.user:
            shutil.chown(self.directory, self.user)
        subprocess.run(
            [initdb, "-D", self.data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"],
            env=self.environ(),
            cwd=self.directory,
            user=self.user,
            check=True,
            capture_output=True,
        )

    def command(self) -> Sequence[str]:
        # The initdb that made the data lies beside it.
        postgres = Path(program("initdb", "postgresql")).resolve().with_name("postgres")
        settings = {
            "listen_addresses": HOST,
            "port": self.port,
            "unix_socket_directories": self.directory,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
        }
        return [str(postgres), f"-D{self.data}", *(f"--{name}={value}" for name, value in settings.items())]

    def answers(self) -> bool:
        import psycopg

        try:
            with psycopg.connect(self.url, connect_timeout=5) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False


class SiteServer(Server):
    """The demo site in a real Python web server; ``environ`` is added to the environment."""

    cwd = ROOT

    def __init__(self, *command: str, environ: dict[str, str] | None = None) -> None:
        super().__init__()
        self._command = command
        self._environ = environ or {}

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def more_environ(self, **environ: str) -> None:
        """What is known only after its port is."""
        self._environ |= environ

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", *(part.format(host=HOST, port=self.port) for part in self._command)]

    def environ(self) -> dict[str, str]:
        environ = super().environ()
        environ.pop("DJANGO_SETTINGS_MODULE", None)  # the tests' own: the site has its own
        return {**environ, **self._environ}

    def answers(self) -> bool:
        # Any answer will do, and that to OPTIONS is never stored.
        request = f"OPTIONS /ready HTTP/1.1\r\nHost: {self.address}\r\nConnection: close\r\n\r\n"
        return self._ask(request.encode()).startswith(b"HTTP/1.1 ")


def gunicorn(*options: str, **environ: str) -> SiteServer:
    """``with gunicorn("--workers=2", REDIS_URL=redis.url) as site``: the demo site over WSGI."""
    bind = "--bind={host}:{port}"
    return SiteServer("gunicorn", "test_project.wsgi", bind, "--no-control-socket", *options, environ=environ)


def uvicorn(*options: str, **environ: str) -> SiteServer:
    """``with uvicorn(REDIS_URL=redis.url) as site``: the demo site over ASGI."""
    place = ("--host={host}", "--port={port}")
    return SiteServer("uvicorn", "test_project.asgi:application", *place, *options, environ=environ)
