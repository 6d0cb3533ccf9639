"""Rows in a second database, and transactions on both."""

from contextlib import suppress

import pytest
from django.db import connections, transaction

import dumper
from dumper.stores.guard import withheld
from test.app.changes import Undone
from test.app.models import Article, Section, Tag

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])


@pytest.fixture
def row(pages):
    return Section.objects.using("other").create(slug="a")


def test_a_write_to_the_other_database_refreshes_the_page_that_shows_it(pages):
    with pages.refreshed("/a/"):
        row = Section.objects.using("other").create(slug="a")
    with pages.refreshed("/a/", "/b/"):
        row.slug = "b"
        row.save()
    with pages.refreshed("/b/"):
        row.delete()


def test_an_instance_copied_to_the_other_database_refreshes_what_was_there(pages):
    row = Section.objects.create(slug="a")
    Section.objects.using("other").create(pk=row.pk, slug="there")
    with pages.refreshed("/a/", "/there/"):
        row.save(using="other")


def test_a_relation_in_the_other_database_refreshes_both_sides(pages):
    article, tag = Article.objects.using("other").create(slug="a"), Tag.objects.using("other").create(slug="tag")
    with pages.refreshed("/a/", "/tag/", "/tag/a/"):
        article.tags.add(tag)
    with pages.refreshed("/a/", "/tag/", "/tag/a/"):
        tag.articles.clear()


def test_a_queryset_deleted_from_the_other_database_refreshes_its_pages(pages, row):
    with pages.refreshed("/a/"):
        Section.objects.using("other").all().delete()


def test_each_transaction_refreshes_what_it_has_changed(pages, row):
    pages.store("/a/", "/b/")
    with transaction.atomic():
        Section.objects.create(slug="b")
        with transaction.atomic(using="other"):
            row.save()
        assert tags_withheld() == set()
        assert not pages.is_hit("/a/")
    assert not pages.is_hit("/b/")


def test_a_rollback_of_one_transaction_leaves_the_other_as_it_is(pages, row):
    with pages.refreshed("/a/", kept=["/b/"]), transaction.atomic(using="other"):
        row.save()
        with suppress(Undone), transaction.atomic():
            Section.objects.create(slug="b")
            raise Undone
        assert tags_withheld() == {"path:/a/"}


def test_what_is_invalidated_by_hand_waits_for_all_transactions(pages):
    pages.store("/a/")
    with transaction.atomic():
        with transaction.atomic(using="other"):
            dumper.invalidate_paths(["/a/"])
        assert "path:/a/" in withheld
    assert not list(withheld)
    assert not pages.is_hit("/a/")


def test_what_is_invalidated_by_hand_waits_for_the_database_named(pages):
    pages.store("/a/")
    with transaction.atomic():
        dumper.invalidate_paths(["/a/"], using="other")
        assert not list(withheld)
    with transaction.atomic(using="other"):
        dumper.invalidate_paths(["/a/"], using="other")
        assert list(withheld)
    assert not pages.is_hit("/a/")


def test_a_transaction_on_either_database_keeps_a_request_from_being_stored(pages):
    connections["other"].ensure_connection()
    with transaction.atomic(using="other"):
        assert not pages.is_hit("/a/")
        assert not pages.is_hit("/a/")


def tags_withheld():
    return {tag for owner in withheld for tag in owner.tags}
