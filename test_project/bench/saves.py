"""What a save costs with a cache in front of the site that is down, or whose purges lie in the outbox.

All contenders take turns, save by save, in one process; the figures are medians. A save is that of a registered model
in a SQLite database in a file, by the clock on the wall.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from statistics import median
from typing import Any

from django.conf import settings

from test.servers import HOST, free_port
from test_project.bench.tables import facts, table, write_into_readme


def configure(directory: str) -> None:
    import django

    settings.configure(
        SECRET_KEY="bench",
        ALLOWED_HOSTS=["www.example.com"],
        ROOT_URLCONF="test_project.bench.site",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "dumper", "dumper.outbox"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": f"{directory}/bench.sqlite3",
                "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"},
            }
        },
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        USE_TZ=True,
    )
    django.setup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--saves", type=int, default=400)
    parser.add_argument("--readme", action="store_true", help="write the table into the README")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        configure(directory)
        text = f"{facts()}, SQLite; medians of {options.saves} saves.\n\n{table(measured(options.saves))}"
    print(text)
    if options.readme:
        write_into_readme("bench of saves", text)


def measured(count: int) -> list[tuple[str, ...]]:
    """The rows of the table, after ``count`` saves of each contender."""
    from django.contrib.auth.models import Group
    from django.core.management import call_command
    from django.test import override_settings

    import dumper
    from dumper.outbox import wiring
    from dumper.upstreams.dispatch import leave

    Group.get_absolute_url = lambda self: f"/groups/{self.pk}/"  # type: ignore[attr-defined]
    call_command("migrate", verbosity=0)
    group = Group.objects.create(name="0")
    down = {"BACKEND": "dumper.upstreams.http.Http", "LOCATION": f"http://{HOST}:{free_port()}"}
    contenders: dict[str, tuple[dict[str, Any], bool, bool]] = {
        "not registered": ({}, False, False),
        "registered, no upstream": ({}, True, False),
        "an upstream that is down": ({"down": down}, True, False),
        "the same with the outbox": ({"down": down}, True, True),
    }
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(count + 10):
        for name, (upstreams, is_registered, has_outbox) in contenders.items():
            (wiring.connect if has_outbox else wiring.disconnect)()
            (dumper.register if is_registered else dumper.unregister)(Group)
            group.name = f"{name} {number}"
            with override_settings(DUMPER_UPSTREAMS=upstreams):
                started = time.perf_counter()
                group.save()
                spent = time.perf_counter() - started
            if number >= 10:  # what comes first warms up
                found[name].append(spent * 1000)
    leave()  # while there is a database
    base = median(found["registered, no upstream"])
    rows: list[tuple[str, ...]] = [("a save", "ms", "ms more than without an upstream")]
    rows += [(name, f"{median(own):.2f}", f"{median(own) - base:+.2f}") for name, own in found.items()]
    return rows


if __name__ == "__main__":
    main()
