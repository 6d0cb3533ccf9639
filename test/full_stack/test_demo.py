"""The tour through the demo finds all as promised; each promise that is broken ends it with an error."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from test.servers import ROOT

pytestmark = pytest.mark.slow

# "make demo" installs little: of the codings there is only what Python has.
BARE = """
import runpy, sys
sys.modules |= dict.fromkeys(["brotli", "zstandard", "compression.zstd"])
sys.path[0] = "test_project"
runpy.run_path("test_project/manage.py", run_name="__main__")
"""


def tour(place, *python: str, **environ: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    places = {"DEMO_DB": str(place / "db.sqlite3"), "DEMO_MEDIA": str(place / "media"), "DEMO_SLOWNESS": "0"}
    done = subprocess.run(
        [sys.executable, *python, "demo", "--tour"],
        cwd=ROOT,
        env=inherited | places | environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_in_local_memory_with_django_and_pillow_alone(tmp_path):
    assert "All as promised." in tour(tmp_path, "-c", BARE)


def test_in_redis_twice(tmp_path, redis_server):
    redis_server.flush()
    for _ in range(2):
        assert "All as promised." in tour(tmp_path, "test_project/manage.py", REDIS_URL=redis_server.url)
