"""``manage.py dumper_deliver``: deliver what lies in the outbox."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.db.models import Count, Max, Q

from dumper.outbox.delivery import deliver_all, wake_due
from dumper.outbox.models import Delivery, retry
from dumper.outbox.records import databases


def seconds(text: str) -> float:
    """A number greater than 0. Raises ValueError, of which argparse makes a message."""
    if not (found := float(text)) > 0:
        raise ValueError
    return found


class Command(BaseCommand):
    help = "Tell the caches in front of this site of the changes that lie in the outbox."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--worker", action="store_true", help="go on until stopped by SIGTERM or SIGINT")
        what.add_argument("--list", action="store_true", help="show what waits, and what was given up on")
        what.add_argument("--retry", action="store_true", help="deliver now what failed, and what was given up on")
        parser.add_argument("--interval", type=seconds, default=1.0, help="seconds between two looks of a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        if not databases():
            raise CommandError("No database has an outbox: run manage.py migrate.")
        if options["worker"]:
            self.work(options["interval"])
            return
        if options["retry"]:
            again = sum(retry(Delivery.objects.using(alias)) for alias in databases())
            self.stdout.write(f"{again} will be tried once more.")
        if not options["list"]:
            self.stdout.write(f"Tried {deliver_all()}.")
        self.report()

    def work(self, interval: float) -> None:
        """Deliver until a signal comes."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write("Delivering; stop with Ctrl-C.")
        while not stop.is_set():
            wake_due()
            connections.close_all()
            stop.wait(interval)

    def report(self) -> None:
        """Say what is left, and end with 1 where something was given up on."""
        given_up = 0
        living = Q(is_dead=False)
        for alias in databases():
            groups = Delivery.objects.using(alias).values("target").order_by("target")
            for group in groups.annotate(
                waiting=Count("pk", filter=living & Q(done=0)),
                repeats=Count("pk", filter=living & Q(done__gt=0)),
                dead=Count("pk", filter=Q(is_dead=True)),
                last=Max("error"),
            ):
                given_up += group["dead"]
                states = {"waiting": "waiting", "repeats": "to be repeated", "dead": "given up"}
                counts = ", ".join(f"{group[name]} {state}" for name, state in states.items() if group[name])
                error = f": {group['last']}" if group["last"] else ""
                self.stdout.write(f"{alias}: {group['target'] or 'store'}: {counts}{error}")
        if given_up:
            self.stderr.write(f"{given_up} were given up on: mend what is wrong, then --retry.")
            raise SystemExit(1)
