"""What becomes visible when: commits, rollbacks, savepoints."""

import subprocess
import sys
from contextlib import suppress
from threading import Thread

import pytest
from django.db import IntegrityError, connection, connections, transaction

from dumper import stores
from dumper.conf import settings as dumper_settings
from dumper.exceptions import InvalidationError
from dumper.stores.guard import Breaker, Guard, withheld
from dumper.stores.locmem import LocMemStore
from test.app import views
from test.app.changes import Undone, change, rename
from test.app.models import Article, Comment, Whatever
from test.app.pages import in_another_thread

pytestmark = pytest.mark.django_db(transaction=True)


class CountingStore(LocMemStore):
    """Remembers each hold and release; fails to hold where it is told to."""

    broken = False

    def __init__(self):
        super().__init__(dumper_settings())
        self.operations = []

    def hold(self, tags, hold):
        self.operations.append(("hold", len(tags)))
        if self.broken:
            raise ConnectionError("broken")
        super().hold(tags, hold)

    def release(self, tags, holder):
        self.operations.append(("release", len(tags)))
        super().release(tags, holder)


@pytest.fixture
def counting(pages, monkeypatch):
    counting = CountingStore()
    monkeypatch.setattr(stores, "_current", Guard(counting, Breaker(0)))
    return counting


@pytest.fixture
def row(pages):
    return Whatever.objects.create(slug="a")


def status(pages, path):
    return pages.get(path).headers["Cache-Status"]


def test_other_connections_get_the_old_page_rendered_until_the_commit_and_the_new_one_after(pages, row):
    pages.store("/a/")
    before = pages.get("/a/").content
    with transaction.atomic():
        change(row, "b")
        response = in_another_thread(pages.get, "/a/")
        assert response.content == before
        assert "hit" not in response.headers["Cache-Status"]
        assert "stored" not in response.headers["Cache-Status"]
    assert in_another_thread(pages.get, "/a/").content != before
    assert pages.is_hit("/a/")


ASK = """
import django
django.setup()
from django.test import Client
print(Client(raise_request_exception=False).get("/a/").headers["Cache-Status"])
"""


def test_other_processes_have_hits_until_the_commit(pages, row, redis_server, settings, tmp_path):
    redis_server.flush()
    cache = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": redis_server.url}
    settings.CACHES = {"default": cache}
    (tmp_path / "settings_with_redis.py").write_text(f"from test.settings import *\nCACHES = {settings.CACHES!r}\n")

    def ask():
        environ = {"DJANGO_SETTINGS_MODULE": "settings_with_redis", "PYTHONPATH": f".:{tmp_path}"}
        answer = subprocess.run([sys.executable, "-c", ASK], env=environ, capture_output=True, text=True)
        return answer.stdout

    pages.store("/a/")
    assert ask().startswith("dumper; hit")
    with transaction.atomic():
        change(row)
        assert ask().startswith("dumper; hit")
    assert ask().startswith("dumper; fwd=")


def test_a_page_is_neither_served_nor_stored_by_the_process_that_is_about_to_change_it(pages, row):
    with pages.refreshed("/a/"), transaction.atomic():
        change(row)
        for _ in range(2):
            assert in_another_thread(status, pages, "/a/") == 'dumper; fwd=stale; detail="held by a change"'
        assert in_another_thread(pages.is_hit, "/elsewhere/")


def test_a_request_inside_a_transaction_stores_nothing(pages):
    with transaction.atomic():
        for _ in range(2):
            assert status(pages, "/a/") == 'dumper; fwd=bypass; detail="inside a transaction"'
    pages.store("/a/")
    with transaction.atomic():
        assert pages.is_hit("/a/")


def test_a_rollback_refreshes_nothing_and_costs_no_store_operation(pages, row, counting):
    with pages.kept("/a/", "/b/"), suppress(Undone), transaction.atomic():
        change(row, "b")
        raise Undone
    assert counting.operations == []


def test_a_savepoint_rolled_back_may_refresh_its_pages_and_the_rest_is_refreshed(pages, row):
    with pages.refreshed("/a/", "/b/"), transaction.atomic():
        change(row, "b")
        with suppress(Undone), transaction.atomic():
            change(row, "c")
            raise Undone


def test_a_row_whose_lock_was_given_back_with_a_savepoint_is_looked_up_again(pages, row):
    # Where rows cannot be locked, nobody else writes before the end.
    slug = "b" if connection.features.has_select_for_update else "a"
    with pages.refreshed(f"/{slug}/", "/c/"), transaction.atomic():
        with suppress(Undone), transaction.atomic():
            change(row)
            raise Undone
        if slug == "b":
            in_another_thread(rename, slug)
        change(row, "c")


def test_two_saves_of_one_row_at_the_same_time_leave_no_page_stale(pages, row, monkeypatch):
    def save_and_visit():
        try:
            change(Whatever.objects.get(), "b")
            pages.get("/b/")
        finally:
            connections.close_all()

    other = Thread(target=save_and_visit)

    def names(instance):
        if not other.ident:
            other.start()
            other.join(0.3)
        return [f"/{instance.slug}/"]

    pages.store("/a/", "/b/", "/c/")
    monkeypatch.setattr(Whatever, "names", staticmethod(names))
    change(row, "c")
    other.join()
    for path in ("/a/", "/b/", "/c/"):
        assert pages.get(path).content == views.rendering(path), f"{path} is stale"


def test_nested_blocks_take_effect_with_the_outermost(pages, row):
    with pages.refreshed("/a/"):
        with transaction.atomic():
            with transaction.atomic(), transaction.atomic(savepoint=False):
                change(row)
            assert list(withheld)
        assert not list(withheld)


def test_a_durable_block_is_one_like_any_other(pages, row):
    with pages.refreshed("/a/"), transaction.atomic(durable=True):
        change(row)


def test_many_writes_in_one_transaction_are_one_hold_and_one_release(pages, counting):
    with pages.refreshed("/n0/", "/n99/"), transaction.atomic():
        for number in range(100):
            Whatever.objects.create(slug=f"n{number}")
        assert counting.operations == []
    assert counting.operations == [("hold", 200), ("release", 200)]  # as many paths and rows


def test_a_write_in_autocommit_mode_is_one_hold_and_one_release(row, counting):
    change(row)
    assert counting.operations == [("hold", 2), ("release", 2)]  # the path and the row


def test_a_transaction_that_only_reads_costs_no_store_operation(row, counting):
    with transaction.atomic():
        list(Whatever.objects.all())
    assert counting.operations == []


def test_a_store_that_cannot_hold_delays_no_commit(pages, row, counting, caplog):
    counting.broken = True
    change(row, "b")
    assert Whatever.objects.get().slug == "b"
    assert "Could not hold 3 tags before a commit: ConnectionError: broken" in caplog.messages


def test_where_dumper_is_strict_nothing_is_committed_that_could_not_be_held(pages, row, settings, monkeypatch):
    settings.DUMPER_STRICT = True
    counting = CountingStore()
    counting.broken = True
    monkeypatch.setattr(stores, "_current", Guard(counting, Breaker(0)))
    with pytest.raises(InvalidationError, match="not committed: ConnectionError: broken"):
        change(row, "b")
    assert connection.get_autocommit()
    assert Whatever.objects.get().slug == "a"
    assert not list(withheld)


def test_a_commit_that_fails_leaves_the_old_pages_true(pages):
    article = Article.objects.create(slug="article")
    comment = Comment.objects.create(slug="a", article=article)
    with pages.refreshed("/a/", "/b/"):
        comment.article_id = article.pk + 1000
        with pytest.raises(IntegrityError), transaction.atomic():
            change(comment, "b")
        assert connection.get_autocommit()
    assert Comment.objects.get().slug == "a"
