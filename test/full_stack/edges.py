"""Which edges a test is for, by name, and what they keep; the fixture ``edge`` of conftest starts each once."""

import time
from collections.abc import Callable
from itertools import count

import pytest

from test import edges

ALL = ["Varnish", "VarnishXkey", "Squid", "Nginx", "TrafficServer"]
VARNISHES = ["Varnish", "VarnishXkey"]

_numbers = count(1)


def on(*names: str):
    """The test is for these edges; without a name, for all."""
    return pytest.mark.parametrize("edge", names or ALL, indirect=True)


def each(table):
    """The rows of a table, each with every edge that it is for."""
    rows = [(edge, headers) for edges, headers in table for edge in edges]
    return pytest.mark.parametrize(("edge", "headers"), rows, indirect=["edge"])


def page() -> str:
    """A path that no test has used."""
    return f"/page/{next(_numbers)}/"


def started(name: str, origin) -> edges.Edge:
    return getattr(edges, name)(origin=origin.port)


def eventually(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 3
    while not (done := true()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return done


def kept(edge: edges.Edge, path: str, **options) -> bytes:
    """The body that is kept; an answer may have arrived before the edge has written it down."""
    bodies = [b""]

    def again() -> bool:
        bodies.append(edge.get(path, **options).body)
        return bodies[-1] == bodies[-2]

    assert eventually(again), f"{edge!r} keeps nothing"
    return bodies[-1]


def keeps(edge: edges.Edge, path: str, **options) -> bool:
    """Whether one of three answers, with the time to write them down, comes again."""
    bodies = set()
    for _ in range(3):
        bodies.add(edge.get(path, **options).body)
        time.sleep(0.03)
    return len(bodies) < 3
