"""A process that asks for many pages, and says by how much its near cache has made it grow.

python -m test.near.memory REDIS_URL MODE BYTES_OF_A_PAGE NUMBER_OF_PAGES PATHS_THAT_ONE_DEPENDS_ON
"""

from __future__ import annotations

import ctypes
import gc
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

import dumper

BOUND = 8 * 1024 * 1024
CODINGS = ("", "gzip")


def page(request: HttpRequest, number: int) -> HttpResponse:
    """Text that is half as long when it is compressed; the page depends on other paths."""
    dumper.depends_on(*(f"/{number}/{other}/" for other in range(int(sys.argv[5]))))
    return HttpResponse(os.urandom(int(sys.argv[3]) // 2).hex())


urlpatterns = [path("<int:number>/", page)]


def resident() -> int:
    """The bytes of memory that this process has by now, without what it has given up."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main(number: int) -> dict[str, Any]:
    from dumper import near
    from dumper.near.copies import Copies
    from dumper.wsgi import get_wsgi_application

    application = get_wsgi_application()
    statuses: list[str] = []

    def visit(one: int, coding: str) -> None:
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": f"/{one}/",
            "HTTP_HOST": "testserver",
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "REMOTE_ADDR": f"127.0.0.{one % 256}",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            **({"HTTP_ACCEPT_ENCODING": coding} if coding else {}),
        }
        answered = application(environ, lambda status, headers: statuses.append(dict(headers)["Cache-Status"]))
        b"".join(answered)
        getattr(answered, "close", int)()

    pages = range(number)
    for one in pages:
        visit(one, "")  # it is stored, and not yet remembered
    for one in pages[:50]:
        for coding in CODINGS:
            visit(one, coding)
    near.current().copies = Copies(BOUND)
    for one in pages[:2]:
        visit(one, "")
    before = resident()
    statuses.clear()
    for one in pages:
        for coding in CODINGS:
            visit(one, coding)
    copies = near.current().copies
    hits = sum(status.startswith("dumper; hit") for status in statuses)
    return {"grown": resident() - before, "size": copies.size, "copies": len(copies), "hits": hits}


if __name__ == "__main__":
    settings.configure(
        ALLOWED_HOSTS=["testserver"],
        ROOT_URLCONF=__name__,
        MIDDLEWARE=["dumper.middleware.UpdateCacheMiddleware", "dumper.middleware.FetchFromCacheMiddleware"],
        CACHES={"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": sys.argv[1]}},
        DUMPER_NEAR_CACHE=sys.argv[2],
        DUMPER_NEAR_CACHE_SIZE=BOUND,
        USE_TZ=True,
    )
    django.setup()
    print(json.dumps(main(int(sys.argv[4]))))
