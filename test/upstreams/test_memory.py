"""What waits in memory: each tag once, until it was purged in every round, and never without a bound."""

from types import SimpleNamespace

import pytest

from dumper.rules.tags import SITE
from dumper.upstreams import memory as module
from dumper.upstreams.memory import Memory, reference_of
from test.upstreams.helpers import paths

A, B = sorted(paths("/a/", "/b/"))


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when the test says so."""
    clock = SimpleNamespace(now=100.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def memory(clock):
    return Memory()


def due(memory):
    return sorted(memory.due(False))


def test_a_tag_is_due_at_once_and_once_however_often_it_is_put(memory):
    for _ in range(3):
        memory.put({A, B})
    assert due(memory) == [A, B]
    assert len(memory) == 2
    assert memory.next_due() == 0


def test_nothing_is_due_where_nothing_was_put(memory):
    assert (due(memory), memory.next_due(), memory.undone(), len(memory)) == ([], None, [], 0)


def test_the_oldest_are_due_first(memory, clock):
    memory.put({B})
    clock.now += 1
    memory.put({A})
    assert list(memory.due(False, 1)) == [B]
    assert list(memory.due(False, 2)) == [B, A]


def rounds(memory, clock, again_after, took=0.0):
    """When a tag is purged, in seconds after it was put."""
    since, found = clock.now, []
    while len(memory):
        clock.now += memory.next_due()
        visits = memory.due(False)
        began = clock.now
        found.append(began - since)
        clock.now += took
        memory.done(visits, began, again_after)
    return found


@pytest.mark.parametrize(
    ("again_after", "took", "times"),
    [
        ((), 0, [0]),
        ((60,), 0, [0, 60]),
        ((5, 60), 0, [0, 5, 60]),
        ((5, 60), 20, [0, 20, 60]),
        ((60,), 100, [0, 100]),
        ((1, 2, 3), 10, [0, 10]),
    ],
)
def test_a_purge_is_done_again_so_and_so_long_after_the_change(memory, clock, again_after, took, times):
    memory.put({A})
    assert rounds(memory, clock, again_after, took) == times


def test_a_purge_that_came_late_is_not_done_again_for_rounds_that_had_passed_when_it_began(memory, clock):
    memory.put({A})
    clock.now += 30
    assert rounds(memory, clock, (5, 60)) == [0, 30]


def test_what_is_put_meanwhile_is_due_again(memory, clock):
    memory.put({A, B})
    visits = memory.due(False)
    clock.now += 1
    memory.put({A})
    memory.done(visits, 100.0, ())
    assert due(memory) == [A]


def test_what_is_put_while_a_round_waits_begins_anew(memory, clock):
    memory.put({A})
    memory.done(memory.due(False), clock.now, (60,))
    assert (due(memory), memory.next_due(), memory.undone()) == ([], 60, [])
    clock.now += 59
    memory.put({A})
    assert due(memory) == [A]
    assert rounds(memory, clock, (60,)) == [0, 60]


def test_what_has_failed_is_due_after_the_delay(memory, clock):
    memory.put({A})
    assert memory.failed(memory.due(False), 7, 100) == []
    assert (due(memory), memory.next_due(), memory.undone()) == ([], 7, [A])
    clock.now += 7
    assert due(memory) == [A]


def test_what_has_failed_for_too_long_is_given_up_on_and_the_rest_is_not(memory, clock):
    memory.put({A})
    clock.now += 101
    memory.put({B})
    assert memory.failed(memory.due(False), 7, 100) == [A]
    assert len(memory) == 1
    assert memory.undone() == [B]


def test_what_was_put_meanwhile_is_not_dropped(memory):
    memory.put({A, B})
    visits = memory.due(False)
    memory.put({B})
    memory.drop(visits)
    assert due(memory) == [B]


def test_at_the_last_chance_later_rounds_are_due_as_well(memory, clock):
    memory.put({A})
    memory.done(memory.due(False), clock.now, (60,))
    assert list(memory.due(True)) == [A]


def test_above_its_bound_the_whole_site_stands_for_all(memory, monkeypatch):
    monkeypatch.setattr(module, "MOST_TAGS", 3)
    memory.put(paths("/1", "/2"))
    memory.put(paths("/3"))
    assert len(memory) == 3
    memory.put(paths("/4"))
    assert due(memory) == [SITE]
    memory.put(paths("/5"))
    assert due(memory) == sorted([*paths("/5"), SITE])
    memory.put(paths(*"abcdef"))
    assert due(memory) == [SITE]


def test_a_purge_tried_again_has_its_reference_and_every_other_another(memory, clock):
    references = []
    memory.put({A})
    references.append(reference_of(memory.due(False)))
    memory.failed(memory.due(False), 1, 100)
    clock.now += 1
    assert reference_of(memory.due(False)) == references[0]
    memory.done(memory.due(False), clock.now, (60,))
    references.append(reference_of(memory.due(True)))  # the next round
    memory.put({A})
    references.append(reference_of(memory.due(False)))
    memory.put({B})
    references.append(reference_of(memory.due(False)))
    other = Memory()  # of another process, say
    other.put({A})
    references.append(reference_of(other.due(False)))
    assert len(set(references)) == 5
