"""The end of a process, and a fork of it: what waits is delivered or named, and nobody waits for long."""

import subprocess
import sys
import textwrap
import time

import pytest

from test.servers import ROOT
from test.upstreams.helpers import HOSTS, HTTP
from test.upstreams.peers import DROP, HANG, Peer, answer

pytestmark = pytest.mark.slow

SETUP = """
    import logging, os, sys, time
    import django
    from django.conf import settings

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    entry = {{"BACKEND": {http!r}, "LOCATION": sys.argv[1], "HOSTS": {hosts!r}, "TIMEOUT": {timeout!r}}}
    settings.configure(
        INSTALLED_APPS=["dumper"],
        DUMPER_UPSTREAMS={{"edge": {{**entry, "OPTIONS": {{"again_after": {again_after!r}}}}}}},
        DUMPER_RETRY_DELAY={retry_delay!r},
    )
    django.setup()
    from dumper.backlog import announce
    from dumper.rules.tags import path_tag
    from dumper.upstreams.courier import mailboxes
    from dumper.upstreams.dispatch import courier

    def change(*paths):
        announce([path_tag(path) for path in paths])

    def until(true):
        end = time.monotonic() + 20
        while not true():
            assert time.monotonic() < end
            time.sleep(0.005)

    def is_idle():
        return courier("edge")._thread is None
"""


def run(peer, script, again_after=None, timeout=30.0, retry_delay=0.05):
    """What a process writes into its log, and how many seconds it takes after it has said that it ends."""
    given = {"http": HTTP, "hosts": HOSTS, "again_after": again_after, "timeout": timeout, "retry_delay": retry_delay}
    code = textwrap.dedent(SETUP).format(**given) + textwrap.dedent(script) + "\nprint('ends', flush=True)\n"
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code, peer.url]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:
        try:
            assert process.stdout.readline() == "ends\n", process.stderr.read()
            began = time.monotonic()
            log = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert process.returncode == 0, log
    return log.splitlines(), time.monotonic() - began


@pytest.mark.alone
def test_what_waits_is_delivered_before_the_process_ends():
    with Peer() as peer:
        log, seconds = run(peer, "change(*map('/{}/'.format, range(500)))")
        assert len(set(peer.targets)) == 500
    assert log == []
    assert seconds < 2.5


@pytest.mark.alone
def test_later_rounds_are_made_at_once_and_nobody_waits_for_their_time():
    with Peer() as peer:
        log, seconds = run(
            peer, "change('/a/'); until(lambda: courier('edge').memory.next_due() > 1)", again_after=3600
        )
        assert peer.targets == ["/a/", "/a/"]
    assert log == []
    assert seconds < 2.5


def test_an_upstream_that_hangs_keeps_no_process_from_ending_which_names_what_is_lost():
    with Peer(then=HANG) as peer:
        log, seconds = run(peer, "change('/a/', '/é/'); time.sleep(0.1)", timeout=60)
    assert log == ["ERROR Gave up on 2 purges of 'edge': the process has ended. path:/a/, path:/%C3%A9/"]
    assert 1 < seconds < 10


@pytest.mark.alone
@pytest.mark.parametrize("fault", [answer(503), DROP])
def test_an_upstream_that_fails_gets_a_last_chance_whatever_it_was_to_wait(fault):
    with Peer(fault) as peer:
        log, seconds = run(peer, "change('/a/'); until(lambda: courier('edge').delay)", retry_delay=3600)
        assert peer.targets == ["/a/", "/a/"]
    assert [line.split()[0] for line in log] == ["ERROR", "WARNING"]
    assert "answers again" in log[1]
    assert seconds < 2.5


@pytest.mark.alone
def test_an_upstream_that_still_fails_is_not_waited_for():
    with Peer(then=answer(503)) as peer:
        log, seconds = run(peer, "change('/a/'); until(lambda: courier('edge').delay)", retry_delay=3600)
        assert len(peer.requests) == 2
    assert log[-1] == "ERROR Gave up on 1 purges of 'edge': the process has ended. path:/a/"
    assert seconds < 2.5


@pytest.mark.alone
def test_what_a_mailbox_has_for_later_is_not_waited_for():
    script = """
        mailboxes.append(lambda told: 3600.0)
        change("/a/")
        until(lambda: not len(courier("edge").memory))
        """
    with Peer() as peer:
        log, seconds = run(peer, textwrap.dedent(script))
    assert (log, seconds < 2.5) == ([], True)


@pytest.mark.alone
def test_a_process_with_nothing_to_deliver_ends_at_once():
    with Peer() as peer:
        log, seconds = run(peer, "")
    assert (log, seconds < 2) == ([], True)


def test_a_change_in_a_function_that_runs_at_exit_is_delivered_or_named():
    with Peer() as peer:
        log, _ = run(peer, "import atexit; atexit.register(change, '/late/')")
        # A thread cannot be started any more in some versions of Python.
        assert peer.targets == ["/late/"] or "/late/" in log[-1]


FORK = """
    change("/before/")
    until(is_idle)
    pid = os.fork()
    if not pid:
        change("/child/")
        until(is_idle)
        sys.exit()
    assert os.waitpid(pid, 0)[1] == 0
    change("/parent/")
    until(is_idle)
"""


def test_after_a_fork_both_deliver_each_on_a_connection_of_its_own():
    with Peer() as peer:
        log, _ = run(peer, textwrap.dedent(FORK))
        assert [(asked.target, asked.connection) for asked in peer.requests] == [
            ("/before/", 1),
            ("/child/", 2),
            ("/parent/", 1),
        ]
    assert log == []


WAITING = """
    change("/parent/")
    until(lambda: courier("edge").delay)
    pid = os.fork()
    if not pid:
        assert not len(courier("edge").memory)
        assert not courier("edge").delay
        change("/child/")
        until(is_idle)
        sys.exit()
    assert os.waitpid(pid, 0)[1] == 0
"""


def test_what_waits_when_a_process_forks_is_the_parents_to_deliver():
    with Peer(answer(503)) as peer:
        log, _ = run(peer, textwrap.dedent(WAITING), retry_delay=3600)
        assert peer.targets == ["/parent/", "/child/", "/parent/"]
    assert [line.split()[0] for line in log] == ["ERROR", "WARNING"]


def test_a_fork_while_a_thread_waits_for_an_answer_blocks_nobody():
    script = """
        change("/hangs/")
        time.sleep(0.1)
        pid = os.fork()
        if not pid:
            change("/child/")
            until(is_idle)
            sys.exit()
        assert os.waitpid(pid, 0)[1] == 0
        """
    with Peer(HANG) as peer:
        run(peer, textwrap.dedent(script))
        assert peer.targets[:2] == ["/hangs/", "/child/"]
