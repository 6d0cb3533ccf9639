import pytest
from django.core.cache import caches
from django.test import override_settings

from test.crowd.site import Site


@pytest.fixture(autouse=True)
def empty():
    """Nothing is stored, in local memory."""
    place = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "test.crowd"}
    with override_settings(CACHES={"default": place}, DUMPER_COLLAPSE_TIMEOUT=100):
        caches["default"].clear()
        yield
        caches["default"].clear()


@pytest.fixture(params=["threads", "tasks"])
def site(request):
    """A site whose visitors are threads of a sync stack, or tasks of an async one."""
    with Site(request.param) as site:
        yield site
