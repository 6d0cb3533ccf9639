"""What a response says to the caches in front of us: the keys of its tags, and for how long they may keep it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import quote

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from dumper import upstreams
from dumper.conf import settings
from dumper.exchange import Exchange
from dumper.rules.edge import has_spoken, is_forbidden, kept, not_kept, own_lifetime, strange_fields
from dumper.rules.headers import lowered, members
from dumper.rules.messages import StoredResponse
from dumper.rules.surrogates import joined, keys_of
from dumper.rules.tags import SITE, path_of
from dumper.rules.targets import is_canonical
from dumper.upstreams import Upstream

logger = logging.getLogger("dumper.upstreams")

GROUPS = "Cache-Groups"
#: As many as every cache takes that reads them (RFC 9875 §2).
MOST_GROUPS = 32


class Labels(NamedTuple):
    """What a response is to say."""

    fields: dict[str, str]
    #: what each upstream may do with it, in words
    remarks: list[str]


class Verdict(NamedTuple):
    """Seconds that an upstream may keep a response, and why; None leaves it to the view, 0 is not at all."""

    seconds: int | None
    reason: str


TOO_MANY_KEYS = Verdict(0, "not kept, its keys do not fit")


def labels(request: HttpRequest, response: HttpResponseBase, exchange: Exchange, page: StoredResponse | None) -> Labels:
    """What ``response`` says to all upstreams; ``page`` is what is stored of it, None where it is not.

    Where several upstreams read one field, the most careful of them decides.
    """
    found = Labels({}, [])
    allowed: dict[str, int] = {}
    fields = lowered(dict(response.items()))
    if unnamed := unnamed_fields(request, fields):
        fields["vary"] = found.fields["Vary"] = ", ".join(filter(None, [fields.get("vary"), *unnamed]))
    speaking = [upstream for upstream in upstreams.current().values() if upstream.is_labelling]
    keys = keys_of(exchange.tags, settings().key_prefix) if speaking else []
    for upstream in speaking if request.method in ("GET", "HEAD") else ():
        if upstream.groups and len(keys) <= MOST_GROUPS:
            found.fields[GROUPS] = joined(GROUPS, keys)
        value = joined(upstream.tag_header, keys) if upstream.tag_header else ""
        if len(value) > upstream.tag_bytes:  # half of them would be worse than none
            seconds, reason = TOO_MANY_KEYS
        else:
            found.fields.update({upstream.tag_header: value} if upstream.tag_header else {})
            seconds, reason = verdict(upstream, request, response, exchange, page, fields)
        if seconds is not None:
            allowed[upstream.control] = min(seconds, allowed.get(upstream.control, seconds))
        found.remarks.append(f"{upstream.name}: {reason}")
    # The one field that both browsers and edges read comes last, and counts.
    for control in sorted(allowed, key=lambda name: name.lower() == "cache-control"):
        seconds = allowed[control]
        found.fields.update(kept(fields, control, seconds) if seconds else not_kept(fields, control))
    if found.remarks:
        logger.debug("%s %s: %s", request.method, quote(request.path), "; ".join(found.remarks))
    return found


def verdict(
    upstream: Upstream,
    request: HttpRequest,
    response: HttpResponseBase,
    exchange: Exchange,
    page: StoredResponse | None,
    fields: Mapping[str, str],
) -> Verdict:
    """What ``upstream`` may do with ``response``, whose ``fields`` are these, with names in lower case."""
    if exchange.is_doubtful:
        return Verdict(0, "not kept, it may be older than a change")
    if reason := unshared(upstream, fields, response, page):
        return Verdict(0, f"not kept, {reason}")
    if page is None:
        # What is not stored is somebody's own, for all we know, unless the view says otherwise.
        return Verdict(None, "as the view says") if has_spoken(fields) else Verdict(0, "not kept, as it is not stored")
    if reason := unreachable(upstream, request, exchange):
        return Verdict(0, f"not kept, {reason}")
    if upstream.lifetime is None:
        return Verdict(None, "as the view says")
    bounds = (upstream.lifetime, exchange.decision.ttl, own_lifetime(fields, upstream.control))
    seconds = int(min(bound for bound in bounds if bound is not None))
    return Verdict(seconds, f"kept for {seconds} s")


#: Of what some servers make the URL, where they trust a proxy; the cache that is in front may go by the target alone.
URL_FIELDS = ("SCRIPT_NAME", "PATH_INFO", *(f"X-Forwarded-{name}" for name in ("Host", "Port", "Protocol", "Ssl")))


def unnamed_fields(request: HttpRequest, fields: Mapping[str, str]) -> list[str]:
    """On what ``request`` depends that Vary does not name, but a cache in front has to know."""
    named = members(fields.get("vary", ""))
    found = [name for name in URL_FIELDS if "HTTP_" + name.upper().replace("-", "_") in request.META]
    if "accept-language" in named and hasattr(request, "LANGUAGE_CODE"):
        found.append("Cookie")  # Django's LocaleMiddleware looks there first
    return [name for name in found if name.lower() not in named]


def unshared(
    upstream: Upstream, fields: Mapping[str, str], response: HttpResponseBase, page: StoredResponse | None
) -> str | None:
    """Why the very bytes are not for all who would be given them there; None where they are."""
    if is_forbidden(fields, upstream.control):
        return "as the view says"  # which may have let this cache alone keep it
    if page is not None and page.slots is not None:
        return "it has a token"
    if cast(Any, response).cookies:
        return "it sets a cookie"
    strange = strange_fields(fields, upstream.vary)
    return f"it varies in {', '.join(strange)}" if strange else None


def unreachable(upstream: Upstream, request: HttpRequest, exchange: Exchange) -> str | None:
    """Why a change of the page might not reach it there, by its keys or at the one URL that is purged."""
    if upstream.tag_header:
        return None
    if any(tag != SITE and path_of(tag) is None for tag in exchange.tags):
        return "it depends on more than paths"
    if not upstream.is_told_of(exchange.request.host):
        return f"the host {exchange.request.host} is not in HOSTS"
    found = target(request)
    if found is None:
        return "the server does not tell how its URL was spelt"
    return None if is_canonical(found, request.path) else "its URL is not the one that is purged"


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
