"""Inside Django's TestCase nothing is ever committed: purges are made at once, and nothing is written down."""

import pytest
from django.db import connection, transaction
from django.test import Client, SimpleTestCase, TestCase, override_settings
from django.test.utils import CaptureQueriesContext

import dumper
from dumper import upstreams
from dumper.outbox.pending import pending
from test.app import views
from test.app.models import Section
from test.outbox.rows import rows, targets, wait_for

DUMMY = {"BACKEND": "dumper.upstreams.dummy.Dummy"}


@pytest.mark.usefixtures("edge")
class InTestCase(TestCase):
    def changes(self):
        Section.objects.create(slug="a")
        with transaction.atomic():
            Section.objects.create(slug="b")
        dumper.invalidate_paths(["/c/"])

    def test_nothing_is_written_down(self):
        self.changes()
        Client().get("/a/")
        assert rows() == []

    def test_a_test_sees_at_once_what_was_purged(self):
        with override_settings(DUMPER_UPSTREAMS={"dummy": DUMMY}):
            self.changes()
            Client().get("/a/")
            purged = frozenset().union(*upstreams.current()["dummy"].purged)
            assert purged >= {"path:/a/", "path:/b/", "path:/c/"}

    def test_a_page_costs_no_query_of_the_outbox(self):
        with CaptureQueriesContext(connection) as queries:
            Client().get("/a/")
        assert not [query for query in queries if "dumper_outbox" in query["sql"]]


@pytest.mark.usefixtures("edge")
class WithoutDatabase(SimpleTestCase):
    def test_a_page_that_needs_no_database_is_served(self):
        pending.expire()
        views.actions["nothing"] = lambda: "done"
        self.addCleanup(views.actions.pop, "nothing")
        assert Client().get("/do/nothing/").content == b"'done'"


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
def test_in_a_test_that_commits_it_is_as_on_the_site(pages, edge, by_hand):
    Section.objects.create(slug="a")
    assert targets() == ["edge"]


@pytest.mark.django_db
def test_the_mark_of_pytest_does_as_a_testcase(pages, edge):
    Section.objects.create(slug="a")
    assert rows() == []
    wait_for(lambda: "/a/" in edge.purged)
