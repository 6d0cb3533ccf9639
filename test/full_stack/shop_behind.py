"""The demo site under gunicorn, behind a real cache: edited in its admin, looked at as visitors do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from test import edges
from test.full_stack.slow_line import SlowLine
from test.servers import HOST, ROOT, RedisServer, gunicorn

HOSTS = ["one.example", "two.example"]
MENU = "/menu.txt"
TOPPING = 8  # the wafer
#: What stands in docs/upstreams beside each configuration.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "Varnish": {"method": "ban"},
    "VarnishXkey": {"method": "xkey"},
    "Squid": {"vary": ["Accept-Encoding"]},
    "Nginx": {"vary": ["Accept-Encoding"], "control": "X-Accel-Expires"},
    "TrafficServer": {"vary": "*"},
}
PREPARE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate")
call_command("load_shop")
"""


class Shop:
    """What people do with the site."""

    def __init__(self, edge: edges.Edge, line: SlowLine, site: Any) -> None:
        self.edge = edge
        self.line = line
        self.site = site
        self.copes_with_vary = isinstance(edge, edges.TrafficServer)
        self._cookies: SimpleCookie = SimpleCookie()

    def look(self, path: str = MENU, host: str = HOSTS[0], **headers: str) -> str:
        """What a visitor is shown at the edge."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.edge.get(path, host=host, headers=fields)
        assert answer.status == 200, answer
        for name in ("xkey", "Surrogate-Control", "X-Accel-Expires"):
            assert name not in answer.headers
        return answer.body.decode()

    def rename_wafer(self, name: str) -> None:
        """Edit a topping in the admin."""
        self._post(f"/admin/shop/topping/{TOPPING}/change/", name=name, slug="wafer")

    def log_in(self) -> None:
        self._post("/admin/login/?next=/admin/", username="admin", password="admin")

    def _post(self, path: str, **fields: str) -> None:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self._ask("GET", path))
        assert token
        body = urlencode({**fields, "csrfmiddlewaretoken": token[1]})
        self._ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def _ask(self, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None) -> str:
        """A request of the staff, who go past the edge."""
        connection = HTTPConnection(HOST, self.site.port, timeout=30)
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in self._cookies.items())
        connection.request(method, path, body, {"Host": HOSTS[0], "Cookie": cookie, **(headers or {})})
        response = connection.getresponse()
        text = response.read().decode()
        for field in response.headers.get_all("Set-Cookie", []):
            self._cookies.load(field)
        connection.close()
        assert response.status in ((200,) if method == "GET" else (302,)), self.site.log.read_text()[-4000:]
        return text


@contextmanager
def shop_behind(name: str, place: Path, **options: Any) -> Iterator[Shop]:
    """The shop behind the cache ``name``, with OPTIONS of its upstream; the line between can be slowed down."""
    with RedisServer() as redis:
        site = gunicorn("--workers=2", "--threads=4")
        with SlowLine(site.port) as line:
            edge = getattr(edges, name)(origin=line.port)
            backend = "varnish.Varnish" if name.startswith("Varnish") else "http.Http"
            upstream = {
                "BACKEND": f"dumper.upstreams.{backend}",
                "LOCATION": edge.purge_url,
                "HOSTS": HOSTS,
                "HEADERS": {"X-Purge-Token": edge.secret},
                "OPTIONS": {"lifetime": 86_400, **OPTIONS[name], **options},
            }
            site.more_environ(
                DEMO_DB=str(place / "db.sqlite3"),
                DEMO_MEDIA=str(place / "media"),
                DEMO_DEBUG="0",
                DEMO_SLOWNESS="0",
                REDIS_URL=redis.url,
                DEMO_UPSTREAMS=json.dumps({"edge": upstream}),
            )
            settings = {"DJANGO_SETTINGS_MODULE": "test_project.settings"}
            command = [sys.executable, "-c", PREPARE]
            subprocess.run(command, cwd=ROOT, env=site.environ() | settings, check=True, capture_output=True)
            with site, edge:
                shop = Shop(edge, line, site)
                shop.log_in()
                yield shop
