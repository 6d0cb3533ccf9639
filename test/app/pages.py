"""The pages as visitors see them: real requests through the whole middleware stack."""

from contextlib import contextmanager
from threading import Thread

from django.db import connections
from django.test import Client

from test.app.views import rendering


def in_another_thread(function, *args):
    """What ``function`` returns in a thread of its own, with database connections of its own."""
    returned = []

    def work():
        try:
            returned.append(function(*args))
        finally:
            connections.close_all()

    thread = Thread(target=work)
    thread.start()
    thread.join()
    return returned[0]


class Pages:
    """Asks for pages, and knows whether an answer came from the store."""

    def get(self, path, **extra):
        return Client().get(path, **extra)

    def is_hit(self, path, **extra):
        return self.get(path, **extra).headers["Cache-Status"].startswith("dumper; hit")

    def store(self, *paths):
        """See to it that ``paths`` are stored."""
        for path in paths:
            self.get(path)
            assert self.is_hit(path), f"{path} was not stored"

    @contextmanager
    def refreshed(self, *paths, kept=("/elsewhere/",)):
        """What is done inside refreshes ``paths``, each of which is stored again then, and none of ``kept``."""
        kept = [path for path in kept if path not in paths]
        self.store(*paths, *kept)
        yield
        for path in paths:
            assert not self.is_hit(path), f"{path} is as old as before"
            assert self.is_hit(path), f"{path} was not stored again"
        for path in kept:
            assert self.is_hit(path), f"{path} was refreshed without need"
        for path in (*paths, *kept):
            assert self.get(path).content == rendering(path), f"{path} is stale"

    @contextmanager
    def kept(self, *paths):
        """What is done inside refreshes none of ``paths``, even where they are stale by then."""
        self.store(*paths)
        yield
        for path in paths:
            assert self.is_hit(path), f"{path} was refreshed"
