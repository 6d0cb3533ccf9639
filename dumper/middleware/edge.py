"""What a response says to the caches in front of us: the keys of its tags, and for how long they may keep it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from dumper import upstreams
from dumper.conf import settings
from dumper.exchange import Exchange
from dumper.rules.edge import has_spoken, is_forbidden, kept, not_kept, strange_fields
from dumper.rules.headers import lowered
from dumper.rules.messages import StoredResponse
from dumper.rules.surrogates import joined, keys_of
from dumper.rules.tags import SITE, path_of
from dumper.rules.targets import is_canonical
from dumper.upstreams import Upstream

GROUPS = "Cache-Groups"
#: As many as every cache takes that reads them (RFC 9875 §2).
MOST_GROUPS = 32


def labels(
    request: HttpRequest, response: HttpResponseBase, exchange: Exchange, page: StoredResponse | None
) -> dict[str, str]:
    """The fields to be set on ``response``; ``page`` is what is stored of it, None where it is not.

    Where several upstreams read one field, the most careful of them decides.
    """
    if request.method not in ("GET", "HEAD"):
        return {}
    found: dict[str, str] = {}
    verdicts: dict[str, int] = {}
    fields = lowered(dict(response.items()))
    for upstream in upstreams.current().values():
        keys = keys_of(exchange.tags, settings().key_prefix)
        if upstream.groups and len(keys) <= MOST_GROUPS:
            found[GROUPS] = joined(GROUPS, keys)
        fits = True
        if upstream.tag_header:
            value = joined(upstream.tag_header, keys)
            fits = len(value) <= upstream.tag_bytes  # half of them would be worse than none
            found |= {upstream.tag_header: value} if fits else {}
        if exchange.is_doubtful or not fits:
            seconds: int | None = 0
        elif page is None:
            # What is not stored is somebody's own, for all we know, unless the view says otherwise.
            seconds = None if has_spoken(fields) else 0
        elif is_purgeable(upstream, request, exchange) and is_shared(upstream, fields, response, page):
            seconds = allowed(upstream, exchange.decision.ttl)
        else:
            seconds = 0
        if seconds is not None:
            verdicts[upstream.control] = min(seconds, verdicts.get(upstream.control, seconds))
    # The one field that both browsers and edges read comes last, and counts.
    for control in sorted(verdicts, key=lambda name: name.lower() == "cache-control"):
        found |= kept(fields, control, verdicts[control]) if verdicts[control] else not_kept(fields, control)
    return found


def is_shared(upstream: Upstream, fields: Mapping[str, str], response: HttpResponseBase, page: StoredResponse) -> bool:
    """Whether the very bytes are for all who will be given them there, and the view has kept them from none of these.

    It may have let this cache alone keep them.
    """
    if is_forbidden(fields):
        return False
    return page.slots is None and not cast(Any, response).cookies and not strange_fields(fields, upstream.vary)


def is_purgeable(upstream: Upstream, request: HttpRequest, exchange: Exchange) -> bool:
    """Whether all changes of the page will reach it there: by its keys, or at the one URL that is purged."""
    if upstream.tag_header:
        return True
    if any(tag != SITE and path_of(tag) is None for tag in exchange.tags):
        return False
    return upstream.is_told_of(exchange.request.host) and is_canonical(target(request), request.path)


def target(request: HttpRequest) -> str | None:
    """The target of ``request`` as it came in, if the server tells (gunicorn, uWSGI and mod_wsgi, ASGI)."""
    scope = vars(request).get("scope")
    if scope is not None:
        query = scope.get("query_string", b"")
        path = scope.get("raw_path")
        return None if path is None else path.decode("latin-1") + ("?" + query.decode("latin-1") if query else "")
    meta = request.META
    found: str | None = meta.get("RAW_URI", meta.get("REQUEST_URI"))
    return found


def allowed(upstream: Upstream, ttl: float | None) -> int | None:
    """Seconds that ``upstream`` may keep a page that stays fresh for ``ttl``; None leaves that to the view."""
    if upstream.lifetime is None or ttl is None:
        return upstream.lifetime
    return min(upstream.lifetime, int(ttl))
