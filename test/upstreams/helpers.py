"""What the tests of upstreams have in common."""

import time
from contextlib import contextmanager

from django.test import override_settings

from dumper.rules.tags import path_tag
from dumper.upstreams import dispatch
from dumper.upstreams.memory import Memory

HTTP = "dumper.upstreams.http.Http"
VARNISH = "dumper.upstreams.varnish.Varnish"
HOSTS = ["www.example.com"]


def until(condition, seconds=10):
    """Wait for what another thread does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.002)


def paths(*names):
    return frozenset(map(path_tag, names))


@contextmanager
def upstreams(**entries):
    """Settings with these upstreams; their couriers end with them."""
    with override_settings(DUMPER_UPSTREAMS=entries):
        yield
        stop()


def stop():
    """Have all couriers end, whatever they have to deliver."""
    for courier in dispatch._couriers.values():
        courier.memory = Memory()
        courier.hurry()
        if thread := courier._thread:
            thread.join(10)
            assert not thread.is_alive()
    dispatch._couriers.clear()


def http(peer, again_after=None, timeout=5.0, **entry):
    """The entry of an upstream that is told of URLs."""
    return {
        "BACKEND": HTTP,
        "LOCATION": peer if isinstance(peer, str) else peer.url,
        "HOSTS": HOSTS,
        "TIMEOUT": timeout,
        "OPTIONS": {"again_after": again_after},
        **entry,
    }


def messages(caplog):
    return [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "dumper.upstreams"]
