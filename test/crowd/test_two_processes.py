"""Two processes with one store, in one: each has a crowd of its own. What they agree upon stands in the store."""

import threading
import time

import pytest

from dumper import stores
from dumper.conf import settings
from dumper.crowd import Turn
from dumper.exchange import Exchange
from dumper.rules.tags import SITE
from dumper.steps import run
from dumper.stores.base import Item
from dumper.stores.guard import Breaker, Guard
from dumper.waiting import Waiting
from test.rules.examples import a_request, a_response
from test.stores.helpers import PAGE, PATH, lease


@pytest.fixture
def processes():
    return [Guard(stores.make(settings()), Breaker(1)) for _ in range(2)]


def turn(patience=60.0):
    return Turn(PAGE, patience, 60)


def soon(seconds=30.0):
    return time.monotonic() + seconds


def test_one_of_them_has_the_turn_and_the_other_waits_until_it_is_over(processes):
    one, other = processes
    first, second = turn(), turn()
    assert one.turn(first, soon()) is first
    waiting = threading.Thread(target=lambda: found.append(other.turn(second, soon())))
    found = []
    waiting.start()
    time.sleep(0.1)
    assert not found
    assert one.write([Item(PAGE, b"DMPR" + b"x" * 20, None)], lease(one.store, (PATH, SITE)))
    one.over(first, ())
    waiting.join(30)
    assert found == [second], "so that it looks at what is stored by now"
    assert second.identity != first.identity


def test_without_patience_it_is_told_at_once_that_it_is_not_over(processes):
    one, other = processes
    one.turn(turn(), soon())
    found = other.turn(turn(), soon(0))
    assert found is not None
    assert not found.is_over
    assert not other.crowd._turns


def test_what_is_in_vain_for_one_is_so_for_the_other(processes):
    one, other = processes
    first = turn()
    one.turn(first, soon())
    one.over(first, None)
    assert one.turn(turn(), soon()) is None
    assert other.turn(turn(), soon()) is None
    assert not one.crowd._turns
    assert not other.crowd._turns


def test_what_is_given_back_is_taken_up_by_the_other(processes):
    one, other = processes
    first, second = turn(), turn()
    one.turn(first, soon())
    one.over(first, ())
    assert other.turn(second, soon()) is second


def test_a_turn_that_is_not_given_back_is_taken_over_when_half_its_time_has_passed(processes):
    one, other = processes
    one.turn(turn(patience=4), soon())
    second = turn(patience=4)
    assert other.turn(second, soon(3.5)) is second


def test_the_turn_of_a_request_that_hangs_is_taken_over_in_its_own_process(processes):
    one, _ = processes
    one.turn(turn(patience=0.05), soon())
    time.sleep(0.1)
    second = turn()
    assert one.turn(second, soon()) is second


def test_what_was_stored_between_look_up_and_turn_is_served(processes):
    """Nobody renders once more what another process has stored in that moment."""
    exchanges = [Exchange(a_request(), settings()) for _ in processes]
    for exchange, process in zip(exchanges, processes, strict=True):
        run(exchange.lookup(), process)
        assert run(exchange.serve("en", "UTC", False), process) is None
    late, early = exchanges
    assert run(early.settle(a_response()), processes[1])
    stored = run(Waiting(late).wait(), processes[0])
    assert stored
    assert str(late.decision) == "dumper; fwd=uri-miss; collapsed"
    assert not processes[0].crowd._turns


def test_a_process_knows_no_more_in_vain_than_is_set(processes, monkeypatch):
    monkeypatch.setattr("dumper.crowd.MOST_VAIN", 3)
    crowd = processes[0].crowd
    for number in range(5):
        own = turn()
        own.key = own.key.__class__(PATH, str(number), str(number))
        crowd.end(own, None)
    assert list(crowd._vain) == ["2", "3", "4"]
