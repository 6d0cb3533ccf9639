"""A courier whose time is the clock of an imitated CDN: hours pass in a moment."""

from __future__ import annotations

from contextlib import contextmanager

from django.test import override_settings

from dumper.signals import undelivered
from dumper.upstreams.courier import Courier
from test.cdns.base import Cdn
from test.cdns.clock import Clock


class Time:
    """What couriers need of the module ``time``."""

    def __init__(self, clock: Clock) -> None:
        self.monotonic = clock.now


class Simulation:
    def __init__(self, cdn: Cdn) -> None:
        self.cdn = cdn
        self.courier = Courier("edge")
        self.lost: list[frozenset[str]] = []
        #: what the courier has waited after each failure
        self.waits: list[float] = []

    def put(self, *changes) -> None:
        """Each change names its tags."""
        for tags in changes:
            self.courier.memory.put(tags)

    def step(self) -> bool:
        """Deliver what is due; return whether anything is left."""
        delay = self.courier.deliver()
        if delay is not None:
            if self.courier.delay:
                self.waits.append(self.courier.delay)
            self.cdn.clock.advance(delay)
        return delay is not None

    def drain(self, steps: int = 500) -> None:
        """Go on until nothing is left."""
        while self.step():
            steps -= 1
            assert steps, "it never comes to an end"

    def _note_loss(self, sender, upstream, tags, error, **kwargs) -> None:
        self.lost.append(tags)


def timeout_of(request) -> dict[str, float]:
    """A short time-out for the test that waits for one; a busy machine is to make no other."""
    parameters = getattr(request.node, "callspec", None)
    return {"TIMEOUT": 0.2} if parameters and parameters.params.get("kind") == "timeout" else {}


@contextmanager
def simulation(monkeypatch, cdn: Cdn, backend: str, options: dict, **entry):
    """A courier that delivers to ``cdn``."""
    for name in ("courier", "memory"):
        monkeypatch.setattr(f"dumper.upstreams.{name}.time", Time(cdn.clock))
    described = {
        "BACKEND": backend,
        "LOCATION": cdn.url,
        "TIMEOUT": 30.0,
        "OPTIONS": {"again_after": None, **options},
        **entry,
    }
    with override_settings(DUMPER_UPSTREAMS={"edge": described}, DUMPER_RETRY_DELAY=1.0):
        found = Simulation(cdn)
        undelivered.connect(found._note_loss)
        yield found
        undelivered.disconnect(found._note_loss)
