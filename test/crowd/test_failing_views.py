"""A crowd before a view that fails, where the page may outlive its lifetime (RFC 5861)."""

import pytest

from test.crowd.site import page, results
from test.http.conftest import later  # noqa: F401

fails = page("error", status=500)


@pytest.fixture
def expired(site, later, request):  # noqa: F811
    """A site whose page is past its lifetime; for how much longer it may be served, the test says."""
    site.stored(page("old", Cache_Control=f"max-age=10, {request.param}"))
    later(11)
    return site


@pytest.mark.parametrize("expired", ["stale-while-revalidate=100"], indirect=True)
def test_after_an_error_one_at_a_time_tries_again_while_the_others_are_served_what_is_stored(expired):
    for _ in range(2):
        first = expired.ask()
        expired.wait_for(lambda: expired.renders.qsize() == 1)
        expired.render(fails)
        assert results([first])[0][0] == "error"
    first = expired.ask()
    expired.wait_for(lambda: expired.renders.qsize() == 1)
    assert {text for text, _ in results([expired.ask() for _ in range(5)])} == {"old"}
    expired.render(page("new"))
    assert results([first])[0][0] == "new"
    assert results([expired.ask()])[0][0] == "new"


@pytest.mark.parametrize("expired", ["stale-if-error=100"], indirect=True)
def test_nobody_waits_for_one_error_after_another(expired):
    crowd = expired.visit(5)
    expired.render(fails)
    expired.wait_for(lambda: expired.renders.qsize() == 4)
    for _ in range(4):
        expired.render(fails)
    assert {text for text, _ in results(crowd)} == {"old"}
