"""What runs after a commit may use the database; what it changes is not lost, and nor is the connection."""

import pytest
from django.db import connection, transaction

import dumper
from dumper.signals import invalidated
from dumper.stores.guard import withheld
from test.app.models import Article, Ticket, Whatever

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receive():
    """Connects a receiver of the signal for the length of a test."""
    receivers = []

    def connect(receiver):
        receivers.append(receiver)
        invalidated.connect(receiver)

    yield connect
    for receiver in receivers:
        invalidated.disconnect(receiver)


def test_a_receiver_may_ask_the_database(pages, receive):
    counts = []
    receive(lambda tags, **kwargs: counts.append(Article.objects.count()))
    Article.objects.create(slug="a")
    with transaction.atomic():
        Article.objects.create(slug="b")
    assert counts == [1, 2]
    assert connection.get_autocommit()
    Article.objects.create(slug="c")
    assert Article.objects.count() == 3


def test_a_receiver_may_save_what_is_registered(refreshed, receive):
    def save(tags, **kwargs):
        if "path:/a/" in tags:
            Ticket.objects.create(slug="ticket")

    receive(save)
    with refreshed("/a/", "/ticket/"):
        Article.objects.create(slug="a")
    assert not list(withheld)


def test_an_error_of_a_receiver_changes_nothing(refreshed, receive):
    def fail(tags, **kwargs):
        raise ZeroDivisionError

    receive(fail)
    with refreshed("/a/"):
        Article.objects.create(slug="a")
    assert connection.get_autocommit()


def test_dependent_paths_may_save_what_is_registered(refreshed, monkeypatch):
    def names(row):
        Ticket.objects.get_or_create(slug="ticket")
        return ["/a/"]

    monkeypatch.setattr(Whatever, "names", staticmethod(names))
    with refreshed("/a/", "/ticket/"):
        Whatever.objects.create()
    assert not list(withheld)


def test_on_commit_callbacks_may_save_what_is_registered(refreshed):
    with refreshed("/a/", "/b/"), transaction.atomic():
        Article.objects.create(slug="a")
        transaction.on_commit(lambda: Article.objects.create(slug="b"))


def test_a_failing_write_in_dependent_paths_does_not_break_the_transaction(refreshed, monkeypatch):
    def names(row):
        Article.objects.create(slug="a")  # is there already
        return ["/never/"]

    Article.objects.create(slug="a")
    monkeypatch.setattr(Whatever, "names", staticmethod(names))
    with refreshed("/elsewhere/"):
        Whatever.objects.create()
    assert Whatever.objects.exists()


def test_clearing_that_is_rolled_back_keeps_every_page(pages):
    with pages.kept("/a/", "/b/"), transaction.atomic():
        dumper.clear()
        transaction.set_rollback(True)
