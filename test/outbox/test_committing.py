"""The signal ``committing``: who else may listen to it, and what becomes of errors."""

import pytest
from django.db import DatabaseError, transaction

import dumper
from dumper.signals import committing
from test.app.models import Section
from test.outbox.rows import paths, rows, wait_for

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "other"]),
    pytest.mark.usefixtures("pages", "edge"),
]


@pytest.fixture
def listen():
    """Connect receivers for the time of a test."""
    receivers = []

    def connect(receiver):
        committing.connect(receiver)
        receivers.append(receiver)

    yield connect
    for receiver in receivers:
        committing.disconnect(receiver)


@pytest.mark.usefixtures("by_hand")
def test_what_a_receiver_changes_besides_is_written_down_as_well(listen):
    def audit(tags, using, **kwargs):
        if "path:/audit/" not in tags:
            dumper.invalidate_paths(["/audit/"], using=using)

    listen(audit)
    with transaction.atomic():
        dumper.invalidate_paths(["/a/"])
    assert paths() == {"/a/", "/audit/"}


def refuse(**kwargs):
    raise DatabaseError("database is locked")


def test_an_error_undoes_the_change(listen):
    listen(refuse)
    with pytest.raises(DatabaseError):
        Section.objects.create(slug="a")
    assert not Section.objects.exists()
    assert rows() == []


def test_in_autocommit_mode_it_does_not_and_the_purge_goes_by_memory(listen, edge, caplog):
    listen(refuse)
    dumper.invalidate_paths(["/a/"])
    wait_for(lambda: "/a/" in edge.purged)
    assert "Could not write down 1 tags" in caplog.text
