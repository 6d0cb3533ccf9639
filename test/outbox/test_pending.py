"""What the outbox knows and the store does not is not served."""

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext

from dumper.outbox import deliver
from dumper.outbox import pending as module
from dumper.outbox.models import STORE, Delivery, lines_of
from dumper.outbox.pending import pending
from dumper.rules.tags import path_tag
from dumper.stores.guard import withheld

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "other"]),
    pytest.mark.usefixtures("pages", "edge", "by_hand"),
]


@pytest.fixture(autouse=True)
def nobody_delivers(monkeypatch):
    """The couriers are not woken, but where a test says so."""
    monkeypatch.setattr(module, "courier", lambda name: Sleeper())
    monkeypatch.setattr(pending, "_found", {})
    pending.expire()


class Sleeper:
    def wake(self):
        pass


def untold(*paths, using="default"):
    """Another process could not tell the store of ``paths``."""
    Delivery.objects.using(using).create(target=STORE, lines=lines_of({path_tag(path) for path in paths}))
    pending.expire()


def is_hit(path):
    async def get():
        return await AsyncClient().get(path)

    return async_to_sync(get)().headers["Cache-Status"].startswith("dumper; hit")


@pytest.mark.parametrize("using", ["default", "other"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_page_is_not_served_until_the_store_is_told(is_async, using, pages):
    asked = is_hit if is_async else pages.is_hit
    pages.store("/a/", "/b/")
    untold("/a/", using=using)
    assert [asked("/a/") for _ in range(3)] == [False] * 3
    assert asked("/b/")
    deliver()
    pending.expire()
    assert not asked("/a/")
    assert asked("/a/")


def test_what_an_upstream_is_to_be_told_of_does_not_matter_here(pages):
    pages.store("/a/")
    Delivery.objects.create(target="edge", lines=lines_of({path_tag("/a/")}))
    pending.expire()
    assert pages.is_hit("/a/")


def test_what_was_given_up_on_does_not_matter_any_more(pages):
    pages.store("/a/")
    untold("/a/")
    Delivery.objects.update(is_dead=True)
    assert pages.is_hit("/a/")


def looks(queries):
    return [query for query in queries if "FROM" in query["sql"] and "dumper_outbox" in query["sql"]]


def test_it_is_looked_up_once_a_second_and_no_more(pages):
    pages.store("/a/")
    pending.expire()
    with CaptureQueriesContext(connection) as queries:
        for _ in range(5):
            assert pages.is_hit("/a/")
    assert len(looks(queries)) == 1


def test_a_store_that_has_failed_is_not_trusted_before_another_look(pages):
    from dumper import stores

    pages.store("/a/")
    untold("/a/")
    pages.is_hit("/b/")
    deliver()
    untold("/b/")
    pages.get("/b/")
    assert not pending.is_due()
    breaker = stores.current().breaker
    breaker.failed(OSError("gone"))
    assert pending.is_due()
    breaker.succeeded()


@pytest.mark.parametrize(("count", "is_served"), [(3, True), (4, False)])
def test_above_so_many_rows_nothing_at_all_is_served(count, is_served, pages, monkeypatch):
    monkeypatch.setattr(module, "MOST_ROWS", 3)
    pages.store("/a/")
    for number in range(count):
        untold(f"/{number}/")
    assert pages.is_hit("/a/") == is_served


def test_a_database_that_fails_keeps_nothing_from_being_served_and_what_it_said_last_holds(
    pages, without_table, caplog
):
    from dumper.outbox import records

    pages.store("/a/", "/b/", "/c/")
    untold("/a/", using="other")
    assert not pages.is_hit("/a/")
    without_table("other")
    records._migrated.add("other")
    untold("/b/")
    for _ in range(2):
        pending.expire()
        assert [pages.is_hit(path) for path in ("/a/", "/b/", "/c/")] == [False, False, True]
    assert [record.args[0] for record in caplog.records if "does not work" in record.msg] == ["other"]


def test_in_a_transaction_nobody_looks_and_what_was_known_is_known_still(pages):
    untold("/a/")
    pending.refresh()
    with transaction.atomic():
        Delivery.objects.all().delete()
        pending.expire()
        pending.refresh()
        assert path_tag("/a/") in withheld
        transaction.set_rollback(True)
