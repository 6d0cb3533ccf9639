"""Rows are leased, delivered, and gone when the cache in front has confirmed it; or they come again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections
from django.test import override_settings
from django.utils import timezone

import dumper
from dumper.outbox import deliver
from dumper.outbox.delivery import deliver_to, lease
from dumper.outbox.models import Delivery
from dumper.upstreams.courier import Courier
from test.outbox.conftest import upstream
from test.outbox.rows import invalidate, later, rows

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "other"]),
    pytest.mark.usefixtures("pages", "edge", "by_hand"),
]


def test_what_is_delivered_is_gone(edge):
    invalidate("/a/", "/b/")
    dumper.invalidate_paths(["/c/"], using="other")
    assert deliver() == 3
    assert sorted(edge.calls) == ["/a/", "/b/", "/c/"]
    assert rows() == rows("other") == []
    assert deliver() == 0


@pytest.mark.parametrize("mood", ["refused", "dropped", "hung", "lost", "late"])
def test_what_is_not_confirmed_stays_and_comes_again(edge, mood):
    invalidate("/a/")
    edge.mood = mood
    assert deliver() == 1
    (row,) = rows()
    assert row.attempts == 1
    assert row.error.startswith("UpstreamError: ")
    assert not row.is_dead
    edge.mood = "done"
    later(1)
    assert deliver() == 1
    assert rows() == []
    assert edge.calls == ["/a/", "/a/"]


def test_what_has_failed_waits_before_it_comes_again(edge):
    edge.mood = "refused"
    invalidate("/a/")
    with override_settings(DUMPER_RETRY_DELAY=1000, DUMPER_UPSTREAMS={"edge": upstream(edge.url)}):
        deliver()
    assert rows()[0].due_at > timezone.now() + timedelta(seconds=100)
    edge.mood = "done"
    assert deliver() == 0


def test_an_upstream_that_fails_is_left_alone_for_the_moment(edge):
    edge.mood = "refused"
    invalidate(*(f"/{number}/" for number in range(150)))
    deliver()
    assert len(edge.calls) == 1


def test_an_unsteady_upstream_is_told_of_everything_in_the_end(edge):
    """Each that was told is done with, whatever becomes of the others."""
    edge.mood = lambda number: "refused" if number % 20 == 0 else "done"
    invalidate(*(f"/{number}/" for number in range(150)))
    for _ in range(100):
        later(1)
        if not deliver():
            break
    assert rows() == []
    assert len(edge.purged) == 150


@pytest.mark.parametrize("using", ["default", "other"])
def test_rows_are_shared_between_those_who_deliver_at_once(using):
    for number in range(250):
        dumper.invalidate_paths([f"/{number}/"], using=using)
    batches = [lease(using, Courier("edge")) for _ in range(4)]
    assert batches.pop() is None
    leased = [row.pk for batch in batches for row in batch.rows]
    assert sorted(leased) == sorted(row.pk for row in rows(using))


def test_nobody_leases_what_another_is_just_leasing():
    """Both have seen the same rows to be due."""
    for number in range(20):
        invalidate(f"/{number}/")
        barrier = Barrier(4)
        with ThreadPoolExecutor(4) as threads:
            leases = [threads.submit(lease_at, barrier) for _ in range(4)]
        assert sum(lease.result() for lease in leases) == 1


def lease_at(barrier):
    """How many rows this thread has leased, as the others do so."""
    try:
        barrier.wait()
        batch = lease("default", Courier("edge"))
        return len(batch.rows) if batch else 0
    finally:
        connections.close_all()


def test_a_lease_that_has_run_out_is_taken_over(edge):
    """A process was killed while it had it."""
    invalidate("/a/")
    assert lease("default", Courier("edge"))
    assert deliver() == 0
    later(1000)
    assert deliver() == 1
    assert rows() == []


def test_who_has_lost_the_lease_says_no_more_of_what_has_failed(edge, given_up):
    invalidate("/a/")
    slow = lease("default", Courier("edge"))
    later(1000)
    quick = lease("default", Courier("edge"))
    edge.mood = "refused"
    with override_settings(DUMPER_GIVE_UP_AFTER=1, DUMPER_UPSTREAMS={"edge": upstream(edge.url)}):
        slow.deliver()
    (row,) = rows()
    assert (row.owner, row.attempts, row.is_dead) == (quick.rows[0].owner, 0, False)
    assert given_up == []


def test_what_takes_longer_than_the_lease_is_done_all_the_same(edge):
    """Or else several that are slow would take it from each other, and never be done."""
    invalidate("/a/")
    slow = lease("default", Courier("edge"))
    later(1000)
    quick = lease("default", Courier("edge"))
    slow.deliver()
    assert rows() == []
    quick.deliver()
    assert rows() == []


def test_a_purge_comes_again_for_what_was_being_fetched(edge):
    with override_settings(DUMPER_UPSTREAMS={"edge": upstream(edge.url, again_after=[60, 3600])}):
        invalidate("/a/")
        done = []
        for wait in (0, 30, 31, 3000, 600):
            later(wait)
            done.append(deliver())
            assert [found.done for found in rows()] == [min(sum(done), 2)][: len(rows())]
        assert done == [1, 0, 1, 0, 1]
    assert rows() == []
    assert edge.calls == ["/a/"] * 3


@pytest.mark.parametrize(("age", "done"), [(0, [1]), (59, [1]), (61, [2]), (3599, [2]), (3601, [])])
def test_the_rounds_that_are_past_are_left_out(edge, age, done):
    with override_settings(DUMPER_UPSTREAMS={"edge": upstream(edge.url, again_after=[60, 3600])}):
        invalidate("/a/")
        later(age)
        deliver()
        assert [row.done for row in rows()] == done
    assert len(edge.calls) == 1


def test_a_round_that_fails_is_tried_again(edge):
    with override_settings(DUMPER_UPSTREAMS={"edge": upstream(edge.url, again_after=60)}, DUMPER_RETRY_DELAY=0.2):
        invalidate("/a/")
        deliver()
        later(60)
        edge.mood = "refused"
        deliver()
        assert [(row.done, row.attempts) for row in rows()] == [(1, 1)]
        edge.mood = "done"
        later(1)
        deliver()
    assert rows() == []


def test_a_database_that_fails_keeps_no_other_from_being_delivered(edge, without_table, caplog):
    from dumper.outbox import records

    invalidate("/a/")
    without_table("other")
    records._migrated.add("other")
    assert deliver() == 1
    invalidate("/b/")
    assert deliver_to(Courier("edge")) is not None, "it is looked at again"
    assert edge.calls == ["/a/", "/b/"]
    assert [record.args[0] for record in caplog.records if "does not work" in record.msg] == ["other"]


def test_the_same_purge_has_the_same_reference_whenever_it_is_tried(edge, monkeypatch):
    heard = []
    tell = Courier.tell
    monkeypatch.setattr(
        Courier, "tell", lambda self, tags, reference: heard.append(reference) or tell(self, tags, reference)
    )
    edge.mood = "refused"
    invalidate("/a/")
    for _ in range(2):
        Delivery.objects.update(due_at=timezone.now())
        deliver()
    Delivery.objects.update(due_at=timezone.now())
    with override_settings(DUMPER_UPSTREAMS={"edge": upstream(edge.url, again_after=60)}):
        edge.mood = "done"
        deliver()
        Delivery.objects.update(due_at=timezone.now())
        deliver()
    assert len(heard) == 4
    assert heard[0] == heard[1] == heard[2] != heard[3]


def test_a_row_is_one_line_in_the_shell():
    dumper.invalidate_paths(["/a/", "/b/"])
    assert str(rows()[0]) == "edge: 2 tags"
