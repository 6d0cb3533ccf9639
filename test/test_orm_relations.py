"""Changes of many-to-many relations refresh the pages of both sides."""

import pytest

from test.app.models import Article, Contribution, Note, Person, Place, Tag

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def article():
    return Article.objects.create(slug="a")


@pytest.fixture
def tag():
    return Tag.objects.create(slug="tag")


def test_add_refreshes_both_sides(refreshed, article, tag):
    with refreshed("/a/", "/tag/", "/tag/a/", "/unused-tags/"):
        article.tags.add(tag)


def test_add_from_the_other_side_refreshes_both_sides(refreshed, article, tag):
    with refreshed("/a/", "/tag/", "/tag/a/", "/unused-tags/"):
        tag.articles.add(article)


def test_add_of_a_key_refreshes_both_sides(refreshed, article, tag):
    with refreshed("/a/", "/tag/"):
        article.tags.add(tag.pk)


def test_create_refreshes_both_sides(refreshed, article):
    with refreshed("/a/", "/tag/", "/tag/a/"):
        article.tags.create(slug="tag")


@pytest.mark.parametrize(
    "take_away",
    [
        lambda article, tag: article.tags.remove(tag),
        lambda article, tag: article.tags.clear(),
        lambda article, tag: article.tags.set([]),
        lambda article, tag: article.tags.set([], clear=True),
        lambda article, tag: tag.articles.remove(article),
        lambda article, tag: tag.articles.clear(),
        lambda article, tag: tag.articles.set([]),
        lambda article, tag: tag.articles.set([], clear=True),
    ],
    ids=["remove", "clear", "set", "set-clear", "back-remove", "back-clear", "back-set", "back-set-clear"],
)
def test_what_takes_away_refreshes_the_pages_of_before_and_after(refreshed, article, tag, take_away):
    article.tags.add(tag)
    with refreshed("/a/", "/tag/", "/tag/a/", "/unused-tags/"):
        take_away(article, tag)


def test_set_refreshes_what_comes_and_what_goes(refreshed, article, tag):
    stays, comes = Tag.objects.create(slug="stays"), Tag.objects.create(slug="comes")
    article.tags.set([tag, stays])
    with refreshed("/tag/", "/tag/a/", "/comes/", "/comes/a/"):
        article.tags.set([stays, comes])


def test_a_relation_of_an_instance_changed_in_memory_refreshes_the_page_that_shows_it(refreshed, article, tag):
    with refreshed("/a/"):
        article.slug = "unsaved"
        article.tags.add(tag)


def test_a_prefetched_relation_is_not_taken_from_memory(refreshed, article, tag):
    article = Article.objects.prefetch_related("tags").get()
    Article.objects.get().tags.add(tag)
    with refreshed("/a/", "/tag/a/"):
        article.tags.clear()


def test_a_symmetrical_relation_refreshes_both_ends(refreshed, article):
    other = Article.objects.create(slug="b")
    for change in (article.related.add, other.related.remove, other.related.add, article.related.remove):
        with refreshed("/a/", "/b/"):
            change(other if change.__self__.instance is article else article)
    article.related.add(other)
    with refreshed("/a/", "/b/"):
        other.related.clear()


def test_a_one_way_relation_to_the_same_model_refreshes_both_ends(refreshed, article):
    other = Article.objects.create(slug="b")
    with refreshed("/a/", "/b/"):
        article.sequels.add(other)
    with refreshed("/a/", "/b/"):
        other.prequels.remove(article)
    with refreshed("/a/", "/b/"):
        other.prequels.add(article)
    with refreshed("/a/", "/b/"):
        other.prequels.clear()


def test_a_relation_with_a_model_of_its_own_refreshes_from_both_sides(refreshed, article):
    person = Person.objects.create(slug="person")
    with refreshed("/a/", "/person/"):
        article.people.add(person, through_defaults={"role": "editor"})
    with refreshed("/a/", "/person/"):
        person.article_set.clear()
    with refreshed("/a/", "/person/"):
        person.article_set.set([article])
    with refreshed("/a/", "/person/"):
        article.people.remove(person)


def test_rows_of_a_relation_model_refresh_nothing_unless_it_is_registered(pages, article):
    person = Person.objects.create(slug="person")
    with pages.kept("/a/", "/person/"):
        Contribution.objects.create(article=article, person=person)


def test_a_relation_of_an_unregistered_model_refreshes_the_pages_of_its_registered_proxy(refreshed):
    note, place = Note.objects.create(slug="note"), Place.objects.create(slug="place")
    with refreshed("/note/", "/note/place/"):
        note.places.add(place)
    with refreshed("/note/", "/note/place/"):
        place.notes.remove(note)
    with refreshed("/note/", "/note/place/"):
        place.notes.add(note)
    with refreshed("/note/", "/note/place/"):
        place.notes.clear()


def test_a_relation_refreshes_no_page_of_rows_that_it_does_not_touch(refreshed, article, tag):
    Article.objects.create(slug="b").tags.add(Tag.objects.create(slug="other"))
    with refreshed("/a/", kept=["/b/", "/other/"]):
        article.tags.add(tag)
