"""What cannot be delivered is given up on in the end: in plain sight, and not for good."""

import pytest
from django.test import override_settings

import dumper
from dumper.outbox import deliver
from dumper.outbox.delivery import UNKNOWN_DELAY
from dumper.outbox.models import Delivery, retry
from test.outbox.conftest import upstream
from test.outbox.rows import invalidate, later, paths, rows

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "other"]),
    pytest.mark.usefixtures("pages", "edge", "by_hand"),
]


def test_it_is_given_up_in_the_end_said_and_done_once_more_when_somebody_says_so(edge, given_up, caplog):
    edge.mood = "refused"
    invalidate("/old/")
    later(86_401)
    invalidate("/young/")
    deliver()
    old, young = rows()
    assert (old.is_dead, young.is_dead) == (True, False)
    assert "503" in old.error
    assert given_up == [("edge", {"path:/old/"}, old.error)]
    assert any("Gave up on 1 purges of 'edge'" in record.message for record in caplog.records)
    edge.mood = "done"
    later(1)
    deliver()
    assert paths() == {"/old/"}
    edge.mood = "refused"
    assert retry(Delivery.objects.all()) == 1
    deliver()
    assert not rows()[0].is_dead, "it has a day again"
    edge.mood = "done"
    later(1)
    deliver()
    assert rows() == []
    assert "/old/" in edge.purged


def test_what_cannot_be_done_at_all_does_not_spoil_the_rest(edge, given_up):
    invalidate("/a/")
    dumper.clear()  # which no PURGE can do
    invalidate("/b/")
    deliver()
    assert edge.purged.keys() == {"/a/", "/b/"}
    assert [(row.tags, row.is_dead) for row in rows()] == [({"site"}, True)]
    assert [tags for _, tags, _ in given_up] == [{"site"}]


@pytest.mark.parametrize(("days", "is_kept"), [(29, True), (31, False)])
def test_the_dead_are_kept_for_thirty_days(days, is_kept):
    dumper.clear()
    deliver()
    later(days * 86_400)
    dumper.clear()
    deliver()
    assert len(rows()) == 1 + is_kept


def test_an_upstream_that_this_process_does_not_know_is_left_to_others(edge, given_up):
    """While a site is deployed, some processes know it already."""
    new = {"new": upstream(edge.url)}
    with override_settings(DUMPER_UPSTREAMS=new):
        invalidate("/a/")
    invalidate("/b/")
    deliver()
    assert (paths(target="new"), paths()) == ({"/a/"}, set())
    assert deliver() == 0
    later(UNKNOWN_DELAY)
    with override_settings(DUMPER_UPSTREAMS=new):
        assert deliver() == 1
    assert rows() == given_up == []


def test_an_upstream_that_nobody_knows_any_more_is_given_up_on(edge, given_up):
    with override_settings(DUMPER_UPSTREAMS={"old": upstream(edge.url)}):
        invalidate("/a/")
    later(86_401)
    deliver()
    assert [row.is_dead for row in rows()] == [True]
    assert given_up == [("old", {"path:/a/"}, "there is no upstream 'old'")]
