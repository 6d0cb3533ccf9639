"""A crowd before a view that fails, where the page may outlive its lifetime (RFC 5861)."""

import pytest
from django.test import override_settings

from test.crowd.site import page, results
from test.http.conftest import later  # noqa: F401

fails = page("error", status=500)


@pytest.fixture
def expired(site, later):  # noqa: F811
    """A site whose page is past its lifetime, though not for long."""
    site.stored(page("old", Cache_Control="max-age=10"))
    later(11)
    return site


@override_settings(DUMPER_STALE_WHILE_REVALIDATE=100)
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
    assert results([first, expired.ask()])[1] == ("new", "dumper; hit")


@override_settings(DUMPER_STALE_IF_ERROR=100)
def test_nobody_waits_for_one_error_after_another(expired):
    crowd = expired.visit(5)
    expired.render(fails)
    expired.wait_for(lambda: expired.renders.qsize() == 4)
    for _ in range(4):
        expired.render(fails)
    assert {text for text, _ in results(crowd)} == {"old"}
