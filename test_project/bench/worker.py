"""What a contender's own process does: requests by way of its application, saves and invalidations.

Figures are CPU microseconds of that process, all its threads together, or milliseconds by the clock on the wall.
"""

from __future__ import annotations

import importlib
import itertools
import time
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from test_project.bench.ancestor import invalidate_paths as delete_paths
from test_project.bench.ancestor import register as register_ancestor
from test_project.bench.apps import WSGI, wsgi_of
from test_project.bench.contenders import Contender
from test_project.bench.site import HOST, TAG, Addresses, Count

BATCH = 5  # between two looks at the clock


def ignore(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
    """A start_response that costs nothing."""


class Site:
    """A contender that lives in this process, with a database in memory."""

    def __init__(self, contender: Contender, addresses: Addresses) -> None:
        self.contender = contender
        self.application: WSGI = wsgi_of(contender, addresses)
        self.numbers = itertools.count()
        from django.test import RequestFactory

        headers = {"host": HOST, "accept-encoding": contender.accepts}
        self.environ = RequestFactory().get(f"/{contender.page}/", headers=headers).environ

    def ask(self, environ: dict[str, Any], start_response: Callable[..., Any] = ignore) -> None:
        answer: Any = self.application(environ, start_response)
        b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()

    def expect(self, path: str, renders: int) -> None:
        """Raises RuntimeError unless a request is answered with a page, after that many calls of the view."""
        statuses: list[str] = []
        before = Count.renders
        self.ask({**self.environ, "PATH_INFO": path}, lambda status, *more: statuses.append(status))
        if statuses != ["200 OK"] or Count.renders != before + renders:
            raise RuntimeError(f"{self.contender.name}: {statuses}, {Count.renders - before} renders for {path}")

    # What is timed, and what its commands are counted of:

    def hits(self, count: int) -> None:
        for _ in range(count):
            self.ask(dict(self.environ))

    def misses(self, count: int) -> None:
        for _ in range(count):
            self.ask({**self.environ, "PATH_INFO": f"/{self.contender.page}/{next(self.numbers)}/"})

    def saves(self, count: int) -> None:
        for _ in range(count):
            self.group.save()

    def prepare(self, action: str) -> None:
        """Begin with nothing that is asked for but what a hit needs: the page, and a copy of it in the process."""
        path = f"/{self.contender.page}/"
        if action != "saves" and self.contender.caches:
            self.clear()
            self.expect(path, renders=1)
            self.expect(path, renders=0)
        getattr(self, action)(2)

    def spent(self, action: str, seconds: float) -> float:
        """CPU µs of one of what is done over and over, until that many seconds have passed."""
        self.prepare(action)
        act: Callable[[int], None] = getattr(self, action)
        count, start, deadline = 0, time.process_time(), time.monotonic() + seconds
        while time.monotonic() < deadline:
            act(BATCH)
            count += BATCH
        return (time.process_time() - start) / count * 1e6

    def clear(self) -> None:
        from django.core.cache import caches

        caches[self.contender.alias].clear()

    @cached_property
    def group(self) -> Any:
        """A row of a model that the cache knows."""
        from django.contrib.auth.models import Group
        from django.db import connection

        with connection.schema_editor() as editor:
            editor.create_model(Group)
        Group.get_absolute_url = lambda self: f"/groups/{self.pk}/"  # type: ignore[attr-defined]
        if self.contender.is_dumper:
            importlib.import_module("dumper").register(Group)
        elif self.contender.caches:
            register_ancestor(Group)
        return Group.objects.create(name="some")

    def fill(self, count: int) -> None:
        """Have that many small pages stored, all of one tag."""
        for path in tagged(count):
            self.ask({**self.environ, "PATH_INFO": path})
        self.expect(path, renders=0)

    def invalidate_paths(self, count: int) -> float:
        """Milliseconds that it takes to invalidate all these pages in one transaction."""
        from django.db import transaction

        invalidate: Callable[[Iterable[str]], None] = delete_paths
        if self.contender.is_dumper:
            invalidate = importlib.import_module("dumper").invalidate_paths
        start = time.perf_counter()
        with transaction.atomic():
            invalidate(tagged(count))
        return (time.perf_counter() - start) * 1e3

    def invalidate_tag(self, count: int) -> float:
        """Milliseconds that it takes to invalidate the tag that all these pages have."""
        start = time.perf_counter()
        importlib.import_module("dumper").invalidate(TAG)
        return (time.perf_counter() - start) * 1e3


def tagged(count: int) -> list[str]:
    return [f"/tagged/{number}/" for number in range(count)]


_site: Site


def begin(contender: Contender, addresses: Addresses) -> None:
    """Called once, in the process."""
    global _site
    _site = Site(contender, addresses)


def call(method: str, *args: Any) -> Any:
    return getattr(_site, method)(*args)
