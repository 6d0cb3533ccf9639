"""The hosts of the sites framework: read for a purge, remembered for requests, which wait for no database."""

import subprocess
import sys
import textwrap

import pytest

from test.servers import ROOT

pytestmark = pytest.mark.slow

SETUP = """
    import sys, time
    import django
    from django.conf import settings

    settings.configure(
        ALLOWED_HOSTS=["allowed.example"],
        INSTALLED_APPS=["django.contrib.sites", "dumper"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}},
    )
    django.setup()
    from django.contrib.sites.models import Site
    from django.core.management import call_command
    from dumper.upstreams import hosts
    from dumper.upstreams.base import Config, Upstream
    from dumper.upstreams.http import Http

    call_command("migrate", verbosity=0)
    Site.objects.update(domain="a.example")
    edge = Upstream(Config(name="edge"))

    def until(true):
        end = time.monotonic() + 10
        while not true():
            assert time.monotonic() < end
            time.sleep(0.005)
"""


def run(directory, script):
    """What a process of a site with the sites framework writes."""
    code = textwrap.dedent(SETUP) + textwrap.dedent(script)
    command = [sys.executable, "-W", "error", "-c", code, str(directory / "db.sqlite3")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


def test_a_purge_names_the_sites_there_are_just_then_but_for_what_is_no_host(tmp_path):
    out, _ = run(
        tmp_path,
        """
        print(*edge.hosts)
        Site.objects.create(domain="b.example:8000", name="b")
        Site.objects.create(domain="not a host", name="c")
        print(*sorted(edge.hosts))
        print(*Http(Config(name="http", locations=["http://127.0.0.1:1"], hosts=["own.example"])).hosts)
        Site.objects.all().delete()
        print(*edge.hosts)
        print(*Http(Config(name="http", locations=["http://127.0.0.1:1"])).hosts)
        """,
    )
    assert out == ["a.example", "a.example b.example:8000", "own.example", "", "127.0.0.1:1"]


def test_a_request_asks_no_database_and_learns_of_the_hosts_a_moment_later(tmp_path):
    out, _ = run(
        tmp_path,
        """
        def refused(*args):
            raise AssertionError("a query in the thread of the request")

        from django.db import connection
        with connection.execute_wrapper(refused):
            until(lambda: edge.is_told_of("a.example"))
            print(edge.is_told_of("b.example"), edge.is_told_of("allowed.example"), edge.is_told_of(None))
        Site.objects.create(domain="b.example", name="b")
        print(edge.is_told_of("b.example"))
        hosts.remembered._until = 0.0
        until(lambda: edge.is_told_of("b.example"))
        print(list(edge.check()))
        """,
    )
    assert out == ["False False False", "False", "[]"]


def test_where_the_hosts_cannot_be_read_those_known_are_told_and_the_log_knows(tmp_path):
    out, error = run(
        tmp_path,
        """
        until(lambda: edge.is_told_of("a.example"))
        call_command("migrate", "sites", "zero", verbosity=0)
        hosts.remembered._until = 0.0
        for _ in range(100):
            assert edge.is_told_of("a.example")
            time.sleep(0.005)
        print("still")
        """,
    )
    assert out == ["still"]
    assert error.count("The hosts of the site cannot be read") == 1
