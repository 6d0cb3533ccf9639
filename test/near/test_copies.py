"""Copies are bounded in bytes, and forgotten with all that is remembered of them."""

from sys import getsizeof

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dumper.exchange import Found
from dumper.near.copies import _OVERHEAD, MOST_SIGNATURES, Answered, Copies, Copy
from dumper.rules.headers import IDENTITY
from dumper.rules.keys import Key
from dumper.rules.messages import StoredResponse
from dumper.stores.base import Proof

BODY = 5_000


def copy(name="a", body=b"x" * BODY, names=()):
    stored = StoredResponse(
        fingerprint=name,
        generations={"tag": "g"},
        stored_at=0,
        expires_at=None,
        status=200,
        reason="OK",
        headers=[],
        marks={},
        slots=None,
        bodies={IDENTITY: body},
    )
    key = Key("path", name, name)
    proof = Proof(stored.generations, {key: b"identity"})
    return Copy(key, Found(None, key, stored, frozenset(), proof.identities, {}), proof, names)


def kept(copies, *names):
    return [name for name in names if copies.of(Key("path", name, name))]


def remember(copies, of, *signature):
    answered = Answered(None, of)
    copies.remember(signature, answered, of)
    return answered


def test_what_is_too_large_for_all_the_room_is_not_kept():
    copies = Copies(10_000)
    large = copy(body=b"x" * 10_000, names=[b"n"])
    copies.add(large)
    remember(copies, large, "a")
    assert (len(copies), copies.size, copies.answers, copies.named([b"n"])) == (0, 0, {}, [])


def test_what_is_too_large_takes_nobodys_room():
    copies = Copies(100_000)
    copies.add(copy("small"))
    copies.add(copy("large", b"x" * 100_000))
    assert kept(copies, "small", "large") == ["small"]


def test_there_is_never_more_than_there_is_room_for():
    copies = Copies(100_000)
    for number in range(100):
        one = copy(str(number), names=[b"all", b"%d" % number])
        copies.add(one)
        for visitor in range(number % 5):
            remember(copies, one, number, visitor)
        assert copies.size <= 100_000
    assert copies.size > 80_000
    assert len(copies.named([b"all"])) == len(copies)
    assert {answered.copy for answered in copies.answers.values()} <= set(copies.named([b"all"]))
    assert kept(copies, "99", "0") == ["99"]


def test_bodies_names_and_signatures_count():
    copies = Copies(10**9)
    sizes = []
    for one in (copy("a", b""), copy("b", b"x" * 1_000), copy("c", b"", [b"n"])):
        before = copies.size
        copies.add(one)
        sizes.append(copies.size - before)
    assert sizes[1] - sizes[0] == 1_000
    assert sizes[2] > sizes[0] >= _OVERHEAD
    before = copies.size
    remember(copies, one, "s" * 1_000)
    assert copies.size - before > getsizeof("s" * 1_000)


def test_those_used_last_stay():
    copies = Copies(3 * copy().size)
    one, two, three = copy("1"), copy("2"), copy("3")
    for each in (one, two, three):
        copies.add(each)
    copies.use(one)
    copies.add(copy("4"))
    assert kept(copies, "1", "2", "3", "4") == ["1", "3", "4"]
    copies.use(two)  # it is not there any more
    assert kept(copies, "1", "2", "3", "4") == ["1", "3", "4"]


def test_a_signature_takes_room_from_the_copies():
    copies = Copies(3 * copy().size)
    one, two, three = copy("1"), copy("2"), copy("3")
    for each in (one, two, three):
        copies.add(each)
    remember(copies, three, "x" * 1_000)
    assert kept(copies, "1", "2", "3") == ["2", "3"] or kept(copies, "1", "2", "3") == ["3"]
    assert copies.size <= copies.most


def test_what_replaces_another_takes_its_place_and_its_answers():
    copies = Copies(10**9)
    old, new = copy(names=[b"old", b"both"]), copy(names=[b"new", b"both"])
    copies.add(old)
    remember(copies, old, "visitor")
    copies.add(new)
    assert copies.of(old.key) is new
    assert copies.answers == {}
    assert copies.size == new.size
    assert [copies.named([name]) for name in (b"old", b"new", b"both")] == [[], [new], [new]]


@pytest.mark.parametrize("is_used", [False, True])
def test_nothing_is_remembered_of_a_copy_that_is_gone(is_used):
    copies = Copies(10**9)
    old = copy()
    copies.add(old)
    copies.add(copy())
    size = copies.size
    if is_used:
        copies.use(old)
    remember(copies, old, "visitor")
    assert copies.answers == {}
    assert copies.size == size


def test_of_the_signatures_of_one_copy_the_oldest_go_first():
    copies = Copies(10**9)
    one, other = copy("1"), copy("2")
    copies.add(one)
    copies.add(other)
    remember(copies, other, "other")
    for number in range(MOST_SIGNATURES + 3):
        remember(copies, one, number)
    assert list(copies.answers) == [("other",), *[(number,) for number in range(3, MOST_SIGNATURES + 3)]]
    sizes = {len(one.signatures), len(other.signatures)}
    assert sizes == {MOST_SIGNATURES, 1}
    assert copies.size == one.size + other.size


def test_a_signature_that_is_remembered_again_is_counted_once():
    copies = Copies(10**9)
    one = copy()
    copies.add(one)
    remember(copies, one, "visitor")
    size = copies.size
    for _ in range(3):
        last = remember(copies, one, "visitor")
    assert copies.answers == {("visitor",): last}
    assert copies.size == size == one.size


def test_what_names_find_is_all_that_depends_on_them():
    copies = Copies(10**9)
    one, two = copy("1", names=[b"a", b"b"]), copy("2", names=[b"b", b"c"])
    copies.add(one)
    copies.add(two)
    assert copies.named([b"a"]) == [one]
    assert set(copies.named([b"b"])) == {one, two}
    assert copies.named([b"nobody", b"c"]) == [two]


deeds = st.sampled_from(["add", "use", "remember", "remember"])


@given(st.lists(st.tuples(deeds, st.sampled_from("abcd"), st.integers(0, 3)), max_size=60))
def test_whatever_happens_all_is_counted_and_nothing_is_left_of_what_is_gone(happenings):
    copies = Copies(3 * copy(names=[b"a"]).size + 3 * _OVERHEAD)
    made = {}
    for deed, name, number in happenings:
        one = made.setdefault(name, copy(name, names=[name.encode(), b"all"]))
        if deed == "add":
            made[name] = copy(name, names=[name.encode(), b"all"])
            copies.add(made[name])
        elif deed == "use":
            copies.use(one)
        else:
            remember(copies, one, number)
        living = [made[other] for other in kept(copies, *made)]
        assert copies.size == sum(one.size for one in living) <= copies.most
        assert sorted(map(id, copies.named([b"all"]))) == sorted(map(id, living))
        assert {answered.copy for answered in copies.answers.values()} <= set(living)


def test_header_fields_count_by_their_bytes():
    copies, one = Copies(10**9), copy()
    copies.add(one)
    sizes = []
    for field in (b"x", b"x" * 10_001):
        before = copies.size
        remember(copies, one, "GET", (b"accept-encoding", field))
        sizes.append(copies.size - before)
    assert sizes[1] - sizes[0] == 20_000, "as they came, and as text"
