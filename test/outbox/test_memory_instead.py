"""Where there is no outbox, purges are made all the same."""

import pytest
from django.test import override_settings

from test.app.models import Section
from test.outbox.rows import rows, wait_for

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "other"]),
    pytest.mark.usefixtures("pages", "edge"),
]


class OnlyDefault:
    """A router that keeps the outbox out of the other database."""

    def allow_migrate(self, db, app_label, **hints):
        return db == "default" or app_label != "dumper_outbox"


def test_a_purge_is_made_and_its_row_is_gone(weather):
    Section.objects.create(slug="a")
    wait_for(lambda: "/a/" in weather.purged and not rows())


def test_a_database_that_is_not_migrated_falls_back_to_memory_and_says_so_once(weather, without_table, caplog):
    without_table("other")
    for slug in ("a", "b", "c"):
        Section.objects.using("other").create(slug=slug)
    wait_for(lambda: weather.purged.keys() == {"/a/", "/b/", "/c/"})
    assert [record.args for record in caplog.records if "has no outbox" in record.msg] == [("other",)]
    Section.objects.create(slug="d")
    wait_for(lambda: "/d/" in weather.purged and not rows())


@override_settings(DATABASE_ROUTERS=["test.outbox.test_memory_instead.OnlyDefault"])
def test_a_database_that_is_to_have_no_outbox_falls_back_to_memory_in_silence(weather, without_table, caplog):
    without_table("other")
    Section.objects.using("other").create(slug="a")
    wait_for(lambda: "/a/" in weather.purged)
    assert not caplog.records
