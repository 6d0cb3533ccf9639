"""A site of one view that renders when it is told to, and visitors who come all at once.

with Site("tasks") as site:
    crowd = site.visit(10)        # until one of them renders, and nobody does anything more
    site.render(page)             # that one gets it
    [answer.result() for answer in crowd]
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.test import AsyncRequestFactory, RequestFactory

from dumper import stores
from dumper.middleware import FetchFromCacheMiddleware, UpdateCacheMiddleware

PATIENCE = 60  # seconds, which nothing but a defect takes
Make = Callable[[], HttpResponse]


def page(text: str = "page", status: int = 200, **headers: str) -> Make:
    """What makes a response; ``headers`` have underscores in their names."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: HttpResponse(text, status=status, headers=fields)


def fails() -> HttpResponse:
    raise ZeroDivisionError("the view is broken")


class Site:
    def __init__(self, kind: str) -> None:
        self.kind = kind
        #: a render on its way: what it is asked for, and what it waits for
        self.renders: queue.Queue[tuple[HttpRequest, Future[Make]]] = queue.Queue()
        self.count = 0
        self._threads = ThreadPoolExecutor(100)

    def __enter__(self) -> Site:
        if self.kind == "tasks":
            self._loop = asyncio.new_event_loop()
            self._runner = threading.Thread(target=self._loop.run_forever)
            self._runner.start()
            self._ask: Any = UpdateCacheMiddleware(FetchFromCacheMiddleware(_error_as_500_async(self._aview)))
        else:
            self._ask = UpdateCacheMiddleware(FetchFromCacheMiddleware(_error_as_500(self._view)))
        return self

    def __exit__(self, *exc_info: object) -> None:
        while not self.renders.empty():
            self.render(page())
        self._threads.shutdown()
        if self.kind == "tasks":
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._runner.join()
            self._loop.close()

    def _view(self, request: HttpRequest) -> HttpResponse:
        return self._begun(request).result(PATIENCE)()

    async def _aview(self, request: HttpRequest) -> HttpResponse:
        make = await asyncio.wait_for(asyncio.wrap_future(self._begun(request)), PATIENCE)
        return make()

    def _begun(self, request: HttpRequest) -> Future[Make]:
        waiting: Future[Make] = Future()
        self.renders.put((request, waiting))
        return waiting

    def ask(self, path: str = "/page/", method: str = "GET", **environ: str) -> Future[HttpResponse]:
        """A request on its way."""
        if self.kind == "tasks":
            headers = {name.removeprefix("HTTP_").replace("_", "-"): value for name, value in environ.items()}
            request = AsyncRequestFactory().generic(method, path, headers=headers)
            return asyncio.run_coroutine_threadsafe(self._ask(request), self._loop)
        return self._threads.submit(self._ask, RequestFactory().generic(method, path, **environ))

    def visit(self, number: int, path: str = "/page/", **environ: str) -> list[Future[HttpResponse]]:
        """So many requests at once, of which all but one wait."""
        crowd = [self.ask(path, **environ) for _ in range(number)]
        self.wait_for(lambda: self.waiting() == number - 1 and self.renders.qsize() == 1)
        return crowd

    def waiting(self) -> int:
        """How many wait for a render in this process."""
        turns = list(stores.current().crowd._turns.values())
        return sum(len(turn._outcome._waiters) + len(turn._outcome._done_callbacks) for turn in turns)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, (self.waiting(), self.renders.qsize())
            time.sleep(0.005)

    def render(self, make: Make) -> HttpRequest:
        """Have the render that is on its way for the longest time end with what ``make`` returns or raises."""
        request, waiting = self.renders.get(timeout=PATIENCE)
        self.count += 1
        waiting.set_result(make)
        return request

    def stored(self, make: Make, path: str = "/page/") -> HttpResponse:
        """The answer of a lone visitor who renders."""
        answer = self.ask(path)
        self.render(make)
        return answer.result(PATIENCE)


def _error_as_500(view: Any) -> Any:
    def inner(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except ZeroDivisionError:
            return HttpResponse("error", status=500)

    return inner


def _error_as_500_async(view: Any) -> Any:
    async def inner(request: HttpRequest) -> HttpResponse:
        try:
            return await view(request)
        except ZeroDivisionError:
            return HttpResponse("error", status=500)

    return inner


def results(crowd: list[Future[HttpResponse]]) -> list[tuple[str, str]]:
    """What each was shown, and what became of it."""
    return [(answer.result(PATIENCE).content.decode(), answer.result()["Cache-Status"]) for answer in crowd]
