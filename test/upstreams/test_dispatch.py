"""From a change to every upstream: after the commit, never for a rollback, and without a moment's waiting."""

import time

import pytest
from django.db import transaction
from django.test import override_settings
from django.urls import get_script_prefix, set_script_prefix

import dumper
from dumper.backlog import announce
from dumper.rules.tags import SITE, named_tag, path_tag
from dumper.upstreams import find
from dumper.upstreams import memory as memory_module
from dumper.upstreams.base import UpstreamError
from dumper.upstreams.dispatch import courier, public
from dumper.upstreams.dummy import Dummy
from test.upstreams.helpers import http, messages, paths, until, upstreams
from test.upstreams.peers import HANG, Peer

DUMMY = {"BACKEND": "dumper.upstreams.dummy.Dummy"}


class Unsteady(Dummy):
    """Told at once, and fails at first."""

    def purge(self, tags, reference):
        super().purge(tags, reference)
        if len(self.purged) < 3:
            raise UpstreamError("not yet")


@pytest.fixture
def prefix():
    """Sets the script prefix, and puts it back."""
    before = get_script_prefix()
    yield set_script_prefix
    set_script_prefix(before)


def test_what_is_invalidated_is_purged_everywhere():
    with Peer() as first, Peer() as second, upstreams(first=http(first), second=http(second)):
        announce(paths("/a/"))
        until(lambda: first.targets == second.targets == ["/a/"])


@pytest.mark.django_db(transaction=True)
def test_a_change_is_purged_after_its_commit_and_not_before():
    with upstreams(edge=DUMMY):
        with transaction.atomic():
            dumper.invalidate_paths(["/a/"])
            assert find("edge").purged == []
        assert find("edge").purged == [paths("/a/")]
        dumper.invalidate_paths(["/b/"])
        dumper.clear()
        assert find("edge").purged[1:] == [paths("/b/"), {SITE}]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_purged_nowhere():
    with upstreams(edge=DUMMY):
        with transaction.atomic():
            dumper.invalidate_paths(["/a/"])
            transaction.set_rollback(True)
        assert find("edge").purged == []


@pytest.mark.django_db(transaction=True)
def test_a_change_never_waits_for_an_upstream():
    with Peer(then=HANG) as peer, upstreams(edge=http(peer, timeout=30)):
        dumper.invalidate_paths(["/first/"])
        until(lambda: peer.requests)
        began = time.monotonic()
        for number in range(100):
            dumper.invalidate_paths([f"/{number}/"])
        assert time.monotonic() - began < 5
        assert peer.targets == ["/first/"]
        assert len(courier("edge").memory) == 101
        peer.wake()


def test_what_is_recorded_elsewhere_is_not_kept_in_memory_too(monkeypatch):
    asked = []
    monkeypatch.setattr("dumper.upstreams.courier.mailboxes", [lambda told: asked.append(told.name)])
    with Peer() as peer, upstreams(edge=http(peer)):
        announce(paths("/a/"), is_recorded=True)
        until(lambda: asked == ["edge"])
        until(lambda: courier("edge")._thread is None)
        assert not peer.requests
        assert not len(courier("edge").memory)


def test_one_that_is_told_at_once_knows_when_the_change_is_done():
    with upstreams(edge=DUMMY):
        announce(paths("/a/"))
        announce({named_tag("menu")}, is_recorded=True)
        assert find("edge").purged == [paths("/a/"), {named_tag("menu")}]


def test_one_that_is_told_at_once_and_fails_is_told_again_and_keeps_nobody_from_being_told(caplog):
    unsteady = {"BACKEND": f"{__name__}.Unsteady"}
    with Peer() as peer, upstreams(first=unsteady, edge=http(peer)):
        announce(paths("/a/"))
        until(lambda: peer.targets == ["/a/"])
        until(lambda: find("first").purged == [paths("/a/")] * 3)
        until(lambda: courier("first")._thread is None)
    assert [level for level, _ in messages(caplog)] == ["ERROR", "WARNING"]


def test_an_upstream_that_is_set_up_wrongly_keeps_no_other_from_being_told():
    with upstreams(bad={}, edge=DUMMY):
        announce(paths("/a/"))
        assert find("edge").purged == [paths("/a/")]


def test_without_upstreams_nothing_happens():
    announce(paths("/a/"))


PUBLIC = [
    ("/", ["/a/", "/app/b/"], ["/a/", "/app/b/"]),
    ("/app/", ["/a/"], ["/a/", "/app/a/"]),
    ("/app/", ["/app/a/"], ["/app/a/"]),
    ("/app/", ["/apple/"], ["/apple/", "/app/apple/"]),
    ("/app/", ["/app"], ["/app", "/app/app"]),
    ("/größe/", ["/é/"], ["/é/", "/größe/é/"]),
]


@pytest.mark.parametrize(("mount", "changed", "named"), PUBLIC)
def test_paths_are_named_as_visitors_see_them(prefix, mount, changed, named):
    prefix(mount)
    others = {SITE, named_tag("/a/")}
    assert public({*paths(*changed), *others}) == {*paths(*named), *others}


def test_the_script_prefix_is_that_of_the_request_that_has_made_the_change(prefix):
    with Peer() as peer, upstreams(edge=http(peer)):
        prefix("/app/")
        announce(paths("/a/"))
        prefix("/")
        until(lambda: sorted(peer.targets) == ["/a/", "/app/a/"])


VARNISH = {"BACKEND": "dumper.upstreams.varnish.Varnish"}


def test_memory_is_bounded_while_an_upstream_is_down(monkeypatch, caplog):
    monkeypatch.setattr(memory_module, "MOST_TAGS", 100)
    with upstreams(edge=http("http://127.0.0.1:1")), override_settings(DUMPER_RETRY_DELAY=60):
        for number in range(1000):
            announce(paths(f"/{number}/"))
            assert len(courier("edge").memory) <= 100
        # It cannot be cleared: what is dropped is the oldest, and is said now and then.
        assert path_tag("/999/") in courier("edge").memory.due(True)
    given_up = [message for message in caplog.messages if "too many wait" in message]
    assert 50 < len(given_up) < 100


def test_where_the_upstream_can_be_cleared_the_site_stands_for_what_is_too_much(monkeypatch):
    monkeypatch.setattr(memory_module, "MOST_TAGS", 100)
    with upstreams(edge={**VARNISH, "LOCATION": "http://127.0.0.1:1"}), override_settings(DUMPER_RETRY_DELAY=60):
        for number in range(150):
            announce(paths(f"/{number}/"))
            assert len(courier("edge").memory) <= 100
        assert SITE in courier("edge").memory.due(True)


def test_a_dummy_lists_what_it_was_told_and_the_urls_of_that():
    with upstreams(edge={**DUMMY, "HOSTS": ["a.example"]}):
        announce({*paths("/é/"), SITE})
        [tags] = find("edge").purged
        assert [host + target for host, target in find("edge").urls(tags)] == ["a.example/%C3%A9/"]
