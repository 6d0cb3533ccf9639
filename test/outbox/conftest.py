import pytest
from django.db import connections
from django.test import override_settings

from dumper.outbox import records
from dumper.signals import invalidated, undelivered
from dumper.upstreams import dispatch
from test.outbox.weather import Weather


def upstream(url, **options):
    """An entry of DUMPER_UPSTREAMS."""
    place = {"LOCATION": url, "HOSTS": ["testserver"], "TIMEOUT": 0.3}
    return {"BACKEND": "dumper.upstreams.http.Http", **place, "OPTIONS": {"again_after": None, **options}}


@pytest.fixture
def weather():
    with Weather() as weather:
        weather.mood = "done"
        yield weather


@pytest.fixture
def edge(outbox, weather):
    """The cache in front, and an outbox for it."""
    dispatch._couriers.clear()
    records._failing.clear()
    with override_settings(DUMPER_UPSTREAMS={"edge": upstream(weather.url)}, DUMPER_RETRY_DELAY=0.2):
        yield weather
        for courier in dispatch._couriers.values():
            courier.hurry()
            courier.leave(5)
        dispatch._couriers.clear()


@pytest.fixture
def by_hand():
    """Nothing is delivered until the test says so."""
    invalidated.disconnect(dispatch_uid="dumper.upstreams")
    yield
    invalidated.connect(dispatch.dispatch, dispatch_uid="dumper.upstreams")


@pytest.fixture
def without_table():
    """Hides the table of the outbox in a database, as if it had not been migrated."""
    from dumper.outbox.models import Delivery

    hidden = []
    table = Delivery._meta.db_table

    def rename(using, old, new):
        with connections[using].schema_editor() as editor:
            editor.alter_db_table(Delivery, old, new)

    def hide(using):
        rename(using, table, "hidden")
        hidden.append(using)
        records._migrated.clear()
        records._unmigrated.clear()

    yield hide
    for using in hidden:
        rename(using, "hidden", table)


@pytest.fixture
def given_up():
    """What was given up on."""
    heard = []

    def hear(sender, upstream, tags, error, **kwargs):
        heard.append((upstream, tags, error))

    undelivered.connect(hear)
    yield heard
    undelivered.disconnect(hear)
