import socket

from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand

from test_project.shop.tour import BrokenPromise, Tour, serving

BANNER = """
  🍨  The shop is open:   http://127.0.0.1:{port}/
      Its back office:    http://127.0.0.1:{port}/admin/   (admin / admin)

  1.  Open the shop. Nothing is stored yet: it takes 1 to 2 seconds.
  2.  Reload it. The badge at the bottom says "hit", after a few milliseconds.
  3.  Open a few flavours, then rename one of them in the back office.
  4.  Reload the shop: it was made anew and shows the new name.
  5.  Reload the other flavours: still hits, nothing else was dropped.
  6.  Put a flavour into your cart, in two browsers: both share the flavour's page, and its form works in each.
  7.  Log in as mia / mia and choose moonlight under "You": the shop has one dark page, for all who like it dark.
"""


class Command(BaseCommand):
    help = "Prepares the shop and opens it."

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, help="8000 unless given; for the tour any free port")
        parser.add_argument("--tour", action="store_true", help="walk through the script, then leave")

    def handle(self, *, port, tour, **options):
        call_command("migrate", verbosity=0)
        call_command("load_shop", stdout=self.stdout)
        if tour:
            self.walk(port or 0)
        else:
            self.serve(port or 8000)

    def serve(self, port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise CommandError(f"Port {port} is taken; choose another: make demo PORT={port + 1}") from error
        self.stdout.write(BANNER.format(port=port))
        call_command("runserver", str(port), use_reloader=False, insecure_serving=True)

    def walk(self, port):
        try:
            with serving(port) as url:
                Tour(url, self.stdout).walk()
        except BrokenPromise as promise:
            raise CommandError(f"Not as promised: {promise}") from None
        self.stdout.write(self.style.SUCCESS("All as promised."))
