"""What is written down, where, and when: in the transaction of the change, on its database, right before its commit."""

from contextlib import suppress

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.transaction import atomic
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import set_script_prefix

import dumper
from test.app.changes import Undone
from test.app.models import Article, Comment, Section, Whatever
from test.app.pages import in_another_thread
from test.outbox.conftest import upstream
from test.outbox.rows import paths, rows, targets

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "other"]),
    pytest.mark.usefixtures("pages", "edge", "by_hand"),
]


def test_a_save_writes_down_what_it_changes():
    Section.objects.create(slug="a")
    assert paths() == {"/a/"}
    assert targets() == ["edge"]


def test_nobody_sees_it_before_the_commit():
    with atomic():
        Section.objects.create(slug="a")
        Section.objects.create(slug="b")
        assert rows() == []
    assert in_another_thread(paths) == {"/a/", "/b/"}
    assert len(rows()) == 1


@pytest.mark.parametrize("using", ["default", "other"])
def test_what_is_rolled_back_is_not_written_down(using):
    with suppress(Undone), atomic(using=using):
        Section.objects.using(using).create(slug="a")
        dumper.invalidate_paths(["/b/"], using=using)
        raise Undone
    assert rows(using) == []


def test_what_the_database_refuses_to_commit_is_not_written_down():
    def change():
        Section.objects.create(slug="b")
        Comment.objects.create(slug="a", article_id=4711)

    with pytest.raises(IntegrityError):
        atomic(change)()
    assert rows() == []


def test_it_is_written_down_in_the_database_of_the_change():
    Section.objects.using("other").create(slug="a")
    with atomic(), atomic(using="other"):
        Section.objects.create(slug="b")
        Section.objects.using("other").create(slug="c")
    assert (paths(), paths("other")) == ({"/b/"}, {"/a/", "/c/"})


def test_by_hand_and_without_a_transaction_it_is_written_down_at_once():
    dumper.invalidate_paths(["/a/"])
    dumper.invalidate_paths(["/b/"], using="other")
    dumper.invalidate("weather")
    assert (paths(), paths("other")) == ({"/a/"}, {"/b/"})
    assert {"tag:weather"} in [row.tags for row in rows()]


def test_in_manual_transaction_management_it_is_written_down_with_each_commit():
    transaction.set_autocommit(False)
    try:
        for slug, end in (("a", transaction.commit), ("b", transaction.rollback), ("c", transaction.commit)):
            Section.objects.create(slug=slug)
            end()
    finally:
        transaction.set_autocommit(True)
    assert paths() == {"/a/", "/c/"}


def test_a_relation_and_a_delete_are_written_down():
    article = Article.objects.create(slug="a")
    tag = article.tags.create(slug="tag")
    for row in rows():
        row.delete()
    article.tags.remove(tag)
    assert paths() >= {"/a/", "/tag/", "/tag/a/"}
    for row in rows():
        row.delete()
    article.delete()
    assert "/a/" in paths()


@pytest.mark.parametrize("count", [1, 1000, 1001, 2500])
def test_many_tags_are_spread_over_several_rows_of_one_insert(count):
    with CaptureQueriesContext(connection) as queries:
        dumper.invalidate_paths([f"/{number}/" for number in range(count)])
    assert paths() == {f"/{number}/" for number in range(count)}
    assert len(rows()) == -(-count // 1000)
    assert len(inserts(queries)) == 1


@pytest.mark.parametrize(
    "path",
    ["/plain/", "/a b/", "/caf\u00e9/", "/\U0001f366/", "/100%/", "/a%2Fb/", "/line\nbreak/", "/\x00/", "/'\"\\/"],
)
def test_any_path_comes_back_as_it_was(path, monkeypatch):
    monkeypatch.setattr(Whatever, "names", staticmethod(lambda instance: [path]))
    Whatever.objects.create(slug="a")
    assert path in paths()


def test_below_a_script_prefix_it_is_the_public_path_that_is_written_down():
    set_script_prefix("/shop/")
    try:
        dumper.invalidate_paths(["/a/"])
    finally:
        set_script_prefix("/")
    assert "/shop/a/" in paths()


DUMMY = {"BACKEND": "dumper.upstreams.dummy.Dummy"}


@pytest.mark.parametrize(
    ("upstreams", "expected"),
    [
        ({}, []),
        ({"dummy": DUMMY}, []),
        ({"a": upstream("http://127.0.0.1:9"), "dummy": DUMMY}, ["a"]),
        ({"a": upstream("http://127.0.0.1:9"), "b": upstream("http://127.0.0.1:9")}, ["a", "b"]),
    ],
)
def test_there_is_a_row_for_each_upstream_that_is_told_later(upstreams, expected):
    with override_settings(DUMPER_UPSTREAMS=upstreams):
        Section.objects.create(slug="a")
    assert targets() == expected


def inserts(queries):
    return [query["sql"] for query in queries if "INSERT" in query["sql"] and "dumper_outbox" in query["sql"]]


def cost(upstreams):
    """The queries of one transaction."""
    entries = {str(number): upstream("http://127.0.0.1:9") for number in range(upstreams)}
    with override_settings(DUMPER_UPSTREAMS=entries), CaptureQueriesContext(connection) as queries, atomic():
        Section.objects.create(slug="a")
        Section.objects.create(slug="b")
    return len(queries), len(inserts(queries))


def test_a_transaction_costs_one_insert_more_however_many_upstreams_there_are():
    Section.objects.create(slug="warm")
    plain, none = cost(0)
    assert none == 0
    for count in (1, 2, 10):
        assert cost(count) == (plain + 1, 1)


def test_a_change_that_cannot_be_written_down_is_not_made(without_table):
    from dumper.outbox import records

    Section.objects.create(slug="a")
    without_table("default")
    records._migrated.add("default")
    with pytest.raises(DatabaseError):
        Section.objects.create(slug="b")
    assert not Section.objects.filter(slug="b").exists()
    assert connection.get_autocommit()
