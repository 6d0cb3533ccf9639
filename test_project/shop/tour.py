"""The guided script of the demo, walked over real HTTP."""

import logging
from contextlib import contextmanager
from html import unescape
from threading import Thread

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import (
    ThreadedWSGIServer,
    WSGIRequestHandler,
    get_internal_wsgi_application,
)
from django.urls import reverse

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
        self.admin, self.mia, self.guest = Visitor(url), Visitor(url), Visitor(url)
        self.out = out
        self.flavour = Flavour.objects.get(slug="crème-brûlée")
        self.other = Flavour.objects.get(slug="抹茶")

    def walk(self):
        # Saving drops what an earlier tour may have left in a shared cache.
        self.flavour.save()
        self.other.save()
        self.change_a_flavour()
        self.fill_carts()
        self.greet()
        self.choose_a_theme()
        self.ask_for_news()

    def change_a_flavour(self):
        old, new = self.flavour.name, "Burnt cream"
        self.look("open the shop", "/", hit=False, shows=old)
        self.look("open it again", "/", hit=True, shows=old)
        self.look("open a flavour", self.flavour, hit=False, shows=old)
        self.look("open another one", self.other, hit=False)
        self.log_in(self.admin, "admin:login", "admin")
        try:
            self.rename(new)
            self.look("the shop is fresh", "/", hit=False, shows=new)
            self.look("so is the flavour", self.flavour, hit=False, shows=new)
            self.look("the other one is kept", self.other, hit=True)
        finally:
            self.rename(old)
        self.look("the shop is as before", "/", hit=False, shows=old)

    def fill_carts(self):
        """A page with a form is shared; whoever sends it has a token of their own."""
        for name, visitor in {"Mia": self.mia, "a guest": self.guest}.items():
            page = self.look(f"{name} shares the page with a form", self.other, hit=True, visitor=visitor)
            page = visitor.submit(page, reverse("shop:cart"), flavour=self.other.slug)
            self.tell(f"{name} fills a cart", page)
            self.expect(page, hit=False, shows=f"{self.other} is in your cart.")
        self.look("the page is kept", self.other, hit=True)
        self.look("a cart is nobody else's", "/cart/", hit=False, shows="Nothing yet", visitor=self.admin)

    def greet(self):
        self.log_in(self.mia, "shop:login", "mia")
        self.look("Mia is greeted", "/account/", hit=False, shows="Mia", visitor=self.mia)
        self.look("the admin is, too", "/account/", hit=False, shows="admin", visitor=self.admin)

    def choose_a_theme(self):
        """A page that reads a cookie has a variant for each of its values."""
        for visitor in self.mia, self.guest:
            page = visitor.submit(visitor.get("/account/"), reverse("shop:theme"), theme="dark")
            self.tell("choose moonlight", page)
        self.look("Mia's shop is dark", "/", hit=False, shows='class="dark"', visitor=self.mia)
        self.look("a guest shares the dark one", "/", hit=True, shows='class="dark"', visitor=self.guest)
        self.look("the light one is kept", "/", hit=True, shows='<html lang="en">', visitor=self.admin)

    def ask_for_news(self):
        etag = self.admin.get("/").etag
        page = self.admin.get("/", **{"If-None-Match": etag})
        self.tell(f"has it changed? {page.status}, {len(page.body)} bytes", page)
        if (page.status, page.verdict) != (304, "hit"):
            raise BrokenPromise(f"{page.status} for a page that has not changed")

    def look(self, title, place, *, hit, shows="", visitor=None):
        path = place if isinstance(place, str) else place.get_absolute_url()
        page = (visitor or self.admin).get(path)
        self.tell(title, page)
        self.expect(page, hit=hit, shows=shows)
        return page

    def expect(self, page, *, hit, shows):
        if page.hit is not hit:
            raise BrokenPromise(f"{page.url}: {page.verdict}")
        if shows not in unescape(page.body):
            raise BrokenPromise(f"{page.url}: no {shows!r} on the page")

    def log_in(self, visitor, place, name):
        page = visitor.submit(visitor.get(reverse(place)), username=name, password=name)
        self.tell(f"{name} logs in", page)

    def rename(self, name):
        """Edit the flavour as a person would: open its form, change, save."""
        path = reverse("admin:shop_flavour_change", args=[self.flavour.pk])
        page = self.admin.submit(self.admin.get(path), name=name, _save="Save")
        self.tell(f"rename it to {name!r}", page)
        if page.url.endswith(path):
            raise BrokenPromise("the form was refused")

    def tell(self, title, page):
        self.out.write(f"  {title:<36}{page.ms:>8.1f} ms   {page.verdict}")
