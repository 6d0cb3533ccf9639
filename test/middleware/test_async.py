"""In async code nothing of ours blocks the event loop, and a hit from local memory needs no thread."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.core.handlers.base import BaseHandler
from django.test import AsyncClient, AsyncRequestFactory, override_settings

import dumper
from test.middleware.stacks import ASYNC, FETCH, UPDATE
from test.servers import SiteServer

pytestmark = pytest.mark.slow


def handler() -> BaseHandler:
    """Django's async request handler, without the signals that a server sends."""
    made = BaseHandler()
    made.load_middleware(is_async=True)
    return made


@pytest.fixture
def hops(monkeypatch):
    """Each call that is handed to a thread."""
    found = []
    submit = ThreadPoolExecutor.submit

    def noted(self, function, *args, **kwargs):
        found.append(function)
        return submit(self, function, *args, **kwargs)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", noted)
    return found


@pytest.mark.parametrize("middleware", [[UPDATE, FETCH], [ASYNC, UPDATE, ASYNC, FETCH, ASYNC]], ids=["alone", "async"])
def test_a_hit_from_local_memory_needs_no_thread(hops, middleware):
    async def scenario():
        site = handler()
        responses = []
        for _ in range(3):
            hops.clear()
            responses.append(await site.get_response_async(AsyncRequestFactory().get("/async-page/")))
        return responses

    with override_settings(MIDDLEWARE=middleware):
        first, _, third = asyncio.run(scenario())
    assert third["Cache-Status"] == "dumper; hit"
    assert third.content == first.content
    assert hops == []


def test_neither_does_a_miss_or_a_page_past_the_store(hops):
    async def scenario():
        for path in ("/async-page/", "/async-page/?a=b"):
            await handler().get_response_async(AsyncRequestFactory().get(path))
        return await handler().get_response_async(AsyncRequestFactory().options("/async-page/"))

    with override_settings(MIDDLEWARE=[UPDATE, FETCH]):
        assert asyncio.run(scenario())["Cache-Status"] == 'dumper; fwd=method; detail="method"'
    assert hops == []


def test_the_threads_are_counted_where_there_are_some(hops):
    with override_settings(MIDDLEWARE=[UPDATE, FETCH]):
        asyncio.run(handler().get_response_async(AsyncRequestFactory().get("/page/")))
    assert hops


async def longest_pause(until: asyncio.Future) -> float:
    """The longest time that the event loop was kept from its work, until a task is done."""
    longest = 0.0
    while not until.done():
        before = time.perf_counter()
        await asyncio.sleep(0.005)
        longest = max(longest, time.perf_counter() - before)
    return longest


@pytest.mark.alone
def test_a_silent_redis_does_not_block_the_event_loop(redis):
    async def scenario():
        client = AsyncClient()
        await client.get("/async-page/")
        redis.pause()
        request = asyncio.ensure_future(client.get("/async-page/"))
        started = time.perf_counter()
        longest = await longest_pause(request)
        return request.result(), time.perf_counter() - started, longest

    with override_settings(DUMPER_STORE_TIMEOUT=1, MIDDLEWARE=[UPDATE, FETCH]):
        response, waited, longest = asyncio.run(scenario())
    assert response.status_code == 200
    assert waited > 0.9
    assert longest < waited / 2


@pytest.mark.alone
def test_requests_wait_for_a_silent_redis_together(redis):
    async def scenario():
        client = AsyncClient()
        await client.get("/async-page/")
        redis.pause()
        started = time.perf_counter()
        await asyncio.gather(*(client.get("/async-page/") for _ in range(4)))
        return time.perf_counter() - started

    with override_settings(DUMPER_STORE_TIMEOUT=1, MIDDLEWARE=[UPDATE, FETCH]):
        assert asyncio.run(scenario()) < 3.5


def test_a_cancelled_request_leaves_nothing_behind():
    started = asyncio.Event()

    async def slow(request):
        started.set()
        await asyncio.sleep(60)

    async def scenario():
        from dumper.middleware import FetchFromCacheMiddleware, UpdateCacheMiddleware

        stack = UpdateCacheMiddleware(FetchFromCacheMiddleware(slow))
        task = asyncio.ensure_future(stack(AsyncRequestFactory().get("/async-page/")))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return [(await AsyncClient().get("/async-page/"))["Cache-Status"] for _ in range(2)]

    assert asyncio.run(scenario()) == ["dumper; fwd=uri-miss; stored", "dumper; hit"]


def test_invalidation_can_be_awaited():
    async def scenario():
        client = AsyncClient()
        pages = [(await client.get("/async-page/")).content]
        for invalidate in (dumper.ainvalidate_paths, lambda paths: dumper.aclear()):
            await invalidate(["/async-page/"])
            pages.append((await client.get("/async-page/")).content)
        return pages

    assert len(set(asyncio.run(scenario()))) == 3


@pytest.mark.parametrize("place", ["local memory", "Redis"])
@pytest.mark.parametrize("path", ["/page/", "/async-page/"])
def test_fifty_requests_at_once_under_uvicorn(redis_server, place, path):
    redis_server.flush()
    environ = {"DJANGO_SETTINGS_MODULE": "test.middleware.settings"}
    if place == "Redis":
        environ["REDIS_URL"] = redis_server.url

    async def fifty(url: str) -> list[httpx.Response]:
        async with httpx.AsyncClient(timeout=30) as client:
            return await asyncio.gather(*(client.get(url) for _ in range(50)))

    command = ("uvicorn", "test_project.asgi:application", "--host={host}", "--port={port}")
    with SiteServer(*command, environ=environ) as server:
        first, second = (asyncio.run(fifty(server.url + path)) for _ in range(2))
    assert {response.status_code for response in first + second} == {200}
    assert {response.headers["Cache-Status"] for response in second} == {"dumper; hit"}
    assert len({response.content for response in second}) == 1
    assert second[0].content in {response.content for response in first}
