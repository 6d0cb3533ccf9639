"""One view for every path: it shows the rows that name the path."""

import json
from collections import Counter

from django.apps import apps
from django.http import HttpResponse

#: how often each path was rendered
renders = Counter()
#: what a POST to /do/<name>/ does
actions = {}


def urls(row):
    """The URLs that a row names in any of its methods."""
    if hasattr(row, "dependent_paths"):
        yield from row.dependent_paths()
    elif hasattr(row, "get_absolute_url"):
        yield from row.get_purge_urls()
        yield row.get_absolute_url()


def names(row, path):
    """Whether ``row`` names ``path`` before an error stops it."""
    try:
        return any(str(url).partition("?")[0] == path for url in urls(row))
    except Exception:
        return False


def rendering(path, using="default"):
    """The page at ``path`` as the database has it now."""
    path = path.partition("?")[0]
    shown = {}
    for model in apps.get_app_config("app").get_models():
        rows = [row for row in model.objects.using(using).order_by("pk") if names(row, path)]
        shown[model.__name__] = [[getattr(row, field.attname) for field in model._meta.concrete_fields] for row in rows]
    return json.dumps(shown, default=str).encode()


def page(request, path):
    renders[request.path] += 1
    return HttpResponse(rendering(request.path_info, request.GET.get("using", "default")))


def do(request, name):
    return HttpResponse(repr(actions[name]()))
