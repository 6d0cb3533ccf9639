"""Many changes in one transaction: each row is asked once before, if it was there, and once after."""

from collections import Counter

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

import dumper
from test.app.models import Article, Tag

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def asked(monkeypatch):
    """How often each instance was asked for its paths."""
    counts = Counter()
    for model in (Article, Tag):

        def counting(self, ask=model.dependent_paths):
            counts[str(self.slug)] += 1
            return ask(self)

        monkeypatch.setattr(model, "dependent_paths", counting)
    return counts


def test_a_tag_put_on_many_articles_is_asked_twice(pages, asked):
    tag = Tag.objects.create(slug="tag")
    with pages.refreshed("/tag/", "/0/", "/19/"):
        asked.clear()
        with transaction.atomic():
            for number in range(20):
                article = Article.objects.create(slug=str(number))
                article.tags.add(tag)
        times = dict(asked)
    assert times == {"tag": 2, **{str(number): 1 for number in range(20)}}


def test_rows_are_read_together_before_the_commit(pages):
    articles = Article.objects.bulk_create([Article(slug=str(number)) for number in range(50)])
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        for article in articles:
            article.title = "New"
            article.save(update_fields=["title"])
    together = [query["sql"] for query in captured if "IN (" in query["sql"] and "app_article" in query["sql"]]
    assert len([sql for sql in together if sql.startswith("SELECT")]) == 1


def test_nothing_is_asked_once_the_whole_site_is_invalidated(pages, asked):
    article = Article.objects.create(slug="a")
    with pages.refreshed("/a/", "/elsewhere/", kept=[]):
        asked.clear()
        with transaction.atomic():
            dumper.clear()
            article.save()
            article.tags.add(Tag.objects.create(slug="tag"))
            article.delete()
        times = dict(asked)
    assert times == {}
