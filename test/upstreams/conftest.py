"""Couriers that no test leaves behind, and what they say."""

import pytest
from django.test import override_settings

from dumper.signals import undelivered
from dumper.upstreams import others
from dumper.upstreams.base import Config, Upstream
from test.upstreams.helpers import stop


@pytest.fixture(autouse=True)
def no_couriers():
    """None has anything to deliver before or after a test; failures are tried again soon."""
    stop()
    with override_settings(DUMPER_RETRY_DELAY=0.01):
        yield
        stop()


@pytest.fixture
def lost():
    """What undelivered says."""
    found = []

    def receive(sender, upstream, tags, error, **kwargs):
        found.append((upstream, tags, error))

    undelivered.connect(receive)
    yield found
    undelivered.disconnect(receive)


class Scripted(Upstream):
    """Fails as it is told."""

    again_after = ()

    def __init__(self):
        super().__init__(Config(name="scripted"))
        self.errors = []
        self.purged = []
        self.references = []

    def purge(self, tags, reference):
        self.references.append(reference)
        if self.errors:
            raise self.errors.pop(0)
        self.purged.append(frozenset(tags))


@pytest.fixture
def scripted():
    others["scripted"] = upstream = Scripted()
    yield upstream
    del others["scripted"]
