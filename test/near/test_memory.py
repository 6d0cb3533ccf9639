"""What the near cache takes is what it is allowed to take."""

import json
import subprocess
import sys

import pytest

from test.near.memory import BOUND
from test.servers import ROOT

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("mode", ["checked", "pushed"])
@pytest.mark.parametrize(
    ("size", "number", "paths"), [(100, 3_000, 0), (5_000, 1_500, 0), (32_000, 500, 0), (1_000, 1_500, 60)]
)
def test_a_process_grows_by_no_more_than_the_bound(redis_server, mode, size, number, paths):
    redis_server.flush()
    command = [sys.executable, "-m", "test.near.memory", redis_server.url, mode, *map(str, (size, number, paths))]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=250)
    found = json.loads(finished.stdout)
    print(mode, size, paths, found)
    assert found["hits"] == 2 * number
    assert BOUND * 0.9 < found["size"] <= BOUND
    assert found["grown"] <= BOUND * 1.1
    assert found["grown"] >= BOUND * 0.3, "more room is counted than is taken"
