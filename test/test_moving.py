"""Who comes from django-cachepurge: its setting, its model methods, its asynchrony, as the README says."""

from __future__ import annotations

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from test.servers import HOST, ROOT
from test.test_docs import code_blocks

MODELS = """
from django.db import models
from django.urls import reverse

class Page(models.Model):
    slug = models.SlugField()

    def get_absolute_url(self):
        if self.slug == "draft":
            return reverse("no-such-page")
        return f"/{self.slug}/"

    def get_purge_urls(self):
        return ["/list/", "http://www.example.com/absolute/", "http://elsewhere.example/foreign/", "@evil/x"]

class Note(models.Model):
    text = models.TextField()
"""
RUN = """
import time
import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["dumper", "shop.apps.ShopConfig"],
    DUMPER_PURGE_URLS={urls!r},
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "shop.sqlite3"}}}},
    ALLOWED_HOSTS={hosts!r},
    SECRET_KEY="moving",
    ROOT_URLCONF="shop.urls",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.core.management import call_command
from shop.models import Note, Page

call_command("migrate", run_syncdb=True, verbosity=0)
started = time.monotonic()
Page.objects.create(slug="new")
Page.objects.create(slug="draft")
Note.objects.create(text="has no URL")
assert time.monotonic() - started < 0.6, "somebody has waited"
"""


class Cache:
    """Takes its time for each PURGE, and remembers it."""

    def __init__(self) -> None:
        self.purged: list[tuple[str, str]] = []
        cache = self

        class Handler(BaseHTTPRequestHandler):
            def do_PURGE(self) -> None:
                cache.slowly.wait(0.08)
                cache.purged.append((self.headers["Host"], self.path))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.slowly = threading.Event()
        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self.address = f"{HOST}:{self._server.server_port}"

    def __enter__(self) -> Cache:
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def run(place: Path, **facts: object) -> subprocess.CompletedProcess[str]:
    """A project with the README's AppConfig saves two pages and ends."""
    (app,) = [block for block in code_blocks("python") if "class ShopConfig" in block]
    (place / "shop").mkdir()
    for name, text in (("__init__", ""), ("apps", app), ("models", MODELS), ("urls", "urlpatterns = []")):
        (place / "shop" / f"{name}.py").write_text(text)
    (place / "run.py").write_text(RUN.format(**facts))
    command = [sys.executable, "-W", "error", "run.py"]
    environ = {"PYTHONPATH": f"{place}:{ROOT}"}
    return subprocess.run(command, cwd=place, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.alone
@pytest.mark.slow
def test_pages_are_purged_on_the_hosts_of_the_site_while_nobody_waits(tmp_path: Path) -> None:
    """Also those of the draft whose URL cannot be reversed; none of another host, and what is no URL harms nobody."""
    with Cache() as one, Cache() as two:
        urls = [f"http://{one.address}", f"http://{two.address}"]
        done = run(tmp_path, urls=urls, hosts=["www.example.com", "shop.example.com"])
        assert done.returncode == 0, done.stderr
        paths = {"/new/", "/list/", "/absolute/", "/@evil/x"}
        expected = {(host, path) for host in ("www.example.com", "shop.example.com") for path in paths}
        assert set(one.purged) == set(two.purged) == expected


@pytest.mark.slow
def test_where_no_host_is_known_the_caches_own_is_named(tmp_path: Path) -> None:
    """As one setting for one cache."""
    with Cache() as cache:
        done = run(tmp_path, urls=f"http://{cache.address}", hosts=[".example.com"])
        assert done.returncode == 0, done.stderr
        assert (cache.address, "/new/") in cache.purged
