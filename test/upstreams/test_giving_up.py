"""What cannot be purged is not tried forever, and never given up on in silence."""

from django.test import override_settings

from dumper.rules.tags import SITE
from dumper.signals import undelivered
from dumper.upstreams.base import Impossible, UpstreamError
from dumper.upstreams.courier import Courier
from dumper.upstreams.dispatch import courier
from test.upstreams.helpers import http, messages, paths, until, upstreams
from test.upstreams.peers import Peer, answer


def test_what_fails_for_too_long_is_given_up_on_with_a_signal_and_a_line_in_the_log(caplog, lost):
    with (
        override_settings(DUMPER_GIVE_UP_AFTER=0.05),
        Peer(then=answer(500)) as peer,
        upstreams(edge=http(peer)),
    ):
        courier("edge").put(paths("/größe/"))
        until(lambda: lost)
        until(lambda: courier("edge")._thread is None)
    [(name, tags, error)] = lost
    assert (name, tags) == ("edge", paths("/größe/"))
    assert "answered 500" in error
    *_, (level, text) = messages(caplog)
    assert level == "ERROR"
    assert text.startswith("Gave up on 1 purges of 'edge': ")
    assert text.endswith("path:/gr%C3%B6%C3%9Fe/")


def test_of_many_that_are_given_up_on_the_log_names_some(caplog, lost):
    Courier("edge").give_up(paths("/\r\n", *map("/{}/".format, range(999))), "why")
    [(_, text)] = messages(caplog)
    assert text.startswith("Gave up on 1000 purges of 'edge': why. path:/%0D%0A, path:/0/, ")
    assert text.isprintable()
    assert len(text) < 1000
    assert len(lost[0][1]) == 1000


def test_a_receiver_that_fails_harms_nobody(lost):
    def fail(**kwargs):
        raise ZeroDivisionError

    undelivered.connect(fail)
    try:
        Courier("edge").give_up(paths("/a/"), "why")
    finally:
        undelivered.disconnect(fail)
    assert len(lost) == 1


def test_what_is_impossible_is_given_up_on_at_once_and_spoils_nothing_else(lost):
    with Peer() as peer, upstreams(edge=http(peer, again_after=0.05)):
        told = courier("edge")
        told.memory.put({SITE, *paths("/a/", "/b/")})
        told.wake()
        until(lambda: told._thread is None)
        assert [(name, tags) for name, tags, _ in lost] == [("edge", {SITE})]
        assert "clear it by hand" in lost[0][2]
        assert peer.targets[-2:] == ["/a/", "/b/"]  # in the second round
        assert set(peer.targets[:-2]) == {"/a/", "/b/"}


def test_an_upstream_that_is_there_no_more_is_given_up_on(lost):
    courier("gone").put(paths("/a/"))
    until(lambda: lost)
    assert lost[0][2] == "there is no upstream 'gone'"


def test_what_is_told_now_is_done_when_that_returns_or_soon_if_it_fails(scripted, lost):
    told = courier("scripted")
    told.tell_now(paths("/a/"))
    assert scripted.purged == [paths("/a/")]
    scripted.errors = [UpstreamError("no"), UpstreamError("no")]
    told.tell_now(paths("/b/"))
    until(lambda: scripted.purged == [paths("/a/"), paths("/b/")])
    scripted.errors = [Impossible("never")]
    told.tell_now(paths("/c/"))
    assert lost == [("scripted", paths("/c/"), "never")]
