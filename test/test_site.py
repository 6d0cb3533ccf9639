"""register() and unregister()."""

import logging

import pytest
from django.core import serializers
from django.core.management import call_command
from django.db import connection, models, transaction
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext

import dumper
from test.app.models import Article, Section, Tag, Ticket, Unregistered

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_unregistered_model_refreshes_nothing(refreshed):
    with refreshed(kept=["/a/"]):
        row = Unregistered.objects.create(slug="a")
        row.save()
        row.delete()


def test_register_returns_the_model_and_may_be_called_again(pages):
    try:
        assert dumper.register(dumper.register(Unregistered)) is Unregistered
        with pages.refreshed("/a/"):
            Unregistered.objects.create(slug="a")
    finally:
        dumper.unregister(Unregistered)
    with pages.kept("/a/"):
        Unregistered.objects.all().delete()


def test_a_model_registered_twice_is_asked_once(pages, monkeypatch):
    asked = []
    monkeypatch.setattr(Ticket, "dependent_paths", lambda self: asked.append(self) or [])
    dumper.register(Ticket)
    Ticket.objects.create(slug="a")
    assert len(asked) == 1


def test_unregister_may_be_called_for_any_model():
    dumper.unregister(Unregistered)
    dumper.unregister(Unregistered)


def test_only_models_with_a_table_can_be_registered():
    class Abstract(models.Model):
        class Meta:
            abstract = True

    for mistake in (Abstract, object, "app.Article", Article(), None):
        with pytest.raises(TypeError, match="takes a model that has a table"):
            dumper.register(mistake)


def test_registrations_are_logged(caplog):
    with caplog.at_level(logging.DEBUG, "dumper.site"):
        dumper.register(Ticket)
    assert caplog.messages == ["registered: app.Ticket"]


def test_receivers_of_post_save_run_outside_of_a_transaction_as_they_do_without_dumper(pages):
    seen = []

    def receive(**kwargs):
        seen.append(connection.in_atomic_block)
        transaction.on_commit(lambda: seen.append("on_commit"))
        seen.append("returned")

    post_save.connect(receive, sender=Article)
    try:
        Article.objects.create(slug="a")
    finally:
        post_save.disconnect(receive, sender=Article)
    assert seen == [False, "on_commit", "returned"]


def statements(write):
    """The first words of what ``write`` has sent to the database."""
    with CaptureQueriesContext(connection) as captured:
        write()
    return [query["sql"].split()[0].rstrip(";") for query in captured]


def test_what_a_save_costs():
    registered, plain = Ticket(slug="a"), Unregistered(slug="a")
    assert statements(plain.save) == ["INSERT"]
    assert statements(registered.save) == ["BEGIN", "INSERT", "SELECT", "SAVEPOINT", "RELEASE", "COMMIT"]
    assert statements(plain.save) == ["UPDATE"]
    state = ["SELECT", "SAVEPOINT", "RELEASE"]
    lock = ["UPDATE"] if connection.vendor == "sqlite" else []
    assert statements(registered.save) == ["BEGIN", *lock, *state, "UPDATE", *state, "COMMIT"]


def test_the_second_save_in_a_transaction_looks_nothing_up():
    ticket = Ticket.objects.create(slug="a")
    with transaction.atomic():
        ticket.save()
        assert statements(ticket.save) == ["UPDATE"]


@pytest.fixture
def fixture(tmp_path):
    """A function that writes instances into a file for loaddata."""

    def write(*instances):
        path = tmp_path / "rows.json"
        path.write_text(serializers.serialize("json", instances))
        return path

    return write


def test_loaded_fixtures_refresh_the_pages_of_before_and_after(pages, fixture):
    Tag.objects.create(pk=1, slug="old")
    with pages.refreshed("/old/", "/new/"):
        call_command("loaddata", fixture(Tag(pk=1, slug="new")), verbosity=0)


def test_fixtures_may_refer_to_rows_that_come_later(pages, fixture, caplog):
    child, parent = Section(pk=1, slug="child", parent_id=2), Section(pk=2, slug="parent")
    path = fixture(child, parent)
    with pages.refreshed("/child/", "/parent/"):
        call_command("loaddata", path, verbosity=0)
    assert not caplog.records
    parent.slug = "renamed"
    path = fixture(child, parent)
    with pages.refreshed("/child/", "/parent/", "/renamed/"):
        call_command("loaddata", path, verbosity=0)
