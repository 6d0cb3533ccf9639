"""A stored page, a write to a row that it shows, the page again: fresh. In autocommit mode and in a transaction."""

import uuid

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Concat, Lower

from test.app.models import Article, Comment, Product, Section, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def article():
    """An article that no test but for its own has in memory."""
    return Article.objects.create(slug="a", title="One")


def test_a_new_row_refreshes_its_page(refreshed):
    with refreshed("/a/"):
        Article.objects.create(slug="a")


def test_a_save_refreshes_the_page_of_the_row(refreshed, article):
    with refreshed("/a/"):
        article.title = "Two"
        article.save()


def test_a_changed_slug_refreshes_the_old_page_and_the_new(refreshed, article):
    with refreshed("/a/", "/b/"):
        article.slug = "b"
        article.save()


def test_a_slug_changed_twice_refreshes_the_first_and_the_last_page(refreshed, article):
    with refreshed("/a/", "/c/"):
        for slug in "bc":
            article.slug = slug
            article.save()


def test_a_row_read_before_another_changed_it_refreshes_what_the_database_has(refreshed, article):
    Article.objects.filter(pk=article.pk).update(slug="b")
    with refreshed("/b/", "/c/"):
        article.slug = "c"
        article.save()


def test_a_child_that_moves_refreshes_both_parents(refreshed):
    old, new = Section.objects.create(slug="old"), Section.objects.create(slug="new")
    child = Section.objects.create(slug="child", parent=old)
    with refreshed("/old/", "/new/", "/child/"):
        child.parent = new
        child.save()


def test_a_deleted_row_refreshes_its_page(refreshed, article):
    with refreshed("/a/"):
        article.delete()


def test_a_deleted_queryset_refreshes_the_page_of_each_row(refreshed, article):
    Article.objects.create(slug="b")
    with refreshed("/a/", "/b/"):
        Article.objects.all().delete()


def test_a_cascade_refreshes_the_pages_of_all_that_it_deletes(refreshed):
    root = Section.objects.create(slug="root")
    child = Section.objects.create(slug="child", parent=root)
    Comment.objects.create(slug="comment", article=Article.objects.create(slug="a", section=child))
    with refreshed("/root/", "/child/", "/a/", "/comment/"):
        root.delete()


def test_a_row_changed_in_memory_and_deleted_refreshes_the_page_that_showed_it(refreshed, article):
    with refreshed("/a/", kept=["/b/"]):
        article.slug = "b"
        article.delete()


def test_a_saved_and_deleted_row_refreshes_the_page_that_showed_it(refreshed, article):
    with refreshed("/a/"):
        article.slug = "b"
        article.save()
        article.delete()


@pytest.mark.parametrize("loaded", [["title"], ["slug"], ["id"]])
def test_a_deferred_field_is_looked_up(refreshed, article, loaded):
    article = Article.objects.only(*loaded).get()
    with refreshed("/a/"):
        article.title = "Two"
        article.save()


def test_a_deferred_slug_is_saved_under_its_new_value(refreshed, article):
    article = Article.objects.defer("slug", "title").get()
    with refreshed("/a/", "/b/"):
        article.slug = "b"
        article.save()


def test_an_expression_refreshes_the_page_of_what_it_comes_to(refreshed, article):
    with refreshed("/views/0/", "/views/1/"):
        article.views = F("views") + 1
        article.save()


def test_a_new_row_with_an_expression_refreshes_the_page_of_what_it_comes_to(refreshed):
    with refreshed("/lower/"):
        Article.objects.create(slug=Lower(Value("LOWER")))


def test_an_expression_in_update_fields_refreshes_both_pages(refreshed, article):
    with refreshed("/a/", "/ab/"):
        article.slug = Concat("slug", Value("b"))
        article.save(update_fields=["slug"])


def test_update_fields_refresh_what_is_written_and_not_what_is_in_memory(refreshed, article):
    with refreshed("/a/", "/views/0/", "/views/5/"):
        article.slug, article.views = "unsaved", 5
        article.save(update_fields=["views"])


def test_a_relation_renamed_by_somebody_else_is_not_taken_from_memory(refreshed):
    section = Section.objects.create(slug="old")
    Article.objects.create(slug="a", section=section)
    article = Article.objects.select_related("section").get()
    Section.objects.update(slug="new")
    with refreshed("/new/"):
        article.title = "Two"
        article.save()


def test_prefetched_relations_are_not_taken_from_memory(refreshed, article):
    stale = Article.objects.prefetch_related("tags").get()
    tag = article.tags.create(slug="tag")
    assert not stale.tags.all()
    with refreshed(f"/{tag.slug}/a/", f"/{tag.slug}/b/"):
        stale.slug = "b"
        stale.save()


def test_force_insert_refreshes_the_page(refreshed):
    with refreshed("/a/"):
        Article(slug="a").save(force_insert=True)


def test_force_update_refreshes_both_pages(refreshed, article):
    with refreshed("/a/", "/b/"):
        Article(pk=article.pk, slug="b").save(force_update=True)


def test_rows_with_keys_made_up_refresh_their_pages(refreshed):
    with refreshed("/a/"):
        ticket = Ticket.objects.create(slug="a")
    with refreshed("/a/", "/b/"):
        ticket.slug = "b"
        ticket.save()
    with refreshed("/b/"):
        ticket.delete()


def test_a_new_instance_with_the_key_of_an_old_row_refreshes_both_pages(refreshed):
    key = uuid.uuid4()
    Ticket.objects.create(pk=key, slug="a")
    with refreshed("/a/", "/b/"):
        Ticket(pk=key, slug="b").save(force_update=True)


def test_an_instance_that_overwrites_a_row_refreshes_the_page_of_what_it_was(refreshed, article):
    with refreshed("/a/", "/b/"):
        Article(pk=article.pk, slug="b").save()


def test_a_key_changed_in_memory_makes_a_second_row(refreshed, article):
    with refreshed("/b/", kept=["/a/"]):
        article.pk, article.slug, article._state.adding = None, "b", True
        article.save()


def test_get_or_create_refreshes_only_where_it_creates(refreshed):
    with refreshed("/a/"):
        Article.objects.get_or_create(slug="a")
    with refreshed(kept=["/a/"]):
        Article.objects.get_or_create(slug="a")


def test_update_or_create_refreshes_either_way(refreshed):
    for title in ("One", "Two"):
        with refreshed("/a/"):
            Article.objects.update_or_create(slug="a", defaults={"title": title})


def test_a_row_locked_by_its_own_transaction_can_be_saved(pages, article):
    with pages.refreshed("/a/", "/b/"), transaction.atomic():
        locked = Article.objects.select_for_update().get()
        locked.slug = "b"
        locked.save()


def test_a_base_manager_that_joins_does_not_break_the_lock(refreshed):
    product = Product.objects.create(slug="a", section=None)
    with refreshed("/a/", "/b/", "/products/", "/offers/"):
        product.slug = "b"
        product.save()


def test_the_async_methods_refresh_as_well(pages):
    async def create():
        return await Article.objects.acreate(slug="a")

    with pages.refreshed("/a/"):
        article = async_to_sync(create)()
    with pages.refreshed("/a/", "/b/"):
        article.slug = "b"
        async_to_sync(article.asave)()
    with pages.refreshed("/b/"):
        async_to_sync(article.adelete)()


@pytest.mark.parametrize(
    "write",
    [
        lambda: Article.objects.update(title="Two"),
        lambda: Article.objects.bulk_create([Article(slug="b", section=Section.objects.get())]),
        lambda: Article.objects.bulk_update([Article(pk=Article.objects.get().pk, title="Two")], ["title"]),
    ],
    ids=["update", "bulk_create", "bulk_update"],
)
def test_bulk_writes_refresh_nothing(pages, article, write):
    article.section = Section.objects.create(slug="section")
    article.save()
    with pages.kept("/a/", "/section/"):
        write()
