"""A crowd that asks for one page is answered with one render (RFC 9211 §2.7), in one process."""

import time
from collections import Counter

import http_sf
import pytest
from django.test import RequestFactory, override_settings

import dumper
from dumper import stores
from test.crowd.site import PATIENCE, fails, page, results

LEADER, OTHER = "dumper; fwd=uri-miss; stored", "dumper; fwd=uri-miss; collapsed"


def test_one_renders_for_all(site):
    crowd = site.visit(20)
    site.render(page("one"))
    assert Counter(results(crowd)) == {("one", LEADER): 1, ("one", OTHER): 19}
    assert site.renders.empty()
    assert results([site.ask()]) == [("one", "dumper; hit")]


def test_what_is_said_of_it_can_be_parsed(site):
    crowd = site.visit(2)
    site.render(page(Cache_Control="max-age=60"))
    said = [http_sf.parse(status.encode(), tltype="list") for _, status in results(crowd)]
    parameters = [dict(members[0][1]) for members in said]
    assert sum(found.pop("stored", False) for found in parameters) == 1
    assert sum(found.pop("collapsed", False) for found in parameters) == 1
    assert all(
        str(found.pop("fwd")) == "uri-miss" and 58 < found.pop("ttl") <= 60 and not found for found in parameters
    )


def test_pages_do_not_wait_for_each_other(site):
    crowds = [site.visit(1, f"/{number}/") if not number else [site.ask(f"/{number}/")] for number in range(3)]
    site.wait_for(lambda: site.renders.qsize() == 3)
    for _ in range(3):
        site.render(page())
    assert {status for crowd in crowds for _, status in results(crowd)} == {LEADER}


@pytest.mark.parametrize(
    "make",
    [page(Cache_Control="private"), page(Set_Cookie="a=b"), page(status=404), fails, page(Cache_Control="max-age=0")],
    ids=["private", "cookie", "not found", "raises", "expired"],
)
def test_nobody_waits_for_what_is_not_stored_but_once(site, make):
    crowd = site.visit(5)
    site.render(make)
    site.wait_for(lambda: site.renders.qsize() == 4)
    crowd.append(site.ask())
    site.wait_for(lambda: site.renders.qsize() == 5)
    for _ in range(5):
        site.render(make)
    assert not any("collapsed" in status or "stored" in status for _, status in results(crowd))


def test_what_may_be_stored_again_is_waited_for_again(site):
    site.stored(page(status=404))
    assert "stored" in site.stored(page())["Cache-Status"]
    dumper.invalidate_paths(["/page/"])
    crowd = site.visit(3)
    site.render(page("new"))
    assert {text for text, _ in results(crowd)} == {"new"}


def test_nobody_waits_for_what_was_in_vain_until_that_has_passed(site):
    with override_settings(DUMPER_HIT_FOR_MISS=0.05):
        site.stored(page(status=404))
        site.wait_for(lambda: not is_in_vain())
        crowd = site.visit(3)
        site.render(page())
    assert {text for text, _ in results(crowd)} == {"page"}


def is_in_vain():
    crowd = stores.current().crowd
    return any(until > time.monotonic() for until in crowd._vain.values())


def test_after_a_render_that_was_overtaken_one_of_those_who_came_later_is_the_next(site):
    early = site.visit(1)
    dumper.invalidate_paths(["/page/"])
    late = [site.ask() for _ in range(5)]
    site.wait_for(lambda: site.waiting() == 5)
    site.render(page("old"))
    site.wait_for(lambda: site.waiting() == 4 and site.renders.qsize() == 1)
    site.render(page("new"))
    assert [text for text, _ in results(early)] == ["old"]
    assert Counter(results(late)) == {("new", LEADER): 1, ("new", OTHER): 4}


def test_whose_leases_were_overtaken_renders_for_itself(site):
    crowd = site.visit(3)
    dumper.invalidate_paths(["/page/"])
    site.render(page("old"))
    site.wait_for(lambda: site.renders.qsize() == 2)
    for _ in range(2):
        site.render(page("new"))
    assert sorted(text for text, _ in results(crowd)) == ["new", "new", "old"]
    assert not any("stored" in status for _, status in results(crowd)), "they may show what was read before"


def test_what_was_changed_after_it_was_stored_is_not_served_to_those_who_wait(site, monkeypatch):
    over = stores.current().crowd.over

    def late(turn, outcome):
        dumper.invalidate_paths(["/page/"])
        return over(turn, outcome)

    monkeypatch.setattr(stores.current().crowd, "over", late)
    crowd = site.visit(2)
    site.render(page("old"))
    site.wait_for(lambda: site.renders.qsize() == 1)
    site.render(page("new"))
    assert [text for text, _ in results(crowd)].count("new") == 1


@override_settings(DUMPER_COLLAPSE_TIMEOUT=0.2)
def test_nobody_waits_longer_than_is_set(site):
    crowd = [site.ask() for _ in range(4)]
    site.wait_for(lambda: site.renders.qsize() == 4)
    for _ in range(4):
        site.render(page())
    found = results(crowd)
    assert {text for text, _ in found} == {"page"}
    assert sorted("collapsed=?0" in status for _, status in found) == [False, True, True, True]
    assert not stores.current().crowd._turns


@override_settings(DUMPER_COLLAPSE_TIMEOUT=None)
def test_nobody_waits_where_that_is_turned_off(site):
    crowd = [site.ask() for _ in range(4)]
    site.wait_for(lambda: site.renders.qsize() == 4)
    for _ in range(4):
        site.render(page())
    assert {status for _, status in results(crowd)} == {LEADER}


@pytest.mark.parametrize(
    "own",
    [{"method": "HEAD"}, {"HTTP_AUTHORIZATION": "Basic YQ=="}, {"HTTP_CACHE_CONTROL": "no-store"}],
    ids=["HEAD", "authorization", "no-store"],
)
def test_a_request_whose_answer_is_its_own_keeps_nobody_waiting(site, own):
    alone = site.ask(**own)
    site.wait_for(lambda: site.renders.qsize() == 1)
    crowd = [site.ask() for _ in range(3)]
    site.wait_for(lambda: site.renders.qsize() == 2 and site.waiting() == 2)
    site.render(page("own"))
    alone.result(PATIENCE)
    site.render(page("shared"))
    assert {text for text, _ in results(crowd)} == {"shared"}


@pytest.mark.parametrize("site", ["threads"], indirect=True)
def test_who_asks_for_its_own_page_while_it_renders_does_not_wait_for_itself(site):
    inner = []

    def nested():
        inner.append(site._ask(RequestFactory().get("/page/")))
        return page("outer")()

    crowd = site.visit(2)
    site.render(nested)
    site.render(page("inner"))
    assert [text for text, _ in results(crowd)].count("outer") >= 1
    assert inner[0].content == b"inner"


@pytest.mark.parametrize("site", ["tasks"], indirect=True)
def test_when_the_one_that_renders_is_cancelled_another_one_does(site):
    crowd = site.visit(4)
    leader = crowd[0]  # tasks of one loop come one after another
    leader.cancel()
    site.renders.get()
    site.wait_for(lambda: site.renders.qsize() == 1)
    site.render(page("next"))
    others = [answer for answer in crowd if answer is not leader]
    assert Counter(results(others)) == {("next", LEADER): 1, ("next", OTHER): 2}


@pytest.mark.parametrize("site", ["tasks"], indirect=True)
def test_when_one_that_waits_is_cancelled_the_others_wait_on(site):
    crowd = site.visit(4)
    crowd[-1].cancel()
    site.render(page())
    assert Counter(results(crowd[:-1])) == {("page", LEADER): 1, ("page", OTHER): 2}


def test_nothing_is_left_behind(site):
    for number in range(20):
        site.stored(page(status=200 if number % 2 else 404), f"/{number}/")
    crowd = stores.current().crowd
    assert not crowd._turns
    assert len(crowd._vain) == 10
