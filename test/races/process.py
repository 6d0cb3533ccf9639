"""A process of a small site, told what to do on its standard input: each line a command, each answer a line of JSON.

    get               ask for the page            -> what it shows, and Cache-Status
    save VALUE STEP   change what the page shows; at STEP the process is killed on the spot (or "never")

A slow page is made in two lines: ``get slow`` answers "rendering" once the view has read the database, and the next
line, whatever it says, lets it go on.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings

PATHS = [f"/{number}/" for number in range(1200)]  # more than one chunk of a release
HOLD_TIMEOUT = 2  # seconds


def configure() -> None:
    settings.configure(
        ALLOWED_HOSTS=["testserver"],
        ROOT_URLCONF=__name__,
        MIDDLEWARE=["dumper.middleware.UpdateCacheMiddleware", "dumper.middleware.FetchFromCacheMiddleware"],
        DATABASES={"default": {"ATOMIC_REQUESTS": True, **database(os.environ["RACE_DATABASE"])}},
        CACHES={"default": {"BACKEND": os.environ["RACE_BACKEND"], "LOCATION": os.environ["RACE_REDIS"]}},
        DUMPER_HOLD_TIMEOUT=HOLD_TIMEOUT,
        USE_TZ=True,
    )
    django.setup()


def database(url: str) -> dict[str, Any]:
    """Settings from a URL, with the isolation level, if any, as its fragment."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        # Else a transaction that has only read would keep others from their commits.
        options = {"init_command": "PRAGMA journal_mode=wal"}
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": parts.path, "OPTIONS": options}
    options = {}
    if parts.fragment:
        from psycopg import IsolationLevel

        options["isolation_level"] = IsolationLevel[parts.fragment]
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username,
        "HOST": parts.hostname,
        "PORT": parts.port,
        "OPTIONS": options,
    }


configure()

from django.db import connection, models  # noqa: E402
from django.db.models.signals import pre_save  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402

import dumper  # noqa: E402
from dumper import transactions  # noqa: E402
from dumper.stores import scripts  # noqa: E402
from dumper.stores.redis import RedisStore  # noqa: E402


@dumper.register
class Scoop(models.Model):
    value = models.IntegerField()

    class Meta:
        app_label = "race"

    def dependent_paths(self) -> list[str]:
        return PATHS


def view(request: HttpRequest, number: int) -> HttpResponse:
    response = HttpResponse(str(Scoop.objects.get().value))
    if "slow" in request.GET:
        say("rendering")
        sys.stdin.readline()
    return response


urlpatterns = [path("<int:number>/", view)]


def say(answer: Any) -> None:
    print(json.dumps(answer), flush=True)


def get(query: str = "") -> None:
    # The query is part of the key: a page made slowly is asked for slowly or not at all.
    response = Client().get("/1/", {"slow": ""} if query else {})
    say([int(response.content), response["Cache-Status"]])


def save(value: str, step: str) -> None:
    arm(step)
    scoop = Scoop.objects.get()
    scoop.value = int(value)
    scoop.save()
    say("saved")


def die(*args: Any, **kwargs: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(step: str) -> None:
    """Have the process killed at ``step`` of the next save."""
    hold, release, script = transactions.hold, transactions.release, RedisStore.script

    def held_then_killed(*args: Any) -> None:
        hold(*args)
        die()

    def partly_released(self: RedisStore, name: str, *args: Any) -> Any:
        answer = yield from script(self, name, *args)
        return die() if name is scripts.RELEASE else answer

    def released_then_killed(*args: Any) -> None:
        release(*args)
        die()

    if step == "before the write":
        pre_save.connect(die, weak=False)
    elif step == "after the write":
        transactions.hold = die
    elif step == "after the hold":
        transactions.hold = held_then_killed
    elif step == "after the commit":
        transactions.release = die
    elif step == "during the release":
        RedisStore.script = partly_released  # type: ignore[method-assign]
    elif step == "after the release":
        transactions.release = released_then_killed


def create() -> None:
    with connection.schema_editor() as editor:
        editor.create_model(Scoop)
    Scoop.objects.create(value=0)
    say("created")


if __name__ == "__main__":
    for line in sys.stdin:
        command, *arguments = line.rstrip("\n").split("\t")
        {"create": create, "get": get, "save": save}[command](*arguments)
