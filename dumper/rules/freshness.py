"""For how long may a response be stored? (RFC 9111 §4.2)"""

from __future__ import annotations

from collections.abc import Mapping

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


def seconds(text: str) -> int:
    """A number of seconds (RFC 9111 §1.2.2); 0 for what is none."""
    if not (text.isascii() and text.isdigit()):
        return 0
    digits = text.lstrip("0") or "0"
    return min(int(digits), MOST_SECONDS) if len(digits) <= 10 else MOST_SECONDS
