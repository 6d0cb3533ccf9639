"""A thread per upstream: it tries again until the purge is confirmed, says so, and never hurries what fails."""

import random
import threading

import pytest
from django.test import override_settings

from dumper.upstreams import courier as module
from dumper.upstreams import find
from dumper.upstreams.base import UpstreamError
from dumper.upstreams.courier import MOST_DELAY, Courier
from dumper.upstreams.dispatch import courier
from test.upstreams.helpers import http, messages, paths, until, upstreams
from test.upstreams.peers import DROP, HANG, OK, Peer, answer


def test_what_is_put_is_delivered_by_a_thread_that_ends_with_it():
    with Peer() as peer, upstreams(edge=http(peer)):
        told = courier("edge")
        told.put(paths("/a/"))
        until(lambda: peer.targets == ["/a/"] and told._thread is None)
        told.put(paths("/b/"))
        until(lambda: peer.targets == ["/a/", "/b/"] and told._thread is None)
        assert not len(told.memory)


def test_each_purge_is_done_again_after_so_many_seconds():
    with Peer() as peer, upstreams(edge=http(peer, again_after=[0.02, 0.05])):
        courier("edge").put(paths("/a/"))
        until(lambda: courier("edge")._thread is None)
        assert peer.targets == ["/a/"] * 3


def test_while_a_round_waits_a_new_change_is_delivered_at_once():
    with Peer() as peer, upstreams(edge=http(peer, again_after=3600)):
        courier("edge").put(paths("/a/"))
        until(lambda: peer.targets == ["/a/"])
        courier("edge").put(paths("/b/"))
        until(lambda: peer.targets == ["/a/", "/b/"])


FAULTS = [("503", answer(503)), ("a redirect", answer(301, Location="/")), ("no answer", HANG), ("dropped", DROP)]


@pytest.mark.parametrize("fault", [row[1] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_a_fault_is_logged_once_and_so_is_its_end(fault, caplog, lost):
    with Peer(*[fault] * 4) as peer, upstreams(edge=http(peer, timeout=0.05)):
        courier("edge").put(paths("/a/"))
        until(lambda: len(peer.requests) == 5 and courier("edge")._thread is None)
        assert [level for level, _ in messages(caplog)] == ["ERROR", "WARNING"]
        [(_, failed), (_, again)] = messages(caplog)
        assert failed.startswith(f"The upstream 'edge' was not purged, will try again: {peer.url}")
        assert again == "The upstream 'edge' answers again."
        assert not lost
        caplog.clear()
        peer.then(OK)
        courier("edge").put(paths("/b/"))
        until(lambda: peer.targets[-1] == "/b/")
        assert not messages(caplog)


def test_changes_meanwhile_are_delivered_with_the_rest_each_once():
    with Peer(then=answer(503)) as peer, upstreams(edge=http(peer)):
        for _ in range(50):
            courier("edge").put(paths("/a/"))
            courier("edge").put(paths("/b/", "/a/"))
        until(lambda: len(peer.requests) > 3)
        assert len(courier("edge").memory) == 2
        before = len(peer.requests)
        peer.then(OK)
        until(lambda: courier("edge")._thread is None)
        fine = peer.targets[before:]
        assert 2 <= len(fine) <= 5
        assert set(fine) == {"/a/", "/b/"}


def test_one_upstream_that_fails_keeps_no_other_waiting():
    with Peer(then=HANG) as bad, Peer() as good, upstreams(bad=http(bad, timeout=5), good=http(good)):
        courier("bad").put(paths("/a/"))
        until(lambda: bad.requests)
        courier("good").put(paths("/a/"))
        until(lambda: good.targets == ["/a/"])
        bad.wake()


def test_delays_grow_with_jitter_and_have_a_bound(scripted):
    with override_settings(DUMPER_RETRY_DELAY=1.0):
        random.seed(7)
        delays = []
        told = Courier("scripted")
        for _ in range(40):
            scripted.errors.append(UpstreamError("no"))
            assert told.tell(paths("/a/"), "r") == "UpstreamError: no"
            delays.append(told.delay)
    for number, delay in enumerate(delays):
        most = min(MOST_DELAY, 2**number)
        assert most / 2 * 0.99 <= delay <= most
    assert len({round(delay) for delay in delays[-20:]}) > 5


@pytest.mark.parametrize(("asked", "least", "most"), [(30, 29, 30), (10**9, MOST_DELAY - 1, MOST_DELAY), (0, 0, 1)])
def test_an_upstream_may_ask_for_a_longer_delay_within_a_bound(scripted, asked, least, most):
    with override_settings(DUMPER_RETRY_DELAY=1.0):
        scripted.errors = [UpstreamError("wait", retry_after=asked)]
        told = Courier("scripted")
        told.tell(paths("/a/"), "r")
        assert least <= told.delay <= most


def test_a_failure_that_nobody_expected_is_logged_with_its_traceback_and_tried_again(scripted, caplog):
    scripted.errors = [ZeroDivisionError("a bug"), KeyError("another")]
    courier("scripted").put(paths("/a/"))
    until(lambda: scripted.purged == [paths("/a/")])
    assert [record.levelname for record in caplog.records[:1]] == ["ERROR"]
    assert caplog.records[0].exc_info[0] is ZeroDivisionError


def test_the_same_purge_tried_again_has_the_same_reference(scripted):
    scripted.errors = [UpstreamError("no")] * 2
    courier("scripted").put(paths("/a/"))
    until(lambda: scripted.purged)
    assert len(set(scripted.references)) == 1
    assert len(scripted.references) == 3


def test_after_a_failure_it_begins_with_a_little_and_an_unsteady_upstream_gets_on(scripted, monkeypatch):
    monkeypatch.setattr(module, "MOST_STRIDE", 8)
    told = Courier("scripted")
    told.memory.put(paths(*map("/{}/".format, range(40))))
    scripted.errors = [UpstreamError("no")]
    told.put([])
    until(lambda: told._thread is None)
    assert sum(map(len, scripted.purged)) == 40
    assert [len(tags) for tags in scripted.purged][:4] == [1, 2, 4, 8]


def test_one_purge_at_a_time(scripted):
    running, most = [], []

    def purge(tags, reference):
        running.append(1)
        most.append(len(running))
        threading.Event().wait(0.005)
        running.pop()

    scripted.purge = purge
    told = courier("scripted")
    threads = [threading.Thread(target=told.tell_now, args=(paths("/a/"),)) for _ in range(5)]
    told.put(paths("/b/"))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: told._thread is None)
    assert len(most) == 6
    assert max(most) == 1


def test_a_mailbox_is_looked_into_besides_unless_the_upstream_fails(scripted, monkeypatch):
    asked = []
    monkeypatch.setattr(module, "mailboxes", [lambda told: asked.append(told.name)])
    told = Courier("scripted")
    assert told.deliver() is None
    assert asked == ["scripted"]
    scripted.errors = [UpstreamError("no", retry_after=5)]
    told.memory.put(paths("/a/"))
    assert told.deliver() > 4
    assert asked == ["scripted"]


def test_a_mailbox_that_fails_is_looked_into_again(scripted, monkeypatch, caplog):
    answers = [ZeroDivisionError, None]

    def mailbox(told):
        if found := answers.pop(0):
            raise found

    monkeypatch.setattr(module, "mailboxes", [mailbox])
    told = courier("scripted")
    told.wake()
    until(lambda: told._thread is None)
    assert not answers
    assert [text for _, text in messages(caplog)] == ["Could not deliver to 'scripted', will try again"]


def test_patience_is_longer_than_an_attempt_takes(scripted):
    with upstreams(edge=http("http://127.0.0.1:1", timeout=30)):
        assert Courier("edge").patience > find("edge").config.timeout * 2
    assert Courier("gone").patience > 0
