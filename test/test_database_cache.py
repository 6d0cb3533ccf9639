"""A cache in the very database that is changed: it must not stand in the way of the transactions it is told of."""

import time

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import override_settings

from dumper.backlog import backlog
from test.app.models import Article

pytestmark = pytest.mark.django_db(transaction=True)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache_of_pages",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}


@pytest.fixture
def table():
    """The cache's own table. It is dropped at the end: no migration knows of it."""
    with override_settings(CACHES=CACHES):
        call_command("createcachetable", verbosity=0)
        yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE cache_of_pages")


def test_a_save_refreshes_its_page_and_leaves_the_connection_in_order(table, refreshed):
    article = Article.objects.create(slug="a")
    with refreshed("/a/", "/b/"):
        article.slug = "b"
        article.save()
    assert connection.get_autocommit()
    with refreshed("/b/"), transaction.atomic():
        article.delete()
    assert not Article.objects.exists()


def test_a_rollback_refreshes_nothing(table, pages):
    with pages.kept("/a/"), transaction.atomic():
        Article.objects.create(slug="a")
        transaction.set_rollback(True)


@override_settings(CACHES=CACHES, DUMPER_RETRY_DELAY=0.05)
def test_a_missing_table_does_not_take_the_save_with_it(caplog):
    Article.objects.create(slug="a")
    with transaction.atomic():
        Article.objects.create(slug="b")
    assert Article.objects.count() == 2
    assert connection.get_autocommit()
    call_command("createcachetable", verbosity=0)
    while len(backlog):
        time.sleep(0.05)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE cache_of_pages")
