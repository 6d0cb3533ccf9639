"""Transactions that do not begin and end as usual: around requests, by hand, with a connection that is lost."""

import gc
from contextlib import suppress
from threading import Thread

import pytest
from django.db import ProgrammingError, connection, connections, transaction
from django.test import Client

from dumper.stores.guard import withheld
from test.app import views
from test.app.changes import Undone, change
from test.app.models import Whatever
from test.app.pages import in_another_thread

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def row(pages):
    return Whatever.objects.create(slug="a")


@pytest.fixture
def action():
    """Sets what a POST to /do/action/ does."""
    yield lambda function: views.actions.update(action=function)
    views.actions.clear()


@pytest.fixture
def atomic_requests(monkeypatch):
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)


def test_with_atomic_requests_pages_are_stored_and_refreshed(pages, row, action, atomic_requests):
    action(lambda: change(row, "b"))
    with pages.refreshed("/a/", "/b/"):
        Client().post("/do/action/")


def test_with_atomic_requests_a_view_that_fails_refreshes_nothing(pages, row, action, atomic_requests):
    def fail():
        change(row, "b")
        raise Undone

    action(fail)
    with pages.kept("/a/", "/b/"), pytest.raises(Undone):
        Client().post("/do/action/")


def test_a_manual_commit_refreshes(pages, row):
    pages.store("/a/", "/b/")
    transaction.set_autocommit(False)
    try:
        change(row, "b")
        assert not in_another_thread(pages.is_hit, "/a/")
        transaction.commit()
        assert not list(withheld)
        assert not in_another_thread(pages.is_hit, "/a/")
        assert in_another_thread(pages.is_hit, "/a/")
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)


def test_a_manual_rollback_refreshes_nothing(pages, row):
    with pages.kept("/a/", "/b/"):
        transaction.set_autocommit(False)
        try:
            change(row, "b")
        finally:
            transaction.rollback()
            transaction.set_autocommit(True)
        assert not list(withheld)


def test_atomic_blocks_in_a_manual_transaction_take_effect_with_the_commit(pages, row):
    with pages.refreshed("/a/", "/b/"):
        transaction.set_autocommit(False)
        try:
            with transaction.atomic():
                change(row, "b")
            assert list(withheld)
            transaction.commit()
        finally:
            transaction.set_autocommit(True)


def test_autocommit_set_again_before_the_commit_leaves_no_page_stale(pages, row):
    with pages.refreshed("/a/", "/b/"):
        transaction.set_autocommit(False)
        change(row, "b")
        with suppress(ProgrammingError):  # SQLite commits, PostgreSQL refuses
            transaction.set_autocommit(True)
        transaction.rollback()
        transaction.set_autocommit(True)
        assert not list(withheld)


def test_a_connection_closed_inside_a_block_leaves_nothing_withheld(pages, row):
    with pages.kept("/a/", "/b/"):
        with suppress(Exception), transaction.atomic():
            change(row, "b")
            connection.close()
        assert not list(withheld)


def test_a_connection_closed_in_a_manual_transaction_leaves_nothing_withheld(pages, row):
    with pages.kept("/a/", "/b/"):
        transaction.set_autocommit(False)
        change(row, "b")
        connection.close()
        assert not list(withheld)


@pytest.mark.parametrize("begin", [lambda: transaction.atomic().__enter__(), lambda: transaction.set_autocommit(False)])
@pytest.mark.filterwarnings("ignore:.*:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_thread_that_dies_inside_a_transaction_leaves_nothing_withheld(pages, row, begin):
    def die():
        begin()
        change(row, "b")

    with pages.kept("/a/", "/b/"):
        thread = Thread(target=die)
        thread.start()
        thread.join()
        gc.collect()
        assert not list(withheld)
