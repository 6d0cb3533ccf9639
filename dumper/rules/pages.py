"""From the answer of a view to what is stored: validated, compressed, without what belongs to one connection."""

from __future__ import annotations

from collections.abc import Sequence

from dumper.rules.codings import decoded, encoded
from dumper.rules.dimensions import vary_names
from dumper.rules.headers import directives, members, storable
from dumper.rules.keys import Key
from dumper.rules.messages import Response, StoredResponse
from dumper.rules.tags import Tag
from dumper.rules.validators import etag_of


def page_of(
    response: Response,
    key: Key,
    generations: dict[Tag, str],
    now: float,
    lifetime: float | None,
    codings: Sequence[str],
) -> StoredResponse:
    """What is stored of a complete ``response`` under ``key``, for ``lifetime`` seconds from ``now`` on."""
    body = response.body or b""
    headers = {name.lower(): (name, value) for name, value in storable(response.headers)}
    bodies = {"identity": body}
    if response.slots is not None:
        # One visitor's validators say nothing about what another is given.
        headers.pop("etag", None)
        headers.pop("last-modified", None)
    elif response.status == 200:
        headers.setdefault("etag", ("ETag", etag_of(body)))
        if "content-encoding" not in headers and not _is_fixed(headers):
            bodies = encoded(body, _value(headers, "content-type"), codings)
    # Caches further out have seen nothing of what was read.
    _add_vary(headers, [*vary_names(response.dimensions), *(["Accept-Encoding"] if len(bodies) > 1 else [])])
    return StoredResponse(
        fingerprint=key.fingerprint,
        generations=generations,
        stored_at=now,
        expires_at=None if lifetime is None else now + lifetime,
        status=response.status,
        reason=response.reason,
        headers=list(headers.values()),
        marks=response.marks,
        slots=response.slots,
        bodies=bodies,
    )


Fields = dict[str, tuple[str, str]]


def _value(headers: Fields, name: str) -> str:
    return headers[name][1] if name in headers else ""


def _add_vary(headers: Fields, names: Sequence[str]) -> None:
    """Name in Vary what it does not name yet."""
    named = _value(headers, "vary")
    added = [name for name in names if name.lower() not in members(named)]
    if added:
        headers["vary"] = ("Vary", ", ".join([*filter(None, [named]), *added]))


def _is_fixed(headers: Fields) -> bool:
    """Whether nobody on the way may encode the content (RFC 9111 §5.2.2.6)."""
    return "no-transform" in directives(_value(headers, "cache-control"))


def unpacked(body: bytes, fields: dict[str, str], limit: int) -> tuple[bytes, dict[str, str]]:
    """``body`` and ``fields`` as they were before a middleware compressed them, if that can be told."""
    coding = next((value for name, value in fields.items() if name.lower() == "content-encoding"), None)
    plain = None if coding is None else decoded(body, coding, limit)
    if plain is None:
        return body, fields
    # It made the validator weak, or took it for granted: ours is of the content as it is stored.
    changed = {"content-encoding", "etag"}
    return plain, {name: value for name, value in fields.items() if name.lower() not in changed}
