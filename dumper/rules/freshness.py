"""For how long may a response be stored? (RFC 9111 §4.2)"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dumper.rules.headers import control, is_targeted
from dumper.rules.validators import timestamp

#: What a larger number of seconds means: 68 years (RFC 9111 §1.2.2).
MOST_SECONDS = 2**31


def lifetime(fields: Mapping[str, str], default: float | None, now: float) -> float | None:
    """Seconds that a response may be stored: what the view says, else ``default``; None is forever.

    s-maxage comes before max-age before Expires (§4.2.1); what cannot be read means 0. The names of ``fields`` are in
    lower case.
    """
    asked = control(fields)
    for name in ("s-maxage", "max-age"):
        if name in asked:
            return max(0, seconds(asked[name]) - seconds(fields.get("age", "0").strip()))
    if "expires" in fields and not is_targeted(fields):
        return min(max(0, (timestamp(fields["expires"]) or 0) - now), MOST_SECONDS)
    return default


class Grace(NamedTuple):
    """For how many seconds after its lifetime a response may be served (RFC 5861): while another request renders it
    anew, and where that fails."""

    while_revalidate: float
    if_error: float


#: What forbids that (RFC 9111 §4.2.4).
_FORBIDDING = ("must-revalidate", "proxy-revalidate")


def grace(fields: Mapping[str, str], default: Grace) -> Grace:
    """What the view says, else ``default``; ``fields`` have names in lower case.

    With s-maxage a response must not be served stale (RFC 9111 §5.2.2.10), unless the view says so itself.
    """
    asked = control(fields)
    if any(name in asked for name in _FORBIDDING):
        return Grace(0, 0)
    names = ("stale-while-revalidate", "stale-if-error")
    others = (0, 0) if "s-maxage" in asked else default
    return Grace(*(seconds(asked[name]) if name in asked else other for name, other in zip(names, others, strict=True)))


def seconds(text: str) -> int:
    """A number of seconds (RFC 9111 §1.2.2); 0 for what is none."""
    if not (text.isascii() and text.isdigit()):
        return 0
    digits = text.lstrip("0") or "0"
    return min(int(digits), MOST_SECONDS) if len(digits) <= 10 else MOST_SECONDS
