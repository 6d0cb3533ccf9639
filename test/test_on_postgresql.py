"""The tests of what databases do, once more on a real PostgreSQL."""

import os
import subprocess
import sys

import pytest

from test.servers import ROOT

FILES = [
    "test_after_commit",
    "test_bulk",
    "test_connections",
    "test_database_cache",
    "test_databases",
    "test_dependents",
    "test_family",
    "test_in_testcase",
    "test_invalidation",
    "test_orm_relations",
    "test_orm_writes",
    "test_site",
    "test_transactions",
]


@pytest.mark.slow
def test_all_of_it_holds_on_postgresql(postgres_server):
    command = [sys.executable, "-m", "pytest", "-q", *(f"test/{name}.py" for name in FILES)]
    environ = {**os.environ, "TEST_DATABASE": postgres_server.url}
    run = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
