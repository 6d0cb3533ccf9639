"""RedisStore on event loops: tasks that are cancelled, crowds, loops that come and go, servers that do not answer."""

import asyncio
import gc
import threading
import time

import pytest
import redis
from asgiref.sync import async_to_sync

from dumper.rules.frames import IDENTITY
from dumper.stores.base import Proof
from dumper.stores.loops import MOST
from test.servers import RedisServer
from test.stores.helpers import PAGE, PATH, TAGS, key, put
from test.stores.test_redis_wire import DATA, connections, store, store_on

__all__ = ["store"]
pytestmark = pytest.mark.slow


def gone(store, before):
    """Whether all connections but those of ``before`` are closed, soon."""
    deadline = time.monotonic() + 2
    while connections(store) - before and time.monotonic() < deadline:
        time.sleep(0.01)
    return not connections(store) - before


def test_tasks_that_are_cancelled_anywhere_leave_no_answer_to_others(store):
    pages = [key(f"/{number}/") for number in range(4)]
    for number, page in enumerate(pages):
        put(store, b"%d" % number * 100_000, page)

    async def look(number):
        return (await store.aread(pages[number], TAGS)).data == b"%d" % number * 100_000

    async def main():
        for step in range(60):
            tasks = [asyncio.create_task(look(number % 4)) for number in range(8)]
            for _ in range(step):  # so that they are cancelled wherever they wait
                await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                assert result is True or isinstance(result, asyncio.CancelledError)
        assert all(await asyncio.gather(*map(look, range(4))))

    before = connections(store)
    asyncio.run(main())
    assert gone(store, before)


def test_a_task_that_is_cancelled_while_it_waits_has_its_connection_closed(store):
    put(store)
    before = connections(store)

    async def main():
        await store.aread(PAGE, TAGS)
        [used] = connections(store) - before
        store.client.client_pause(300)
        task = asyncio.create_task(store.aread(PAGE, TAGS))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        store.client.client_unpause()
        assert (await store.aread(PAGE, TAGS)).data == b"page"
        assert used not in connections(store)

    asyncio.run(main())


def test_a_crowd_shares_a_few_connections(store):
    proof = Proof(put(store, DATA), {PAGE: DATA[:IDENTITY]})
    before = connections(store)

    async def main():
        assert all(await asyncio.gather(*(store.aconfirm(proof) for _ in range(500))))
        assert 1 <= len(connections(store) - before) <= MOST

    asyncio.run(main())
    assert gone(store, before)


def test_a_crowd_waits_no_longer_for_a_server_that_hangs_than_one():
    with RedisServer() as server, store_on(server.url) as store:
        proof = Proof(put(store), {PAGE: b"page"})

        async def main():
            assert await store.aconfirm(proof)
            server.pause()
            started = time.monotonic()
            results = await asyncio.gather(*(store.aconfirm(proof) for _ in range(200)), return_exceptions=True)
            assert {type(result) for result in results} == {redis.TimeoutError}
            assert time.monotonic() - started < 1.5
            server.resume()
            assert await store.aconfirm(proof)

        asyncio.run(main())


def test_a_server_that_was_restarted_costs_a_crowd_no_error():
    with RedisServer() as server, store_on(server.url) as store:
        put(store)

        async def main():
            await asyncio.gather(*(store.aread(PAGE, TAGS) for _ in range(20)))
            server.stop(kill=True)
            with pytest.raises(redis.ConnectionError):
                await store.aread(PAGE, TAGS)
            server.start()
            readings = await asyncio.gather(*(store.aread(PAGE, TAGS) for _ in range(20)))
            assert {reading.data for reading in readings} == {None}

        asyncio.run(main())


def test_each_loop_has_connections_of_its_own_which_end_with_it(store):
    put(store)
    before = connections(store)
    for _ in range(5):
        assert asyncio.run(store.aread(PAGE, TAGS)).data == b"page"
        assert async_to_sync(store.aread)(PAGE, TAGS).data == b"page"
        assert gone(store, before)
    assert len(store.wire._async._places) == 1  # the last is forgotten when the next comes


def test_loops_in_many_threads_do_not_disturb_each_other(store):
    put(store, DATA)
    before = connections(store)
    failures = []

    async def look():
        for _ in range(10):
            readings = await asyncio.gather(*(store.aread(PAGE, TAGS) for _ in range(3)))
            if {reading.data for reading in readings} != {DATA}:
                failures.append("another's answer")

    def work():
        try:
            for _ in range(3):
                asyncio.run(look())
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert gone(store, before)


def test_a_store_that_nobody_uses_any_more_closes_its_connections_while_the_loop_goes_on(redis_server):
    async def main():
        with store_on(redis_server.url) as other:
            before = connections(other)
            with store_on(redis_server.url) as store:
                await store.alease([PATH])
            assert connections(other) - before
            del store
            gc.collect()
            for _ in range(100):
                await asyncio.sleep(0.01)
                if not connections(other) - before:
                    break
            assert not connections(other) - before

    asyncio.run(main())
