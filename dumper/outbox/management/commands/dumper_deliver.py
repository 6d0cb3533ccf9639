"""``manage.py dumper_deliver``: deliver what lies in the outbox."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections
from django.db.models import Count, Max

from dumper.outbox.delivery import deliver_all, wake_due
from dumper.outbox.models import Delivery, dead, retry
from dumper.outbox.records import databases


class Command(BaseCommand):
    help = "Tell the caches in front of this site of the changes that lie in the outbox."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--worker", action="store_true", help="go on until stopped by SIGTERM or SIGINT")
        what.add_argument("--list", action="store_true", help="show what waits, and what was given up on")
        what.add_argument("--retry", action="store_true", help="deliver once more what was given up on")
        parser.add_argument("--interval", type=float, default=1.0, help="seconds between two looks of a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["worker"]:
            self.work(options["interval"])
            return
        if options["retry"]:
            revived = sum(retry(dead(alias)) for alias in databases())
            self.stdout.write(f"{revived} will be delivered once more.")
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
        for alias in databases():
            rows = Delivery.objects.using(alias).values("target", "is_dead").order_by("is_dead", "target")
            for group in rows.annotate(count=Count("pk"), last=Max("error")):
                given_up += group["count"] * group["is_dead"]
                state = "given up" if group["is_dead"] else "waiting"
                error = f": {group['last']}" if group["last"] else ""
                self.stdout.write(f"{alias}: {group['target'] or 'store'}: {group['count']} {state}{error}")
        if given_up:
            self.stderr.write(f"{given_up} were given up on: mend what is wrong, then --retry.")
            raise SystemExit(1)
