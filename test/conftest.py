import os
from contextlib import contextmanager, nullcontext
from contextvars import copy_context

import pytest
from _pytest import runner

from test import servers

pytest_plugins = ["test.alone"]


@pytest.fixture(scope="session")
def redis_server():
    with servers.RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def memcached_server():
    with servers.MemcachedServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server():
    with servers.PostgresServer() as server:
        yield server


@pytest.fixture(autouse=True)
def no_outbox():
    """Only tests that ask for the outbox have one; whoever overrides INSTALLED_APPS makes its app ready anew."""
    from dumper.stores.guard import withheld

    if withheld.source is not None:
        from dumper.outbox import wiring

        wiring.disconnect()


@pytest.fixture
def outbox():
    """What is changed is written down in the database of the change."""
    from dumper.outbox import wiring

    wiring.connect()
    yield
    wiring.disconnect()


@pytest.fixture
def pages():
    """The site as a visitor sees it, with nothing stored; at the end nothing is withheld."""
    from django.core.cache import cache

    from dumper import transactions
    from dumper.stores.guard import withheld
    from test.app.pages import Pages

    cache.clear()
    yield Pages()
    transactions.settle()
    assert not list(withheld)


@pytest.fixture(params=["autocommit", "atomic"])
def refreshed(request, pages):
    """``pages.refreshed``, with what is done inside in a transaction or not."""
    from django.db import transaction

    @contextmanager
    def in_mode(*paths, **options):
        with pages.refreshed(*paths, **options), transaction.atomic() if request.param == "atomic" else nullcontext():
            yield

    return in_mode


@pytest.fixture
def restored_registry():
    """Models that the test defines in the app "late" are unknown afterwards."""
    from django.apps import apps

    yield
    apps.all_models.pop("late", None)
    apps.clear_cache()


#: the context that the tests begin with
BARE = copy_context()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """Each test has a context of its own: a variable is left in it whenever CACHES is overridden, and all are copied
    whenever sync code calls async code."""
    return BARE.copy().run(runner.pytest_runtest_protocol, item, nextitem)


def no_skip_in_ci(report):
    """Where CI is set, what a machine lacks is a failure; an expected failure is none."""
    if report.skipped and "CI" in os.environ and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    # A condition on versions, declared as a mark, is no lack.
    report = yield
    return report if item.get_closest_marker("skipif") else no_skip_in_ci(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return no_skip_in_ci((yield))
