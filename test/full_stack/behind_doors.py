"""A small site behind the doors, for real servers: one row that is shown, and saved, and what a view was sent.

DOORS_REDIS says where pages are stored, DOORS_DATABASE is the path of a file, DOORS_MODE and
DOORS_STALENESS say what its near cache may do.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["dumper.middleware.UpdateCacheMiddleware", "dumper.middleware.FetchFromCacheMiddleware"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["DOORS_DATABASE"],
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=wal"},
        }
    },
    CACHES={"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": os.environ["DOORS_REDIS"]}},
    DUMPER_NEAR_CACHE=os.environ["DOORS_MODE"],
    DUMPER_NEAR_CACHE_STALENESS=float(os.environ["DOORS_STALENESS"]),
    DUMPER_STORE_TIMEOUT=5,
    LOGGING_CONFIG=None,
    USE_TZ=True,
)
django.setup()

from django.db import connection, models  # noqa: E402
from django.http import FileResponse, HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

import dumper  # noqa: E402
from dumper.asgi import get_asgi_application  # noqa: E402
from dumper.wsgi import get_wsgi_application  # noqa: E402


@dumper.register
class Number(models.Model):
    value = models.IntegerField()

    class Meta:
        app_label = "behind"

    def dependent_paths(self) -> list[str]:
        return ["/number/"]


def number(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(Number.objects.get().value))


def save(request: HttpRequest, value: int) -> HttpResponse:
    row = Number.objects.get()
    row.value = value
    row.save()
    return HttpResponse("saved")


def body(request: HttpRequest) -> HttpResponse:
    """What has come; Django looks at no body of unknown length where the server speaks WSGI."""
    found = request.body
    if request.META.get("HTTP_TRANSFER_ENCODING") and hasattr(request, "environ"):
        found = request.environ["wsgi.input"].read()
    return HttpResponse(f"{request.method} {len(found)} {hashlib.sha256(found).hexdigest()}")


def large(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"0123456789" * 100_000, content_type="image/png")


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(Path(__file__).open("rb"))


urlpatterns = [
    path("number/", number),
    path("save/<int:value>/", save),
    path("body/", body),
    path("large/", large),
    path("file/", file),
]


def create() -> None:
    with connection.schema_editor() as editor:
        editor.create_model(Number)
    Number.objects.create(value=0)


wsgi = get_wsgi_application()
asgi = get_asgi_application()

if __name__ == "__main__":
    create()
