"""The entry of a tag, in Python and in Lua."""

import time

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dumper.stores import scripts
from dumper.stores.entries import Entry, Hold, token

holders = st.sampled_from(["a", "b2", "c"])
deadlines = st.integers(0, 4).map(float)
entries = st.builds(
    Entry, st.from_regex(r"[a-z0-9]{1,40}", fullmatch=True), st.dictionaries(holders, deadlines, max_size=3)
)
damaged = (
    st.binary(max_size=12)
    | st.text("1 gAz09=.\n\0-", max_size=16).map(str.encode)
    | st.builds(lambda entry, cut: bytes(entry)[:cut], entries, st.integers(0, 20))
    | st.builds(
        lambda entry, at, byte: bytes(entry)[:at] + bytes([byte]) + bytes(entry)[at:],
        entries,
        st.integers(0, 20),
        st.integers(0, 255),
    )
)


def test_a_token_is_never_the_same_and_no_number():
    tokens = {token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(len(each) == 33 and each[0] == "g" for each in tokens)


@given(entries)
def test_an_entry_is_read_as_it_was_written(entry):
    assert Entry.parse(bytes(entry)) == entry


@given(damaged)
def test_reading_damaged_bytes_never_raises(data):
    entry = Entry.parse(data)
    if entry is not None:
        written = Entry.parse(bytes(entry))  # with deadlines to the millisecond
        assert written is not None
        assert Entry.parse(bytes(written)) == written


@pytest.mark.parametrize("data", [None, 1, "1 g", b"1 g\n", b"1 G", b"1 g a=", b"1 g a=.5", b"1 g  a=1", b"1 g a=1 "])
def test_anything_else_is_no_entry(data):
    assert Entry.parse(data) is None


def test_a_deadline_beyond_all_numbers_is_read():
    assert Entry.parse(b"1 g a=" + b"9" * 400).holds == {"a": float("inf")}


def test_an_entry_admits_its_own_generation_unless_it_is_held():
    entry = Entry("g")
    assert entry.admits("g")
    assert not entry.admits("other")
    assert not entry.admits(None)
    assert not Entry("g", {"holder": time.time() - 1}).admits("g")
    assert not entry.withheld().admits("g")


@given(entries, holders, st.floats(0, 5))
def test_whatever_changes_an_entry_gives_it_a_fresh_generation(entry, holder, now):
    assert entry.held(Hold(holder, 9), now).generation != entry.generation
    assert entry.released(holder, now).generation != entry.generation
    assert (entry.settled(now) is entry) == (not entry.is_overdue(now))
    assert holder not in entry.released(holder, now).holds
    assert entry.held(Hold(holder, 9), now).holds[holder] == 9
    assert all(deadline > now for deadline in entry.released("z", now).holds.values())


changes = st.one_of(
    st.tuples(st.just("lease")),
    st.tuples(st.just("hold"), holders, deadlines),
    st.tuples(st.just("release"), holders),
    st.tuples(st.just("garbage"), damaged | entries.map(bytes)),
)


def in_python(data, now, change):
    """What the store on any Django cache makes of an entry."""
    entry = Entry.parse(data)
    match change:
        case ["lease"]:
            return bytes(entry.settled(now)) if entry else bytes(Entry())
        case ["hold", holder, deadline]:
            return bytes((entry or Entry()).held(Hold(holder, deadline), now))
        case ["release", holder]:
            return bytes((entry or Entry()).released(holder, now))
        case ["garbage", data]:
            return data


def in_lua(client, now, change):
    """What the scripts make of it."""
    start = (1, "{x}g", now, 60_000, token())
    match change:
        case ["lease"]:
            client.eval(scripts.LEASE, *start)
        case ["hold", holder, deadline]:
            client.eval(scripts.HOLD, *start, holder, f"{deadline:.3f}")
        case ["release", holder]:
            client.eval(scripts.RELEASE, *start, holder, 0)
        case ["garbage", data]:
            client.set("{x}g", data)
    return client.get("{x}g")


@pytest.mark.slow
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(steps=st.lists(st.tuples(changes, st.integers(0, 1)), max_size=12))
def test_lua_and_python_make_the_same_of_an_entry(redis_server, steps):
    with redis.Redis.from_url(redis_server.url) as client:
        client.delete("{x}g")
        now, ours, theirs = 0, None, None
        for change, passed in steps:
            now += passed
            before = Entry.parse(ours), Entry.parse(theirs)
            ours, theirs = in_python(ours, now, change), in_lua(client, now, change)
            after = Entry.parse(ours), Entry.parse(theirs)
            assert (after[0] is None) == (after[1] is None), (ours, theirs)
            if after[0] is None:
                continue
            assert after[0].holds == after[1].holds
            fresh = [old is None or old.generation != new.generation for old, new in zip(before, after, strict=True)]
            assert fresh[0] == fresh[1] or change[0] == "garbage"
            assert (client.pttl("{x}g") == -1) == bool(after[1].holds) or change[0] in ("garbage", "lease")
