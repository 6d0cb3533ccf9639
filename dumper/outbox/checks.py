"""System checks of the outbox."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning
from django.db import router

from dumper.outbox.models import Delivery, dead
from dumper.outbox.records import has_outbox


def check_app(**kwargs: Any) -> Iterable[CheckMessage]:
    """The app that the outbox belongs to is there."""
    if not apps.is_installed("dumper"):
        yield Error(
            '"dumper.outbox" is in INSTALLED_APPS, but "dumper" is not: nobody is told of changes.',
            hint='Put "dumper" into INSTALLED_APPS.',
            id="dumper.E009",
        )


def check_deliveries(databases: Collection[str] | None = None, **kwargs: Any) -> Iterable[CheckMessage]:
    """There is an outbox, and nothing lies in it that was given up on."""
    for alias in databases or ():
        if not has_outbox(alias):
            if router.allow_migrate_model(alias, Delivery):
                yield Warning(
                    f"The database {alias!r} has no table for the outbox: purges are kept in memory, and may be lost.",
                    hint="Run manage.py migrate.",
                    id="dumper.W012",
                )
        elif count := dead(alias).count():
            yield Warning(
                f"{count} deliveries to caches were given up on (database {alias!r}): pages may be stale there.",
                hint='"manage.py dumper_deliver --list" shows why, "--retry" tries them once more.',
                id="dumper.W011",
            )
