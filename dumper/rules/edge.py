"""What a cache in front of us may keep, and how it is told so.

A field of its own, such as Surrogate-Control or CDN-Cache-Control (RFC 9213), speaks to the edge alone. Where it reads
nothing but Cache-Control, ``s-maxage`` and ``private`` are what speaks to shared caches (RFC 9111 §5.2.2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dumper.rules.freshness import seconds as age
from dumper.rules.headers import directives, is_token, members

#: Of all fields, in :attr:`Edge.vary`.
ALL = "*"
#: nginx's own: a number of seconds, which counts more than any other field.
ACCEL = "x-accel-expires"
#: Directives that are taken out of Cache-Control where the edge must not keep what the view has let it keep.
_SHARED = ("public", "s-maxage", "proxy-revalidate")
#: Fields by which a view speaks to edges itself.
_TARGETED = ("surrogate-control", "cdn-cache-control", "cloudflare-cdn-cache-control", ACCEL)

Fields = Mapping[str, str]


def has_spoken(fields: Fields) -> bool:
    """Whether the view has said itself for how long shared caches may keep it; names in lower case."""
    said = directives(fields.get("cache-control", ""))
    return "expires" in fields or any(name in fields for name in _TARGETED) or bool({"max-age", "s-maxage"} & set(said))


def is_forbidden(fields: Fields, control: str = "") -> bool:
    """Whether the view has said, in Cache-Control or in the field ``control``, that shared caches must not keep it."""
    said, own = directives(fields.get("cache-control", "")), _own(fields, control)
    is_stale = "s-maxage" in said and not age(said["s-maxage"])
    return _forbids(said) or _forbids(own) or is_stale or own_lifetime(fields, control) == 0


def _forbids(said: Mapping[str, str]) -> bool:
    # With names of fields, "private" and "no-cache" speak of these alone.
    return "no-store" in said or any(said.get(name) == "" for name in ("private", "no-cache"))


def own_lifetime(fields: Fields, control: str) -> int | None:
    """Seconds that the view has granted in the field ``control``; None where it says nothing there."""
    said = _own(fields, control)
    return next((age(said[name]) for name in ("s-maxage", "max-age") if name in said), None)


def _own(fields: Fields, control: str) -> dict[str, str]:
    """The directives in a field that speaks to edges alone."""
    name = control.lower()
    if name == "cache-control" or name not in fields:
        return {}
    return {"max-age": fields[name].strip()} if name == ACCEL else directives(fields[name])


def strange_fields(fields: Fields, known: frozenset[str]) -> list[str]:
    """The fields that Vary names beyond those that the edge can cope with; ``known`` may be all."""
    named = members(fields.get("vary", ""))
    return [name for name in named if name == ALL or not (ALL in known or name in known)]


def kept(fields: Fields, control: str, seconds: int) -> dict[str, str]:
    """The fields by which the edge keeps the response for ``seconds``, while browsers ask each time.

    What the view says in Cache-Control is left as it is; ``fields`` have names in lower case.
    """
    said = directives(fields.get("cache-control", ""))
    has_lifetime = bool(said) or "expires" in fields
    # A hit was validated just now (RFC 9111 §4.2.3); its age counts where the view has said how old it may get.
    found = {"Age": "0"} if "age" in fields and not has_lifetime else {}
    if control.lower() == "cache-control":
        if "s-maxage" in said:
            return {}
        first = [fields["cache-control"]] if said else ["max-age=0"]
        # Who reads it takes the age off.
        lasting = seconds + (age(fields.get("age", "0")) if has_lifetime else 0)
        return {**found, "Cache-Control": ", ".join([*first, f"s-maxage={lasting}"])}
    browsers = {} if has_lifetime else {"Cache-Control": "no-cache"}
    return {control: str(seconds) if control.lower() == ACCEL else f"max-age={seconds}", **found, **browsers}


def not_kept(fields: Fields, control: str) -> dict[str, str]:
    """The fields by which the edge does not keep the response, whatever the view says; browsers may."""
    if control.lower() == ACCEL:
        return {control: "0"}
    if control.lower() != "cache-control":
        return {control: "no-store"}
    said = directives(fields.get("cache-control", ""))
    if _forbids(said):
        return {}
    others = [written(name, value) for name, value in said.items() if name not in (*_SHARED, "private")]
    return {"Cache-Control": ", ".join(["private", *others])}


def written(name: str, value: str) -> str:
    """A directive as it stands in Cache-Control."""
    if not value:
        return name
    if is_token(value):
        return f"{name}={value}"
    escaped = re.sub(r'(["\\])', r"\\\1", value)
    return f'{name}="{escaped}"'
