"""Real caches in front of an origin, each with its configuration of docs/upstreams.

    with Varnish(origin=port) as edge:
        edge.get("/flavours/")                    # as a visitor
        edge.purge("/flavours/")                  # on the socket for purges, with the secret
        edge.purge("/flavours/", token=None)      # refused

Only addresses, folders and the secret are replaced in it: what the tests find out holds for whoever uses it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import NamedTuple

from test.servers import HOST, ROOT, Server, free_port, program

CONFIGURATIONS = ROOT / "docs" / "upstreams"
SITE = "www.example.com"
EXAMPLE_SECRET = "change-this-secret"


class Answer(NamedTuple):
    status: int
    reason: str
    headers: HTTPMessage
    body: bytes


def daemon(name: str, package: str) -> str:
    """The path of a program that an ordinary user may not have in PATH."""
    return shutil.which(name, path="/usr/sbin") or program(name, package)


def replaced(text: str, replacements: Mapping[str, object]) -> str:
    for example, own in replacements.items():
        if example not in text:
            raise RuntimeError(f"{example!r} is not in the configuration")
        text = text.replace(example, str(own))
    return text


class Edge(Server):
    """Runs as an ordinary user, whoever starts it."""

    configuration: str

    def __init__(self, *, origin: int) -> None:
        super().__init__()
        self.origin = origin
        self.purge_port, self.inner_port = self.more_ports(2)
        self.secret = secrets.token_hex(16)
        if os.geteuid() == 0:
            self.user = "nobody"
            shutil.chown(self.directory, self.user)

    def more_ports(self, number: int) -> list[int]:
        ports = {self.port}
        while len(ports) <= number:
            ports.add(free_port())
        return sorted(ports - {self.port})

    def replacements(self) -> Mapping[str, object]:
        """What the configuration has for an example, and what stands for it here."""
        return {
            f"{HOST}:8080": f"{HOST}:{self.port}",
            f"{HOST}:8081": f"{HOST}:{self.purge_port}",
            EXAMPLE_SECRET: self.secret,
        }

    @property
    def configured(self) -> Path:
        return self.directory / self.configuration

    def start(self) -> None:
        self.configure()
        super().start()

    def configure(self) -> None:
        text = (CONFIGURATIONS / self.configuration).read_text()
        self.configured.write_text(replaced(text, self.replacements()))

    def answers(self) -> bool:
        """Both sockets refuse to purge, without asking the origin."""
        return all(self.ask(port, "PURGE", "/").status in (403, 405) for port in (self.port, self.purge_port))

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def purge_url(self) -> str:
        return f"http://{HOST}:{self.purge_port}"

    def ask(
        self, port: int, method: str, target: str, host: str = SITE, headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = HTTPConnection(HOST, port, timeout=10)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in {"Host": host, **(headers or {})}.items():
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            return Answer(response.status, response.reason, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str, host: str = SITE, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
        """What a visitor gets."""
        return self.ask(self.port, method, path, host, headers)

    def purge(
        self,
        target: str,
        host: str = SITE,
        headers: Mapping[str, str] | None = None,
        method: str = "PURGE",
        token: str | None = "",
    ) -> Answer:
        """What the owner gets; another ``token`` than the secret, or None, is for what must be refused."""
        own = {} if token is None else {"X-Purge-Token": token or self.secret}
        return self.ask(self.purge_port, method, target, host, {**own, **(headers or {})})


class Varnish(Edge):
    """Bans by key: ``BANKEYS``."""

    configuration = "varnish.vcl"

    def replacements(self) -> Mapping[str, object]:
        return {'.port = "8000"': f'.port = "{self.origin}"', EXAMPLE_SECRET: self.secret}

    def command(self) -> Sequence[str]:
        sockets = f"-a public={HOST}:{self.port} -a purge={HOST}:{self.purge_port}".split()
        little = "-s malloc,16m -T none -p thread_pool_min=5 -p thread_pools=1".split()
        varnish = daemon("varnishd", "varnish")
        return varnish, "-F", "-n", str(self.directory / "work"), "-f", str(self.configured), *sockets, *little


class VarnishXkey(Varnish):
    """Purges by key: ``PURGEKEYS``."""

    configuration = "varnish-xkey.vcl"


class Squid(Edge):
    configuration = "squid.conf"
    stop_signal = signal.SIGINT  # SIGTERM waits for clients

    def replacements(self) -> Mapping[str, object]:
        return {
            **super().replacements(),
            f"{HOST}:8082": f"{HOST}:{self.inner_port}",
            "parent 8000": f"parent {self.origin}",
            "parent 8082": f"parent {self.inner_port}",
            "/var/log/squid": self.directory,
            "/run/squid.pid": self.directory / "pid",
            "/var/spool/squid": self.directory,
        }

    def answers(self) -> bool:
        """Squid has found itself: it has seen the answer twice."""
        return super().answers() and len(self.get("/ready").headers.get_all("X-Cache", [])) == 2

    def command(self) -> Sequence[str]:
        return daemon("squid", "squid"), "-N", "-f", str(self.configured)


class Nginx(Edge):
    configuration = "nginx.conf"

    def replacements(self) -> Mapping[str, object]:
        scratch = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"{name}_temp_path {self.directory}/{name};" for name in scratch)
        return {
            **super().replacements(),
            f"{HOST}:8000": f"{HOST}:{self.origin}",
            "http {": "http {" + paths,
            "/run/nginx.pid": self.directory / "pid",
            "/var/log/nginx": self.directory,
            "/var/cache/nginx": self.directory / "pages",
        }

    def command(self) -> Sequence[str]:
        nginx = daemon("nginx", "nginx-light")
        errors = self.directory / "error.log"  # until the configuration is read
        return nginx, "-e", str(errors), "-c", str(self.configured), "-g", "daemon off;"


class TrafficServer(Edge):
    configuration = "ats"
    stop_signal = signal.SIGKILL  # SIGTERM takes a second, and there is nothing to save

    def configure(self) -> None:
        examples = {
            "records.config": {"8080:ip-in": f"{self.port}:ip-in", "8081:ip-in": f"{self.purge_port}:ip-in"},
            "remap.config": {":8000/": f":{self.origin}/"},
            "storage.config": {"/var/cache/trafficserver 256M": f"{self.directory}/pages 16M"},
            "purge.config": {"=8081": f"={self.purge_port}", EXAMPLE_SECRET: self.secret},
        }
        self.configured.mkdir(exist_ok=True)
        for path in (CONFIGURATIONS / self.configuration).iterdir():
            text = replaced(path.read_text(), examples.get(path.name, {}))
            (self.configured / path.name).write_text(text)
        written = dict.fromkeys(("runtimedir", "logdir", "cachedir", "localstatedir"), self.directory / "work")
        for folder in (self.directory / "work", self.directory / "pages"):
            folder.mkdir(exist_ok=True)
            if self.user:
                shutil.chown(folder, self.user)
        layout = {
            "prefix": self.directory,
            "exec_prefix": "/usr",
            "bindir": "/usr/bin",
            "libexecdir": "/usr/lib/trafficserver/modules",
            "sysconfdir": self.configured,
            **written,
        }
        (self.directory / "runroot.yaml").write_text("".join(f"{name}: {path}\n" for name, path in layout.items()))

    def command(self) -> Sequence[str]:
        server = program("traffic_server", "trafficserver")
        return server, f"--run-root={self.directory / 'runroot.yaml'}"
