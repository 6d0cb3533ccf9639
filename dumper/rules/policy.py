"""May it be looked up? May it be stored, for how long, and if not, why not?

A reason is a short text in words; it goes into the log and into Cache-Status. In doubt, forward.
"""

from __future__ import annotations

from datetime import timezone
from email.utils import parsedate_to_datetime

from dumper.rules.headers import directives, members
from dumper.rules.messages import Request, Response

_UNSTORABLE = ("no-store", "private", "no-cache")
#: What a larger number of seconds means: 68 years (RFC 9111 §1.2.2).
MOST_SECONDS = 2**31
# RFC 3875 §4.1.1 and §4.1.11: some servers keep the field to themselves, and hand on what it says.
_AUTHENTICATED = ("HTTP_PROXY_AUTHORIZATION", "REMOTE_USER", "AUTH_TYPE")
_OVERRIDES = ("HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_X_HTTP_METHOD", "HTTP_X_METHOD_OVERRIDE")


def bypass(request: Request) -> str | None:
    """Why ``request`` is not looked up and its response not stored; None where it is."""
    environ = request.environ
    if request.method not in ("GET", "HEAD"):
        return "method"
    if request.host is None:
        return "host not allowed"
    if "HTTP_AUTHORIZATION" in environ or any(environ.get(name) for name in _AUTHENTICATED):
        return "authorization"
    if "HTTP_RANGE" in environ:
        return "range"
    if environ.get("CONTENT_LENGTH") not in (None, "", "0", 0) or "HTTP_TRANSFER_ENCODING" in environ:
        return "request body"
    if any(name in environ for name in _OVERRIDES):
        return "method override"
    if "\ufffd" in request.path:
        # Bytes that are no UTF-8: the servers decode them each in its own way, so that paths could meet.
        return "path not in UTF-8"
    return None


def refusal(request: Request, response: Response) -> str | None:
    """Why ``response`` must not be stored; None where it may be (the safe subset of RFC 9111 §3)."""
    fields = {name.lower(): value for name, value in response.headers.items()}
    if response.status != 200:
        return f"status {response.status}"
    if response.body is None:
        return "not complete"
    if response.sets_cookie or "set-cookie" in fields:
        return "set-cookie"
    if "content-range" in fields:
        return "content-range"
    control = directives(fields.get("cache-control", ""))
    for name in _UNSTORABLE:
        if name in control:
            return name
    if "no-cache" in directives(fields.get("pragma", "")):
        return "pragma"
    if unanswered := [name for name in members(fields.get("vary", "")) if not _answered(name, request)]:
        return "vary " + unanswered[0]
    if response.personal:
        return response.personal
    if any("'nonce-" in value.lower() for name, value in fields.items() if name.startswith("content-security-policy")):
        return "nonce"
    if (response.language, response.time_zone) != (request.language, request.time_zone):
        return "language or time zone chosen after the look-up"
    return None


def _answered(name: str, request: Request) -> bool:
    """Whether a part of the key stands for the request's field ``name``."""
    return name == "accept-language" and request.language_negotiated


def lifetime(response: Response, default: float | None, now: float) -> float | None:
    """How long ``response`` may be stored, in seconds: what the view says, else ``default``; None is forever.

    s-maxage comes before max-age before Expires (RFC 9111 §4.2.1); what cannot be read means 0.
    """
    fields = {name.lower(): value for name, value in response.headers.items()}
    control = directives(fields.get("cache-control", ""))
    for name in ("s-maxage", "max-age"):
        if name in control:
            return _seconds(control[name])
    if "expires" in fields:
        return min(max(0, _timestamp(fields["expires"]) - now), MOST_SECONDS)
    return default


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        return 0
    digits = text.lstrip("0") or "0"
    return min(int(digits), MOST_SECONDS) if len(digits) <= 10 else MOST_SECONDS


def _timestamp(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except (TypeError, ValueError, OverflowError):
        return 0
    # The form of asctime names no zone: it is in UTC (RFC 9110 §5.6.7).
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
