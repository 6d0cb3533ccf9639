"""What lies in the outbox."""

import time
from datetime import timedelta

from django.db.models import F

import dumper
from dumper.outbox.models import Delivery
from dumper.rules.tags import path_of


def rows(using="default"):
    return list(Delivery.objects.using(using).order_by("pk"))


def paths(using="default", target="edge"):
    """The paths that an upstream is still to be told of."""
    named = [tag for row in rows(using) if row.target == target for tag in row.tags]
    return {path for tag in named if (path := path_of(tag)) is not None}


def targets(using="default"):
    return [row.target for row in rows(using)]


def later(seconds, using="default"):
    """Let time go by for all rows."""
    passed = timedelta(seconds=seconds)
    moved = {"created_at": F("created_at") - passed, "due_at": F("due_at") - passed}
    Delivery.objects.using(using).update(**moved)


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def invalidate(*paths):
    """A row for each."""
    for path in paths:
        dumper.invalidate_paths([path])
