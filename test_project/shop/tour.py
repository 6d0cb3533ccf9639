"""The guided script of the demo, walked over real HTTP."""

import logging
from contextlib import contextmanager
from threading import Thread

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import (
    ThreadedWSGIServer,
    WSGIRequestHandler,
    get_internal_wsgi_application,
)
from django.urls import reverse
from django.utils.html import escape

from .models import Flavour
from .visitor import Visitor


class BrokenPromise(Exception):
    """A step went otherwise than the script says."""


@contextmanager
def serving(port):
    """The server of `runserver`, in a thread; yields its URL."""
    server = ThreadedWSGIServer(("127.0.0.1", port), WSGIRequestHandler, ipv6=False)
    server.set_app(StaticFilesHandler(get_internal_wsgi_application()))
    Thread(target=server.serve_forever, daemon=True).start()
    # The steps tell the story; the log would only repeat it.
    logging.disable(logging.INFO)
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        logging.disable(logging.NOTSET)
        server.shutdown()
        server.server_close()


class Tour:
    def __init__(self, url, out):
        self.visitor = Visitor(url)
        self.out = out
        self.flavour = Flavour.objects.get(slug="crème-brûlée")
        self.other = Flavour.objects.get(slug="抹茶")

    def walk(self):
        # Saving drops what an earlier tour may have left in a shared cache.
        self.flavour.save()
        self.other.save()
        old, new = self.flavour.name, "Burnt cream"
        self.look("open the shop", "/", hit=False, shows=old)
        self.look("open it again", "/", hit=True, shows=old)
        self.look("open a flavour", self.flavour, hit=False, shows=old)
        self.look("open another one", self.other, hit=False)
        self.log_in()
        try:
            self.rename(new)
            self.look("the shop is fresh", "/", hit=False, shows=new)
            self.look("so is the flavour", self.flavour, hit=False, shows=new)
            self.look("the other one is kept", self.other, hit=True)
        finally:
            self.rename(old)
        self.look("the shop is as before", "/", hit=False, shows=old)

    def look(self, title, place, *, hit, shows=""):
        path = place if isinstance(place, str) else place.get_absolute_url()
        page = self.visitor.get(path)
        self.tell(title, page)
        if page.hit is not hit:
            raise BrokenPromise(f"{title}: {page.verdict}")
        if escape(shows) not in page.body:
            raise BrokenPromise(f"{title}: no {shows!r} on the page")

    def log_in(self):
        page = self.visitor.get(reverse("admin:login"))
        page = self.visitor.submit(page, username="admin", password="admin")
        self.tell("log in", page)

    def rename(self, name):
        """Edit the flavour as a person would: open its form, change, save."""
        path = reverse("admin:shop_flavour_change", args=[self.flavour.pk])
        page = self.visitor.submit(self.visitor.get(path), name=name, _save="Save")
        self.tell(f"rename it to {name!r}", page)
        if page.url.endswith(path):
            raise BrokenPromise("the form was refused")

    def tell(self, title, page):
        self.out.write(f"  {title:<36}{page.ms:>8.1f} ms   {page.verdict}")
