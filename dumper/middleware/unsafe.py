"""What a successful unsafe request invalidates: its own target, and what it says it has made (RFC 9111 §4.4)."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from dumper.conf import settings
from dumper.rules.policy import SAFE
from dumper.rules.tags import Tag, path_tag, tags_of_url


def targets(request: HttpRequest, response: HttpResponseBase) -> set[Tag]:
    """The tags of the pages that ``response`` to ``request`` has made untrue; none if it changed nothing."""
    if request.method in SAFE or response.status_code >= 400:
        return set()
    found: set[Tag] = set()
    if not settings().ignores(request.path, request.path_info):
        found |= {path_tag(request.path), path_tag(request.path_info)}
    for name in ("Location", "Content-Location"):
        if (url := response.headers.get(name)) and (path := path_of(url, request)):
            found |= tags_of_url(path, request.META.get("SCRIPT_NAME", ""))
    return found


def path_of(url: str, request: HttpRequest) -> str | None:
    """The path of ``url`` as seen from ``request``; None for one of another origin, or whose page is not stored."""
    try:
        base = f"{request.scheme}://{request.get_host()}"
        target = urlsplit(urljoin(base + request.path, url))
    except (DisallowedHost, ValueError):
        return None
    is_own = f"{target.scheme}://{target.netloc}" == base
    return target.path if is_own and target.path and not settings().ignores(target.path) else None
