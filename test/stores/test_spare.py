"""What was changed is kept in Redis for as long as it may yet be served, and removed where it may not."""

from dataclasses import replace

import pytest
from django.test import override_settings

from dumper import conf, stores
from dumper.rules.tags import SITE
from dumper.stores.base import Item
from test.stores.backends import DJANGO_REDIS
from test.stores.helpers import PAGE, PATH, key, lease

pytestmark = pytest.mark.slow
VARIANT = key(query="a=1")


@pytest.fixture
def make(redis_server):
    redis_server.flush()
    with override_settings(CACHES={"default": {"BACKEND": DJANGO_REDIS, "LOCATION": redis_server.url}}):
        yield lambda **changes: stores.make(replace(conf.settings(), **changes))


def stored(store, *timeouts):
    for item, timeout in zip((PAGE, VARIANT), timeouts, strict=False):
        assert store.write([Item(item, b"page", timeout)], lease(store))


def left(store, item=PAGE):
    """Seconds; -2 where it is not there, -1 where it stays for ever."""
    found = store.client.pttl(store.response_name(item))
    return found if found < 0 else found / 1000


CHANGES = {
    "its path": lambda store: store.release([PATH], "none"),
    "the site": lambda store: (store.release([SITE], "none"), store.sweep()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_is_kept_for_the_larger_of_both_times(make, change):
    store = make(stale_after_change=True, stale_while_revalidate=50, stale_if_error=100)
    stored(store, None, 10)
    CHANGES[change](store)
    assert 90 < left(store) <= 100
    assert 0 < left(store, VARIANT) <= 10, "nothing lives longer than it would have"


@pytest.mark.parametrize("change", CHANGES)
def test_a_second_change_keeps_it_no_longer(make, change):
    stored(make(stale_after_change=True, stale_if_error=100), None)
    for seconds in (50, 100):
        CHANGES[change](make(stale_after_change=True, stale_if_error=seconds))
    assert 40 < left(make()) <= 50


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("settings", [{"stale_if_error": 100}, {"stale_after_change": True}, {}], ids=str)
def test_without_permission_it_is_removed(make, change, settings):
    store = make(**settings)
    stored(store, None, 10)
    CHANGES[change](store)
    assert (left(store), left(store, VARIANT)) == (-2, -2)
