"""While Redis is away the site stays up, slower; when it is back, nothing stale is served."""

import logging
import pickle
import threading
import time

import pytest
from django.core.cache import caches
from django.test import override_settings

import dumper
from dumper.backlog import backlog
from dumper.conf import settings as dumper_settings
from test.middleware import urls

pytestmark = pytest.mark.slow


def until(condition, seconds=10):
    """Wait until ``condition()`` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def is_hit(response) -> bool:
    return response["Cache-Status"] == "dumper; hit"


def errors(log) -> list[str]:
    return [record.getMessage() for record in log.records if record.levelno >= logging.ERROR]


def test_a_dead_store_at_the_look_up_is_passed_by_and_reported_once(redis, get, log):
    stored = get("/page/")
    redis.stop(kill=True)
    pages = [get("/page/") for _ in range(5)]
    assert {page.status_code for page in pages} == {200}
    assert len({page.content for page in [stored, *pages]}) == 6
    assert {page["Cache-Status"] for page in pages} == {'dumper; fwd=bypass; detail="the store does not answer"'}
    [error] = errors(log)
    assert error.startswith("The store does not answer")


def test_a_store_that_does_not_lease_is_passed_by(redis, get, log):
    redis._ask(b"ACL SETUSER default -eval -evalsha -script\r\n")
    response = get("/page/")
    assert response.status_code == 200
    assert response["Cache-Status"] == 'dumper; fwd=bypass; detail="the store does not answer"'
    assert len(errors(log)) == 1


def test_a_store_that_dies_during_the_render_does_not_take_the_page_with_it(redis, get, log):
    urls.during.append(lambda: redis.stop(kill=True))
    response = get("/page/")
    urls.during.clear()
    assert response.status_code == 200
    assert response["Cache-Status"] == 'dumper; fwd=uri-miss; detail="the store did not take it"'
    # That a page was not taken, and that the store is down, which is noticed when the next word is to be said to it.
    said = [record.levelname for record in log.records if record.name == "dumper.store"]
    assert said == ["WARNING", "ERROR"]


@pytest.mark.parametrize("fail", ["stop", "pause"])
def test_while_the_store_is_left_alone_a_request_costs_next_to_nothing(redis, get, fail):
    with override_settings(DUMPER_RETRY_DELAY=60, DUMPER_STORE_TIMEOUT=1):
        getattr(redis, fail)()
        get("/page/")
        durations = []
        for _ in range(20):
            started = time.perf_counter()
            status = get("/page/")["Cache-Status"]
            durations.append(time.perf_counter() - started)
            assert status == 'dumper; fwd=bypass; detail="the store does not answer"'
        assert min(durations) < dumper_settings().store_timeout / 2  # nobody waits for it
        assert sum(durations) < 20 * dumper_settings().store_timeout


@pytest.mark.alone
def test_a_silent_store_costs_its_timeout_and_no_more(redis, get, log):
    get("/page/")
    redis.pause()
    started = time.perf_counter()
    assert get("/page/").status_code == 200
    assert time.perf_counter() - started < 3
    assert "TimeoutError" in log.text


def test_a_store_that_is_back_is_used_again(redis, get, log):
    get("/page/")
    redis.stop()
    get("/page/")
    redis.start()
    until(lambda: is_hit(get("/page/")))
    assert "The store answers again." in [record.getMessage() for record in log.records]
    assert is_hit(get("/page/"))


@pytest.mark.parametrize("fail", ["pause", "stop"])
def test_what_was_invalidated_meanwhile_is_not_served_stale_afterwards(redis, get, fail, log):
    stale = get("/page/")
    assert is_hit(get("/page/"))
    getattr(redis, fail)()
    dumper.invalidate_paths(["/page/"])
    assert len(backlog) == 1
    (redis.resume if fail == "pause" else redis.start)()
    for _ in range(50):
        assert get("/page/").content != stale.content
    until(lambda: not len(backlog))
    until(lambda: is_hit(get("/page/")))
    assert get("/page/").content != stale.content


def test_other_pages_are_hits_while_one_waits_to_be_invalidated(redis, get):
    get("/page/"), get("/any/other")
    redis.pause()
    with override_settings(DUMPER_RETRY_DELAY=1):
        dumper.invalidate_paths(["/page/"])
    redis.resume()
    until(lambda: is_hit(get("/any/other")))
    until(lambda: not len(backlog))


def everything(client):
    return list(client.scan_iter("*"))


GARBAGE = {
    "nothing": b"",
    "a byte": b"\xff",
    "a pickle": pickle.dumps({"a": 1}),
    "half an entry": b"1 ",
    "an entry of a future": b"2 g1",
    "an entry with a hold of garbage": b"1 g1 a=b",
    "half a response": b"DMPR\x01",
    "a long text": b"a" * 100_000,
}


@override_settings(DUMPER_STORE_TIMEOUT=5)  # the server is well, and shall not be taken for slow
@pytest.mark.parametrize("value", GARBAGE.values(), ids=GARBAGE)
def test_garbage_under_any_key_is_rendered_over(redis, get, value):
    page = get("/page/")
    client = caches["default"].client.get_client()
    for key in everything(client):
        get("/page/")
        client.set(key, value)
        again = get("/page/")
        assert again.status_code == 200
        page = get("/page/")
        assert get("/page/").content == page.content, key


@override_settings(DUMPER_STORE_TIMEOUT=5)  # the server is well, and shall not be taken for slow
@pytest.mark.parametrize("kind", ["list", "hash", "set"])
def test_garbage_of_another_type_is_rendered_over(redis, get, kind):
    get("/page/")
    client = caches["default"].client.get_client()
    write = {"list": client.lpush, "set": client.sadd, "hash": lambda key, value: client.hset(key, value, value)}[kind]
    for key in everything(client):
        get("/page/")
        client.delete(key)
        write(key, "garbage")
        assert get("/page/").status_code == 200
        until(lambda: is_hit(get("/page/")))


def test_a_flushed_store_is_filled_again(redis, get):
    first = get("/page/")
    redis.flush()
    second = get("/page/")
    assert second["Cache-Status"] == "dumper; fwd=uri-miss; stored"
    assert second.content != first.content
    assert is_hit(get("/page/"))


def test_what_is_flushed_during_the_render_is_not_stored_on_old_leases(redis, get):
    urls.during.append(redis.flush)
    assert get("/page/")["Cache-Status"] == 'dumper; fwd=uri-miss; detail="changed while it was rendered"'
    urls.during.clear()
    assert get("/page/")["Cache-Status"] == "dumper; fwd=uri-miss; stored"


def test_what_is_invalidated_during_the_render_is_not_stored(get):
    def invalidate():
        thread = threading.Thread(target=dumper.invalidate_paths, args=(["/page/"],))
        thread.start()
        thread.join()

    urls.during.append(invalidate)
    assert get("/page/")["Cache-Status"] == 'dumper; fwd=uri-miss; detail="changed while it was rendered"'
    urls.during.clear()
    assert get("/page/")["Cache-Status"] == "dumper; fwd=uri-miss; stored"


@override_settings(DUMPER_CACHE_ALIAS="nowhere")
def test_an_alias_that_does_not_exist_is_a_store_that_does_not_answer(get, log):
    responses = [get("/page/") for _ in range(2)]
    assert {response.status_code for response in responses} == {200}
    assert {response["Cache-Status"] for response in responses} == {
        'dumper; fwd=bypass; detail="the store does not answer"'
    }
    [error] = errors(log)
    assert "nowhere" in error
