"""Several processes share the tests; one that measures time has the machine to itself."""

import os
import subprocess
import sys
from itertools import combinations

import pytest

from test.servers import ROOT

#: each fourth of them is to be alone
TESTS = """
import os, time
import pytest

@pytest.mark.parametrize("number", [pytest.param(n, marks=[] if n % 4 else pytest.mark.alone) for n in range(20)])
def test_some(number):
    began = time.monotonic()
    time.sleep(0.1)
    with open("log", "a") as log:
        log.write(f"{number} {os.getpid()} {began} {time.monotonic()}\\n")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("dist", "processes"), [("worksteal", 1), ("load", 2)])
def test_while_one_runs_alone_no_other_does(tmp_path, dist, processes):
    """Be it that one process has all of these, or that each has some."""
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    alone\n")
    plugins = ["-p", "test.alone", *(f"-pno:{name}" for name in ("randomly", "django", "cacheprovider"))]
    command = [sys.executable, "-m", "pytest", "-q", "-n2", f"--dist={dist}", *plugins]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert "20 passed" in done.stdout, done.stdout + done.stderr

    runs = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    together = [
        {int(one[0]), int(other[0])}
        for one, other in combinations(runs, 2)
        if float(one[2]) < float(other[3]) and float(other[2]) < float(one[3])
    ]
    assert together
    assert all(number % 4 for pair in together for number in pair)
    assert len({process for number, process, *_ in runs if int(number) % 4 == 0}) == processes
