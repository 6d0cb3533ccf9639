"""Tasks that are cancelled in the middle of a hit take nothing from the others, nor from those who come later."""

import asyncio

import pytest
from django.test import AsyncRequestFactory

from test.doors import ByASGI
from test.near.proxy import Proxy
from test.near.sites import PATH, site
from test.servers import HOST

pytestmark = pytest.mark.slow


async def hundred(visitor, scope, when):
    """A hundred requests at once, every other one of which is cancelled; what became of each."""
    tasks = [asyncio.ensure_future(visitor.asend(dict(scope))) for _ in range(100)]
    await asyncio.sleep(when)
    for task in tasks[::2]:
        task.cancel()
    return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("mode", ["off", "checked", "pushed"])
@pytest.mark.parametrize("when", [0, 0.01, 0.06])
def test_of_a_hundred_tasks_half_are_cancelled(redis_server, mode, when):
    redis_server.flush()
    visitor = ByASGI()
    scope = AsyncRequestFactory().get(PATH, headers={"Host": "testserver"}).scope
    scope["headers"] = [(b"host", b"testserver")]

    async def scenario():
        first, *_ = [await visitor.asend(dict(scope)) for _ in range(3)]
        proxy.delay = 0.03
        found = []
        for _ in range(3):
            found += await hundred(visitor, scope, when)
        proxy.delay = 0
        return first, found, [await visitor.asend(dict(scope)) for _ in range(20)]

    with Proxy(redis_server.port) as proxy:
        place = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": f"redis://{HOST}:{proxy.port}/0"}
        with site(CACHES={"default": place}, DUMPER_NEAR_CACHE=mode, DUMPER_STORE_TIMEOUT=10):
            first, found, later = asyncio.run(scenario())
    cancelled = sum(isinstance(one, asyncio.CancelledError) for one in found)
    answers = [one for one in found if not isinstance(one, asyncio.CancelledError)]
    assert len(answers) >= 150
    assert {answer.body for answer in [*answers, *later]} == {first.body}
    assert all(answer.is_hit for answer in [*answers, *later])
    assert cancelled or when > 0
