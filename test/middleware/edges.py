"""Upstreams as settings describe them, and views whose answers are to be kept or not."""

import itertools

from django.http import HttpResponse

renders = itertools.count(1)
LIFETIME = 600


def plain(request):
    return HttpResponse(f"render {next(renders)}")


def with_fields(**fields):
    """A view whose answer has these fields; an underscore stands for a hyphen."""
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    return lambda request: HttpResponse(f"render {next(renders)}", headers=headers)


def by_key(**options):
    """An upstream that is purged by keys, in the field ``xkey``, and reads Surrogate-Control."""
    return upstream("dumper.upstreams.varnish.Varnish", lifetime=LIFETIME, **options)


def by_url(**options):
    """An upstream that is purged by URL, and reads Cache-Control."""
    return upstream("dumper.upstreams.http.Http", lifetime=LIFETIME, **options)


def upstream(backend, **options):
    return {"BACKEND": backend, "LOCATION": "http://127.0.0.1:1", "HOSTS": ["testserver"], "OPTIONS": options}
