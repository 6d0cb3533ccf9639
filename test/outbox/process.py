"""A process of a small site with an outbox, for as long as it is let live: ``python -m test.outbox.process ROLE``.

    create    make the tables, and end
    write     commit and roll back changes at random; each end of a transaction is a letter in the journal. Now and then
              it kills itself where that hurts most: right before a commit, or right after
    deliver   what manage.py dumper_deliver --worker does
    drain     what manage.py dumper_deliver does, until nothing is left
    truth     print as JSON which paths were committed when, and what is left in the outbox
    talk      do what the lines of its standard input say, and answer each with a line of JSON:
                  get NAME                  the page of a scoop -> what it shows, and Cache-Status
                  save NAME VERSION [kill]  change it; the process is killed once that is committed

Each path is named by one change alone. History, which is written in the same transaction, knows what was committed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings


def database(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        options = {"init_command": "PRAGMA journal_mode=wal; PRAGMA synchronous=off", "transaction_mode": "IMMEDIATE"}
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": parts.path, "OPTIONS": {**options, "timeout": 30}}
    if parts.scheme == "mysql":
        import pymysql

        pymysql.install_as_MySQLdb()
    return {
        "ENGINE": f"django.db.backends.{parts.scheme}",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username,
        "HOST": parts.hostname,
        "PORT": parts.port,
    }


def upstream(url: str) -> dict[str, Any]:
    return {
        "BACKEND": "dumper.upstreams.http.Http",
        "LOCATION": url,
        "HOSTS": ["testserver"],
        "TIMEOUT": 0.3,
        "OPTIONS": {"again_after": float(os.environ.get("TORTURE_AGAIN_AFTER", "0.5"))},
    }


settings.configure(
    INSTALLED_APPS=["dumper", "dumper.outbox"],
    DATABASES={"default": database(os.environ["TORTURE_DATABASE"])},
    CACHES={"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": os.environ["TORTURE_REDIS"]}},
    DUMPER_UPSTREAMS={"edge": upstream(os.environ["TORTURE_UPSTREAM"])},
    DUMPER_RETRY_DELAY=0.05,
    DUMPER_HOLD_TIMEOUT=2,
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["testserver"],
    MIDDLEWARE=["dumper.middleware.UpdateCacheMiddleware", "dumper.middleware.FetchFromCacheMiddleware"],
    USE_TZ=True,
)
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402

import dumper  # noqa: E402
from dumper import transactions  # noqa: E402
from dumper.backlog import record  # noqa: E402
from dumper.outbox.models import Delivery  # noqa: E402


class History(models.Model):
    path = models.CharField(max_length=100)
    at = models.FloatField()

    class Meta:
        app_label = "torture"


@dumper.register
class Scoop(models.Model):
    name = models.CharField(max_length=50)
    version = models.CharField(max_length=50)

    class Meta:
        app_label = "torture"

    def dependent_paths(self) -> list[str]:
        return [f"/{self.name}/", f"/{self.name}/{self.version}/"]


def page(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(Scoop.objects.get(name=name).version)


urlpatterns = [path("<name>/", page)]


class Undone(Exception):
    """Makes a block roll back."""


def change() -> None:
    """Make, change or delete a scoop, and write down which paths that names."""
    what = random.random()
    keys = list(Scoop.objects.order_by("-pk").values_list("pk", flat=True)[:20]) if what < 0.5 else []
    scoop = Scoop.objects.select_for_update().filter(pk=random.choice(keys)).first() if keys else None
    named = set(scoop.dependent_paths()) if scoop else set()
    if scoop and what < 0.1:
        scoop.delete()
    else:
        scoop = scoop or Scoop(name=uuid.uuid4().hex)
        scoop.version = uuid.uuid4().hex
        scoop.save()
        named |= set(scoop.dependent_paths())
    History.objects.bulk_create(History(path=each, at=time.time()) for each in named)


def transact() -> str:
    """One transaction; return how it ended."""
    is_undone = random.random() < 0.3
    try:
        with transaction.atomic():
            for _ in range(random.choice([1, 1, 2, 5])):
                with suppress(Undone), transaction.atomic():
                    change()
                    if random.random() < 0.1:
                        raise Undone
            if is_undone:
                raise Undone
    except Undone:
        return "r"
    return "c"


def die(*args: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_when_recorded(*args: Any) -> None:
    record(*args)
    die()


def write() -> None:
    with Path(os.environ["TORTURE_JOURNAL"]).open("ab", buffering=0) as journal:
        while True:
            if random.random() < 0.001:
                transactions.release = die
            elif random.random() < 0.001:
                transactions.record = die_when_recorded
            try:
                journal.write(transact().encode())
            except django.db.Error as error:  # a deadlock, say
                journal.write(b"e")
                print(repr(error), file=sys.stderr, flush=True)
            time.sleep(random.uniform(0, 0.01))


def drain() -> None:
    while Delivery.objects.exists():
        call_command("dumper_deliver")
        time.sleep(0.05)


def create() -> None:
    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(Scoop)
        editor.create_model(History)


def get(name: str) -> list[str]:
    response = Client().get(f"/{name}/")
    return [response.content.decode(), response["Cache-Status"]]


def save(name: str, version: str, kill: str = "") -> str:
    if kill:
        transactions.release = die
    scoop = Scoop.objects.filter(name=name).first() or Scoop(name=name)
    scoop.version = version
    scoop.save()
    return "saved"


def talk() -> None:
    for line in sys.stdin:
        command, *words = line.split()
        print(json.dumps({"get": get, "save": save}[command](*words)), flush=True)


def truth() -> None:
    committed: dict[str, float] = {}
    for named, at in History.objects.values_list("path", "at"):
        committed[named] = max(at, committed.get(named, 0))
    print(json.dumps({"committed": committed, "left": Delivery.objects.count()}))


if __name__ == "__main__":
    if sys.argv[1] == "deliver":
        call_command("dumper_deliver", "--worker", "--interval", "0.2")
    else:
        {"create": create, "write": write, "drain": drain, "talk": talk, "truth": truth}[sys.argv[1]]()
