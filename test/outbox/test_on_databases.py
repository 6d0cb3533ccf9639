"""The tests of the outbox, once more on a real PostgreSQL and a real MariaDB."""

import os
import subprocess
import sys

import pytest

from test.mariadb import MariaDBServer
from test.servers import ROOT

FILES = "admin checks command delivery giving_up in_testcase memory_instead own_store pending records".split()

pytestmark = pytest.mark.slow


def run_on(url):
    command = [sys.executable, "-m", "pytest", "-q", *(f"test/outbox/test_{name}.py" for name in FILES)]
    environ = {**os.environ, "TEST_DATABASE": url}
    run = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_all_of_it_holds_on_postgresql(postgres_server):
    run_on(postgres_server.url)


def test_all_of_it_holds_on_mariadb():
    with MariaDBServer() as server:
        run_on(server.url)
