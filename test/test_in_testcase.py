"""Inside Django's TestCase, which never commits: what a test has changed is refreshed all the same."""

from contextlib import suppress

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.transaction import TransactionManagementError
from django.test import AsyncClient, Client, TestCase

from test.app.changes import Undone
from test.app.models import Article, Section, Tag
from test.app.pages import Pages
from test.app.views import rendering


class InTestCase(TestCase):
    @classmethod
    def setUpTestData(cls):
        cache.clear()
        cls.article = Article.objects.create(slug="a")
        cls.tag = Tag.objects.create(slug="tag")

    def setUp(self):
        cache.clear()
        self.pages = Pages()

    def test_a_save_takes_effect_at_once(self):
        with self.pages.refreshed("/a/", "/b/"):
            self.article.slug = "b"
            self.article.save()

    def test_a_delete_takes_effect_at_once(self):
        with self.pages.refreshed("/a/"):
            self.article.delete()

    def test_a_deleted_queryset_takes_effect_at_once(self):
        with self.pages.refreshed("/a/"):
            Article.objects.all().delete()

    def test_a_relation_takes_effect_at_once(self):
        with self.pages.refreshed("/a/", "/tag/", "/tag/a/"):
            self.article.tags.add(self.tag)
        with self.pages.refreshed("/a/", "/tag/", "/tag/a/"):
            self.tag.articles.clear()

    def test_a_block_takes_effect_when_it_ends(self):
        self.pages.store("/a/")
        with transaction.atomic():
            with transaction.atomic():
                self.article.save()
            assert not self.pages.is_hit("/a/")
            assert not self.pages.is_hit("/a/")
        assert not self.pages.is_hit("/a/")
        assert self.pages.is_hit("/a/")

    def test_blocks_one_after_the_other_take_effect_each(self):
        for _ in range(2):
            with self.pages.refreshed("/a/"), transaction.atomic():
                self.article.save()

    def test_a_decorated_function_takes_effect_each_time(self):
        save = transaction.atomic(self.article.save)
        for _ in range(2):
            with self.pages.refreshed("/a/"):
                save()

    def test_what_is_rolled_back_may_refresh_but_is_never_stale(self):
        with self.pages.refreshed("/a/"), suppress(Undone), transaction.atomic():
            self.article.slug = "b"
            self.article.save()
            raise Undone

    def test_an_async_client_sees_what_has_changed(self):
        def is_hit():
            async def get():
                return await AsyncClient().get("/a/")

            return async_to_sync(get)().headers["Cache-Status"].startswith("dumper; hit")

        for change in (
            self.article.save,
            transaction.atomic(self.article.save),
            lambda: self.article.tags.add(self.tag),
        ):
            is_hit()
            assert is_hit()
            change()
            assert not is_hit()

    def test_an_integrity_error_in_a_block_leaves_the_test_usable(self):
        with pytest.raises(IntegrityError), transaction.atomic():
            Article.objects.create(slug="a")
        assert Article.objects.count() == 1
        with self.pages.refreshed("/a/"):
            self.article.save()

    def test_an_integrity_error_outside_of_a_block_ends_the_test_as_it_does_without_dumper(self):
        with pytest.raises(IntegrityError):
            Article.objects.create(slug="a")
        with pytest.raises(TransactionManagementError):
            Article.objects.count()

    def test_a_request_does_not_ask_the_database_after_an_error_that_has_ended_the_test(self):
        self.article.tags.add(self.tag)
        self.pages.store("/elsewhere/")
        self.article.tags.clear()
        with pytest.raises(IntegrityError):
            Article.objects.create(slug="a")
        with pytest.raises(TransactionManagementError):
            self.pages.get("/a/")


class InAnotherTestCase(TestCase):
    """Comes with nothing of what the first has left behind."""

    def setUp(self):
        cache.clear()

    def test_what_a_test_creates_is_on_its_pages(self):
        with Pages().refreshed("/a/"):
            Section.objects.create(slug="a")

    def test_on_commit_callbacks_are_run_as_ever(self):
        with self.captureOnCommitCallbacks(execute=True) as callbacks:
            transaction.on_commit(lambda: None)
            Section.objects.create(slug="a")
        assert len(callbacks) == 1


def test_with_pytest_the_db_fixture_does_the_same(db, pages):
    with pages.refreshed("/a/"):
        section = Section.objects.create(slug="a")
    with pages.refreshed("/a/", "/b/"):
        section.slug = "b"
        section.save()
    with pages.refreshed("/b/"), transaction.atomic():
        section.delete()


@pytest.mark.django_db
def test_with_pytest_the_mark_does_the_same(pages):
    with pages.refreshed("/a/"):
        Section.objects.create(slug="a")


class Undoing(TestCase):
    """What one test has changed is no news to the other, whichever comes first."""

    @classmethod
    def setUpTestData(cls):
        cls.article = Article.objects.create(slug="a", title="One")

    def test_one(self):
        self.rename("Two")

    def test_another(self):
        self.rename("Three")

    def rename(self, title):
        assert Client().get("/a/").content == rendering("/a/")
        self.article.title = title
        self.article.save()
        assert Client().get("/a/").content == rendering("/a/")
