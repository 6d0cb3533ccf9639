"""What manage.py check and migrate have to say."""

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import override_settings

import dumper
from dumper.outbox.models import Delivery
from dumper.outbox.records import has_outbox

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "other"]),
    pytest.mark.usefixtures("pages", "edge", "by_hand"),
]


def found(**options):
    return [
        (message.id, message.msg)
        for message in run_checks(**options)
        if message.id in ("dumper.E009", "dumper.W011", "dumper.W012")
    ]


def test_nothing_is_amiss():
    dumper.invalidate_paths(["/a/"])
    assert found(databases=["default", "other"]) == []


@override_settings(INSTALLED_APPS=[app for app in settings.INSTALLED_APPS if app != "dumper"])
def test_the_outbox_alone_is_told_of_nothing():
    assert [number for number, _ in found()] == ["dumper.E009"]


def test_what_was_given_up_on_is_said_for_each_database():
    for paths, using in ((["/a/"], "default"), (["/b/"], "other"), (["/c/"], "other")):
        dumper.invalidate_paths(paths, using=using)
    for using in ("default", "other"):
        Delivery.objects.using(using).update(is_dead=True)
    assert [text for _, text in found(databases=["default", "other"])] == [
        "1 deliveries to caches were given up on (database 'default'): pages may be stale there.",
        "2 deliveries to caches were given up on (database 'other'): pages may be stale there.",
    ]
    assert len(found(databases=["other"])) == 1


def test_without_a_database_to_ask_none_is_asked(django_assert_num_queries):
    Delivery.objects.create(target="edge", lines="", is_dead=True)
    with django_assert_num_queries(0):
        assert found() == []


def test_the_migrations_are_those_of_the_models(capsys):
    call_command("makemigrations", "dumper_outbox", "--check", "--dry-run")
    assert "No changes" in capsys.readouterr().out


def test_the_migration_can_be_undone_and_done_again():
    from dumper.outbox import records

    try:
        call_command("migrate", "dumper_outbox", "zero", verbosity=0)
        records._migrated.clear()
        records._unmigrated.clear()
        assert not has_outbox("default")
    finally:
        call_command("migrate", "dumper_outbox", verbosity=0)
    assert has_outbox("default")


def test_a_table_that_is_missing_is_said_for_its_database(without_table):
    without_table("other")
    assert found(databases=["default"]) == []
    assert [number for number, _ in found(databases=["default", "other"])] == ["dumper.W012"]
