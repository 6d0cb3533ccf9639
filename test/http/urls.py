"""A site whose pages a test puts there. Every render has a number, so that a stored page is told from a new one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import re_path

View = Callable[[HttpRequest], Any]
renders = itertools.count(1)
#: the views by the decoded paths of their pages; under "" that of all others
views: dict[str, View] = {}


def page(
    headers: Mapping[str, str] | None = None,
    *,
    status: int = 200,
    shows: Callable[[HttpRequest], object] = lambda request: "page",
    size: int = 0,
) -> View:
    """A view with these header fields, whose page ``shows`` something, and has ``size`` bytes more."""

    def view(request: HttpRequest) -> HttpResponse:
        content = f"{shows(request)} render {next(renders)} {'a' * size}"
        return HttpResponse(content, status=status, headers=dict(headers or {}))

    return view


def dispatch(request: HttpRequest) -> Any:
    view = views.get(request.path_info) or views.get("")
    if view is None:
        raise Http404
    return view(request)


async def async_dispatch(request: HttpRequest) -> Any:
    return await views[request.path_info](request)


urlpatterns = [re_path(r"^async/", async_dispatch), re_path(r"^", dispatch)]
