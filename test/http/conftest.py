import time

import pytest
from django.core.cache import caches
from django.test import override_settings
from django.utils import timezone, translation

from test.http import urls
from test.http.doors import DOORS
from test.middleware.stacks import STACKS


@pytest.fixture(autouse=True)
def site():
    """The views of the site by path: none at first; nothing is stored."""
    place = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "test.http"}
    with (
        override_settings(
            ROOT_URLCONF="test.http.urls",
            CACHES={"default": place},
            MIDDLEWARE=STACKS["in Django's place"],
        ),
        translation.override("en"),
        timezone.override("UTC"),
    ):
        caches["default"].clear()
        yield urls.views
        urls.views.clear()
        caches["default"].clear()


# In an async stack each middleware is a trip to a thread: all the tables take a while.
SLOW = ("async", "asgi door")


@pytest.fixture(params=[pytest.param(door, marks=pytest.mark.slow) if door in SLOW else door for door in DOORS])
def ask(request):
    """Ask the site for a path, through each of the doors."""
    return DOORS[request.param]


@pytest.fixture(params=["sync", pytest.param("async", marks=pytest.mark.slow)])
def ask_the_pair(request):
    """Ask the site without a door, which does not care for what an earlier request has left active."""
    return DOORS[request.param]


@pytest.fixture
def later(monkeypatch):
    """Let that many seconds pass."""
    now = time.time
    passed = 0.0

    def pass_by(seconds):
        nonlocal passed
        passed += seconds

    monkeypatch.setattr("time.time", lambda: now() + passed)
    return pass_by
