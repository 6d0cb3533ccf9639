"""Requests a second behind gunicorn and uvicorn, each with one worker; the contenders take turns."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from statistics import median
from urllib.request import urlopen

from test.servers import SiteServer, program
from test_project.bench.apps import MEMCACHED, NAME, REDIS
from test_project.bench.contenders import Contender
from test_project.bench.effort import Effort
from test_project.bench.site import PAGE, Addresses

CONNECTIONS = 8
Rates = dict[str, float]


def gunicorn(contender: Contender, addresses: Addresses, *options: str) -> SiteServer:
    place = ("--bind={host}:{port}", "--no-control-socket", "--worker-class=gthread", "--log-level=warning")
    return SiteServer(
        "gunicorn", "test_project.bench.apps:wsgi()", *place, *options, environ=_environ(contender, addresses)
    )


def one_gunicorn(contender: Contender, addresses: Addresses) -> SiteServer:
    return gunicorn(contender, addresses, "--threads=4")


def one_uvicorn(contender: Contender, addresses: Addresses) -> SiteServer:
    place = ("--host={host}", "--port={port}", "--lifespan=off", "--no-access-log", "--log-level=warning")
    application = ("uvicorn", "--factory", "test_project.bench.apps:asgi")
    return SiteServer(*application, *place, environ=_environ(contender, addresses))


def _environ(contender: Contender, addresses: Addresses) -> dict[str, str]:
    return {NAME: contender.name, REDIS: addresses.redis, MEMCACHED: addresses.memcached}


def rates(
    server_of: Callable[[Contender, Addresses], SiteServer],
    among: list[Contender],
    addresses: Addresses,
    effort: Effort,
) -> Rates:
    """Requests a second, by name of the contender."""
    with ExitStack() as stack:
        servers = [server_of(contender, addresses) for contender in among]
        with ThreadPoolExecutor(os.cpu_count()) as starters:
            list(starters.map(stack.enter_context, servers))
        pages = zip(among, servers, strict=True)
        urls = {contender.name: f"{server.url}/{contender.page}/" for contender, server in pages}
        for url in urls.values():
            warm(url)
        rounds = [[wrk(url, effort.server_seconds) for url in urls.values()] for _ in range(effort.server_rounds)]
    return {name: median(values) for name, values in zip(urls, zip(*rounds, strict=True), strict=True)}


def warm(url: str) -> None:
    """Raises RuntimeError unless it is the page that is answered."""
    for _ in range(5):
        with urlopen(url) as answer:
            if answer.read() != PAGE:
                raise RuntimeError(f"{url} is another page")


def wrk(url: str, seconds: int) -> float:
    """Requests a second for ``url``."""
    command = [program("wrk", "wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", url]
    return rate_in(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def rate_in(report: str) -> float:
    """What wrk has measured. Raises RuntimeError where some requests failed."""
    rate = re.search(r"^Requests/sec:\s+([\d.]+)$", report, re.MULTILINE)
    if rate is None or re.search("Non-2xx|Socket errors", report):
        raise RuntimeError(report)
    return float(rate[1])
