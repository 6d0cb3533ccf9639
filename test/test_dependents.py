"""What the methods of a model may return, and what becomes of their mistakes."""

import logging

import pytest
from django.db import connection, transaction
from django.urls import get_script_prefix, reverse, reverse_lazy, set_script_prefix

from dumper.exceptions import InvalidationError
from test.app.models import Product, Tag, Whatever

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def names(monkeypatch):
    """Sets what Whatever.dependent_paths() does."""
    return lambda function: monkeypatch.setattr(Whatever, "names", staticmethod(function))


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/a/", "/a/"),
        ("a/", "/a/"),
        ("/a/?page=2", "/a/"),
        ("/a/#part", "/a/"),
        ("http://testserver/a/", "/a/"),
        ("https://LOCALHOST:8000/a/?page=2", "/a/"),
        ("http://testserver", "/"),
        (reverse_lazy("page", args=["a/"]), "/a/"),
        ("/stra%C3%9Fe/", "/straße/"),
        ("/straße/", "/straße/"),
        ("/a b/", "/a b/"),
        ("/a%20b/", "/a b/"),
        ("/a%2Fb/", "/a/b/"),
    ],
)
def test_a_path_may_be_written_in_any_form(refreshed, names, given, path):
    names(lambda row: [given])
    with refreshed(path):
        Whatever.objects.create()


def test_a_path_names_its_pages_with_any_query_string(refreshed, names):
    names(lambda row: ["/a/?page=2"])
    with refreshed("/a/", "/a/?using=default", "/a/?using=default&using=default"):
        Whatever.objects.create()


def test_a_url_of_another_host_is_logged_and_passed_over(refreshed, names, caplog):
    names(lambda row: ["http://foreign.invalid/b/", "http://[broken/", "/a/"])
    with refreshed("/a/", kept=["/b/"]):
        row = Whatever.objects.create()
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert f"'http://foreign.invalid/b/', named by app.Whatever {row.pk}, is no URL of this site" in caplog.messages


def test_paths_may_come_with_or_without_the_script_prefix(pages, names):
    before = get_script_prefix()
    names(lambda row: [reverse_lazy("page", args=["a/"]), "/b/"])
    try:
        for path in ("/a/", "/b/"):
            pages.get(path, SCRIPT_NAME="/mount")
            assert pages.is_hit(path, SCRIPT_NAME="/mount")
        set_script_prefix("/mount/")
        Whatever.objects.create()
        for path in ("/a/", "/b/"):
            assert not pages.is_hit(path, SCRIPT_NAME="/mount")
    finally:
        set_script_prefix(before)


@pytest.mark.parametrize("kind", [list, tuple, set, iter])
def test_the_paths_may_be_any_iterable(refreshed, names, kind):
    names(lambda row: kind(["/a/", "/b/"]))
    with refreshed("/a/", "/b/"):
        Whatever.objects.create()


@pytest.mark.parametrize(
    "returned", ["/a/", b"/a/", None, 5, reverse_lazy("page", args=["a/"]), [b"/a/"], [5], [["/a/"]]]
)
def test_what_is_no_iterable_of_paths_is_a_type_error_that_names_the_model(pages, names, returned):
    names(lambda row: returned)
    is_wrong = pytest.raises(TypeError, match=r"Whatever\.dependent_paths\(\) must")
    with pages.refreshed(kept=["/a/"]), is_wrong, transaction.atomic():
        Whatever.objects.create()
    assert not Whatever.objects.exists()


def test_none_among_the_paths_is_logged_and_passed_over(refreshed, names, caplog):
    names(lambda row: [None, "/a/"])
    with refreshed("/a/"):
        row = Whatever.objects.create()
    assert caplog.messages == [f"app.Whatever {row.pk}: Whatever.dependent_paths() names None as a path"]


def test_a_lazy_path_that_does_not_exist_is_logged_and_passed_over(refreshed, names, caplog):
    names(lambda row: [reverse_lazy("no-such-view"), "/a/"])
    with refreshed("/a/"):
        row = Whatever.objects.create()
    assert caplog.messages[0].startswith(
        f"app.Whatever {row.pk}: Whatever.dependent_paths() names a path that does not exist"
    )


def fails_midway(row):
    yield "/a/"
    raise RuntimeError("no more")


def fails_in_the_database(row):
    yield "/a/"
    with connection.cursor() as cursor:
        cursor.execute("SELECT no_such_column FROM no_such_table")


def misses_a_row(row):
    yield "/a/"
    Tag.objects.get(slug="missing")


def cannot_be_reversed(row):
    yield "/a/"
    yield reverse("no-such-view")


@pytest.mark.parametrize("mistake", [fails_midway, fails_in_the_database, misses_a_row, cannot_be_reversed])
def test_an_exception_refreshes_the_whole_site_and_the_write_goes_through(refreshed, names, caplog, mistake):
    names(mistake)
    with refreshed("/a/", "/elsewhere/"):
        row = Whatever.objects.create(slug="kept")
    assert Whatever.objects.get().slug == "kept"
    (record,) = caplog.records
    assert record.getMessage().startswith(
        f"app.Whatever {row.pk} does not tell its paths, the whole site is invalidated"
    )
    assert record.levelno == (logging.WARNING if mistake is cannot_be_reversed else logging.ERROR)
    with refreshed("/a/", "/elsewhere/"):
        row.save()
    with refreshed("/a/", "/elsewhere/"):
        row.delete()


def test_an_exception_in_a_deleted_queryset_refreshes_the_whole_site(refreshed, names):
    Whatever.objects.create()
    names(misses_a_row)
    with refreshed("/a/", "/elsewhere/"):
        Whatever.objects.all().delete()


@pytest.mark.parametrize("mistake", [fails_midway, fails_in_the_database, misses_a_row])
def test_where_dumper_is_strict_an_exception_undoes_the_write(pages, names, settings, mistake):
    settings.DUMPER_STRICT = True
    names(mistake)
    with pages.refreshed(kept=["/a/"]), pytest.raises(InvalidationError, match=r"app\.Whatever"), transaction.atomic():
        Whatever.objects.create()
    assert not Whatever.objects.exists()


def test_where_dumper_is_strict_a_draft_without_a_url_is_no_mistake(refreshed, names, settings):
    settings.DUMPER_STRICT = True
    names(cannot_be_reversed)
    with refreshed("/a/", "/elsewhere/"):
        Whatever.objects.create()


def test_a_mistake_found_at_the_commit_undoes_the_transaction(pages, names):
    names(lambda row: "no list")
    with pages.kept("/a/"), pytest.raises(TypeError, match="must return an iterable"):
        Whatever.objects.create()
    assert connection.get_autocommit()
    assert not Whatever.objects.exists()


def test_without_dependent_paths_the_two_older_methods_are_asked(refreshed):
    with refreshed("/a/", "/products/", "/offers/"):
        Product.objects.create(slug="a")


def test_an_absolute_url_that_cannot_be_reversed_is_logged_and_the_rest_refreshed(refreshed, monkeypatch, caplog):
    monkeypatch.setattr(Product, "get_absolute_url", lambda self: reverse("no-such-view"))
    with refreshed("/products/", "/offers/"):
        product = Product.objects.create(slug="a")
    assert caplog.messages[0].startswith(f"app.Product {product.pk} has no URL: ")
