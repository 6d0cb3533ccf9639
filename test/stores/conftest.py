import pytest

from test.stores.backends import BACKENDS
from test.stores.helpers import on_loop

# django-redis's sharded client warns of itself, whoever calls it.
sharded = pytest.mark.filterwarnings("ignore:.* on sharded client should not specify client:UserWarning")


def case(backend):
    marks = [*([pytest.mark.slow] if backend.server else []), *([sharded] if "sharded" in backend.id else [])]
    return pytest.param(backend, id=backend.id, marks=marks)


@pytest.fixture(params=map(case, BACKENDS))
def backend(request, tmp_path):
    """Each backend that the contract is tested on, empty."""
    with request.param.open(request.getfixturevalue, tmp_path) as opened:
        yield opened


@pytest.fixture
def mode():
    return "sync"


@pytest.fixture
def store(backend, mode):
    return backend.store() if mode == "sync" else on_loop(backend.store())
