"""What killed processes have left is delivered by those that serve pages, whether anybody asks for one or not."""

import threading

import pytest
from django.core import mail
from django.core.handlers.wsgi import WSGIHandler

import dumper
from dumper.outbox import wiring
from dumper.outbox.patrol import patrol
from test.outbox.rows import rows, wait_for

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "other"]),
    pytest.mark.usefixtures("pages", "edge", "by_hand"),
]


@pytest.fixture
def in_production(monkeypatch):
    """Not in a test environment, which has a mailbox of its own."""
    monkeypatch.delattr(mail, "outbox")
    yield
    patrol.stop()


def test_it_begins_when_the_middleware_is_loaded(in_production, edge):
    dumper.invalidate_paths(["/a/"])
    assert not edge.calls
    WSGIHandler()
    wait_for(lambda: "/a/" in edge.purged and not rows())


def test_it_goes_on_looking(in_production, edge, monkeypatch):
    monkeypatch.setattr("dumper.outbox.patrol.INTERVAL", 0.05)
    WSGIHandler()
    for path in ("/a/", "/b/"):
        dumper.invalidate_paths([path])
        wait_for(lambda path=path: path in edge.purged and not rows())


def patrols():
    return [thread for thread in threading.enumerate() if thread.name == "dumper-patrol"]


def test_there_is_one_however_many_stacks_are_made(in_production):
    for _ in range(3):
        WSGIHandler()
    assert len(patrols()) == 1


def test_there_is_none_in_a_test_environment_and_none_without_the_outbox(monkeypatch):
    WSGIHandler()
    assert not patrols()
    monkeypatch.delattr(mail, "outbox")
    wiring.disconnect()
    WSGIHandler()
    assert not patrols()


def test_after_a_fork_the_child_has_one_of_its_own(in_production):
    WSGIHandler()
    before = patrol._thread
    patrol.after_fork()
    assert patrol._thread is not before
    patrol.stop()
    before.join()


def test_a_child_of_a_process_that_serves_no_pages_has_none(in_production):
    patrol.after_fork()
    assert not patrols()
