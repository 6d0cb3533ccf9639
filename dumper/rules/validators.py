"""Validators and conditional requests (RFC 9110 §8.8, §13)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from dumper.rules.keys import digest_of_bytes

# RFC 9110 §5.6.7: IMF-fixdate, and the obsolete forms of RFC 850 and asctime
_DATE = re.compile(
    r"""(mon|tue|wed|thu|fri|sat|sun),[ ]\d\d[ ][a-z]{3}[ ][1-9]\d{3}[ ]\d\d:\d\d:\d\d[ ]GMT
    | (mon|tues|wednes|thurs|fri|satur|sun)day,[ ]\d\d-[a-z]{3}-\d\d[ ]\d\d:\d\d:\d\d[ ]GMT
    | (mon|tue|wed|thu|fri|sat|sun)[ ][a-z]{3}[ ][ \d]\d[ ]\d\d:\d\d:\d\d[ ][1-9]\d{3}""",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_ETAG = re.compile(r'(?:W/)?"[^"]*"')


def etag_of(body: bytes) -> str:
    """A strong entity tag for ``body``."""
    return f'"{digest_of_bytes(body)[:32]}"'


def is_conditional(environ: Mapping[str, Any]) -> bool:
    """Whether a request asks if something has changed."""
    return "HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MODIFIED_SINCE" in environ


def is_not_modified(environ: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    """Whether a GET or HEAD request has the stored response already (RFC 9110 §13.2.2, steps 3 and 4).

    ``headers`` are the stored ones, by their names in lower case.
    """
    if (tags := environ.get("HTTP_IF_NONE_MATCH")) is not None:
        return "etag" in headers and _is_among(headers["etag"], tags)
    since = timestamp(environ.get("HTTP_IF_MODIFIED_SINCE", ""))
    modified = timestamp(headers.get("last-modified", ""))
    return since is not None and modified is not None and modified <= since


def _is_among(etag: str, field: str) -> bool:
    """The weak comparison of If-None-Match (RFC 9110 §8.8.3.2, §13.1.2)."""
    if field.strip() == "*":
        return True
    return etag.removeprefix("W/") in {found.removeprefix("W/") for found in _ETAG.findall(field)}


def timestamp(date: str) -> float | None:
    """Seconds since the epoch; None for what is no date (RFC 9110 §5.6.7)."""
    if not _DATE.fullmatch(date.strip()):
        return None
    try:
        moment: datetime = parsedate_to_datetime(date)
        # The form of asctime names no zone: it is in UTC.
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
