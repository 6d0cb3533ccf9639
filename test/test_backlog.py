"""What becomes of an invalidation that the store does not take."""

import subprocess
import sys
import textwrap
import threading
import time

import pytest
from django.core.cache import caches
from django.test import override_settings

from dumper import backlog as module
from dumper import stores
from dumper.backlog import MOST_TAGS, backlog, release
from dumper.rules.tags import SITE, path_tag
from dumper.signals import invalidated
from dumper.stores.guard import withheld
from test.servers import ROOT, RedisServer
from test.stores.helpers import PATH, put, served

pytestmark = pytest.mark.slow

RETRY_DELAY = 0.1


@pytest.fixture
def server():
    """A Redis that may be stopped; when the test is over, nothing waits any more."""
    with RedisServer() as server:
        alias = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": server.url}
        with override_settings(CACHES={"default": alias}, DUMPER_RETRY_DELAY=RETRY_DELAY):
            yield server
            if not server.process:
                server.start()
            wait_until(lambda: not backlog._thread)
            stores.current().store.client.connection_pool.disconnect()
            caches.close_all()
    assert not withheld


def wait_until(true, seconds=5):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_cannot_be_released_is_kept_and_withheld_until_it_is(server, caplog):
    put(stores.current())
    server.stop()
    release([PATH])
    assert len(backlog) == 1
    assert PATH in withheld
    assert SITE not in withheld
    assert [record.levelname for record in caplog.records if record.name == "dumper.invalidation"] == ["ERROR"]
    server.start()
    wait_until(lambda: not backlog)
    assert PATH not in withheld
    wait_until(lambda: not backlog._thread)
    put(stores.current())


def test_a_page_that_is_still_stored_is_not_served_while_its_release_waits(server):
    leases = put(stores.current())
    server.pause()
    release([PATH])
    server.resume()
    wait_until(lambda: "down" not in str(outcome(leases)))
    assert outcome(leases) is None
    wait_until(lambda: not backlog)
    assert outcome(leases) is None
    assert stores.current().store.entries([PATH])[PATH].generation != leases[PATH]


def outcome(leases):
    try:
        return served(stores.current(), leases)
    except stores.guard.StoreError:
        return "down"


def test_all_that_waits_is_released_in_one_thread_and_told(server):
    told = []

    def listen(tags, **kwargs):
        told.append(set(tags))

    invalidated.connect(listen)
    try:
        server.stop()
        for number in range(20):
            release([path_tag(f"/{number}/")], f"holder{number}")
        assert len(backlog) == 20
        assert told == []
        assert [thread.name for thread in threading.enumerate()].count("dumper-backlog") == 1
        server.start()
        wait_until(lambda: not backlog)
        assert len(told) == 20
    finally:
        invalidated.disconnect(listen)


def test_the_hold_of_the_change_is_lifted_as_well(server):
    module.hold([PATH], "holder")
    server.pause()
    release([PATH], "holder")
    server.resume()
    wait_until(lambda: not backlog)
    assert stores.current().entries([PATH])[PATH].holds == {}


def test_too_many_tags_are_replaced_by_the_whole_site(server):
    server.stop()
    release([path_tag(f"/{number}/") for number in range(MOST_TAGS)])
    assert SITE not in withheld
    release([PATH])
    assert SITE in withheld
    for number in range(50):
        release([path_tag(f"/more/{number}/")])
    kept = sum(len(waiting.tags) for waiting in backlog._waiting)
    assert kept <= MOST_TAGS + 51
    assert path_tag("/7/") in withheld


def test_a_release_that_was_kept_before_a_fork_is_made_by_the_child(server):
    """In a process of its own, which forks while the server hangs."""
    finished = run(
        server,
        """
        import os
        leases = put(stores.current())
        redis_server("SIGSTOP")
        release([PATH])
        child = os.fork()
        assert len(backlog) == 1 and PATH in withheld
        redis_server("SIGCONT")
        wait_until(lambda: not backlog and not withheld)
        if not child:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert served(stores.current(), leases) is None
    """,
    )
    assert finished.returncode == 0, finished.stderr


def test_a_process_that_exits_makes_a_last_attempt(server):
    leases = put(stores.current())
    finished = run(
        server,
        """
        redis_server("SIGSTOP")
        release([PATH])
        redis_server("SIGCONT")
        assert len(backlog) == 1
    """,
    )
    assert finished.returncode == 0, finished.stderr
    assert "could not be invalidated" not in finished.stderr
    assert served(stores.current(), leases) is None


def test_a_process_that_exits_in_vain_says_what_is_lost(server):
    server.stop()
    finished = run(
        server,
        """
        release([PATH, path_tag("/größe/")])
    """,
    )
    assert finished.returncode == 0, finished.stderr
    assert "2 tags not invalidated" in finished.stderr
    assert "path:/page/" in finished.stderr
    assert finished.stderr.isascii()


def run(server, script):
    """Run ``script`` in a Python of its own, on the same server."""
    head = f"""
        import logging, os, signal, time
        import django
        from django.conf import settings
        logging.basicConfig(level="ERROR")
        alias = {{"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": {server.url!r}}}
        settings.configure(CACHES={{"default": alias}}, DUMPER_RETRY_DELAY={RETRY_DELAY})
        django.setup()
        from dumper import stores
        from dumper.backlog import backlog, release
        from dumper.rules.tags import path_tag
        from dumper.stores.guard import withheld
        from test.stores.helpers import PATH, put, served
        from test.test_backlog import wait_until
        def redis_server(name):
            os.kill({server.process.pid if server.process else 0}, getattr(signal, name))
    """
    code = textwrap.dedent(head) + textwrap.dedent(script)
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
