"""What becomes of many visitors who ask for a slow page at once that nobody has asked for before."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from test_project.bench.contenders import Contender
from test_project.bench.effort import Effort
from test_project.bench.served import gunicorn
from test_project.bench.site import RENDERS, Addresses

PROCESSES = 2


class Outcome(NamedTuple):
    renders: int
    #: the longest that a visitor waited, in milliseconds
    slowest: float


def outcomes(among: list[Contender], addresses: Addresses, effort: Effort) -> dict[str, Outcome]:
    return {contender.name: outcome(contender, addresses, effort.visitors) for contender in among}


def outcome(contender: Contender, addresses: Addresses, visitors: int) -> Outcome:
    # All may be inside at once: who waits for another's render takes a thread.
    options = (f"--workers={PROCESSES}", f"--threads={visitors}")
    server = gunicorn(contender, addresses, *options)
    with tempfile.NamedTemporaryFile(prefix="dumper-") as renders:
        server.more_environ(**{RENDERS: renders.name})
        with server:
            try:
                slowest = asyncio.run(_crowd(f"{server.url}/{contender.page}/", visitors))
            except RuntimeError as error:
                raise RuntimeError(f"{contender.name}: {error}\n{server.log.read_text()[-4000:]}") from error
        return Outcome(Path(renders.name).stat().st_size, slowest * 1e3)


async def _crowd(url: str, visitors: int) -> float:
    return max(await asyncio.gather(*(_visit(url) for _ in range(visitors))))


async def _visit(url: str) -> float:
    """Seconds until the page is there."""
    parts = urlsplit(url)
    start = time.perf_counter()
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(answer[:500].decode(errors="replace"))
    return time.perf_counter() - start
