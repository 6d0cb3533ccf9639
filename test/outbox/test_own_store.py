"""The site's own store is one more that has to be told: of changes that it could not be told of before their commit."""

import pytest
from django.db import connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from dumper.backlog import backlog
from dumper.exceptions import InvalidationError
from dumper.outbox import deliver
from dumper.outbox.models import STORE
from dumper.outbox.pending import pending
from dumper.stores.guard import withheld
from test.app.models import Section
from test.outbox.rows import later, paths, rows, targets, wait_for
from test.servers import free_port

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "other"]),
    pytest.mark.usefixtures("pages", "edge", "by_hand"),
]


def redis(url):
    return {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": url}}


@pytest.fixture
def store(redis_server):
    """A store that answers."""
    redis_server.flush()
    return override_settings(CACHES=redis(redis_server.url))


@pytest.fixture
def out_of_reach(pages, edge):
    """A store that does not; what this process has kept in memory for it is as if the process had been killed."""
    setting = override_settings(CACHES=redis(f"redis://127.0.0.1:{free_port()}"))
    with setting:
        yield
        wait_for(lambda: forget_backlog())


def forget_backlog():
    for waiting in tuple(backlog._waiting):
        backlog._waiting.remove(waiting)
        withheld.remove(waiting)
    return not backlog._waiting


def test_where_the_store_was_told_there_is_nothing_to_write_down(store):
    with store:
        Section.objects.create(slug="a")
    assert targets() == ["edge"]


@pytest.mark.usefixtures("out_of_reach")
class TestOutOfReach:
    def test_a_save_is_written_down_for_the_store_as_well(self):
        Section.objects.create(slug="a")
        Section.objects.using("other").create(slug="b")
        assert (targets(), targets("other")) == ([STORE, "edge"],) * 2
        assert (paths(target=STORE), paths("other", STORE)) == ({"/a/"}, {"/b/"})

    def test_it_costs_no_insert_more(self):
        with CaptureQueriesContext(connection) as queries:
            Section.objects.create(slug="a")
        assert len([query for query in queries if "dumper_outbox" in query["sql"]]) == 1

    def test_what_is_rolled_back_is_not(self):
        with transaction.atomic():
            Section.objects.create(slug="a")
            transaction.set_rollback(True)
        assert rows() == []

    @override_settings(DUMPER_STRICT=True)
    def test_where_that_forbids_the_change_nothing_is_written_down(self):
        with pytest.raises(InvalidationError):
            Section.objects.create(slug="a")
        assert rows() == []
        assert not Section.objects.exists()

    def test_it_is_never_given_up_on(self):
        """What the store has is stale for as long as it is not told, and it may come back after any time."""
        Section.objects.create(slug="a")
        later(10**7)
        deliver()
        assert [(row.target, row.is_dead, row.attempts) for row in rows()] == [(STORE, False, 1)]

    def test_it_is_told_once_it_answers_and_its_pages_are_not_served_before(self, store, pages):
        with store:
            pages.store("/a/", "/b/")
        Section.objects.create(slug="a")
        forget_backlog()
        with store:
            pending.expire()
            for _ in range(3):
                assert not pages.is_hit("/a/")
            assert pages.is_hit("/b/")
            later(1)
            deliver()
            assert rows() == []
            pending.expire()
            assert not pages.is_hit("/a/"), "it was rendered before the change"
            assert pages.is_hit("/a/")
