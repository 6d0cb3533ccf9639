from contextlib import ExitStack

import pytest

from test.full_stack.edges import started
from test.origin import Origin


@pytest.fixture(scope="session")
def _edges():
    """The origin, and each edge in front of it that has been asked for, by name."""
    with Origin() as origin, ExitStack() as stack:
        running = {}

        def edge(name):
            if name not in running:
                running[name] = stack.enter_context(started(name, origin))
            return running[name]

        yield origin, edge


@pytest.fixture
def origin(_edges):
    origin = _edges[0]
    origin.status, origin.headers = 200, {}
    origin.requests.clear()
    return origin


@pytest.fixture
def edge(request, _edges, origin):
    edge = _edges[1](request.param)
    origin.requests.clear()  # it may just have been started, and has asked
    return edge
