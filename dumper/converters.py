"""What turns the value given for a setting or an option into the value used, or says what it has to be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings as django_settings
from django.utils.module_loading import import_string

#: 68 years: what every store can count to.
MOST_SECONDS = 2**31
#: What may be stored at all: the complete answers that RFC 9110 §15.1 calls heuristically cacheable.
STATUSES = (200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501)
CODINGS = ("zstd", "br", "gzip")


class Wrong(ValueError):
    """A setting's value is not what it has to be; the text says what it has to be."""


def text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise Wrong("a string that is not empty")
    return value


def key_prefix(value: Any) -> str:
    # memcached takes no blanks in a key and 250 bytes at most; our own part of a key is below 100.
    if not isinstance(value, str) or not re.fullmatch(r"[!-z|~]{1,100}", value):
        raise Wrong("1 to 100 printable ASCII characters without blanks and braces")
    return value


def pattern(value: Any) -> re.Pattern[str]:
    try:
        pattern = re.compile(value or r"(?!)")
        pattern.search("")
    except (re.error, TypeError, OverflowError, RecursionError) as error:
        raise Wrong(f"a regular expression for text ({error})") from error
    return pattern


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong("True or False")
    return value


def seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= MOST_SECONDS:
        raise Wrong(f"a number of seconds greater than 0 and at most {MOST_SECONDS}")
    return value


def one_of(*values: str) -> Callable[[Any], str]:
    """Takes one of ``values``."""

    def choice(value: Any) -> str:
        if value not in values:
            raise Wrong(" or ".join(map(repr, values)))
        return str(value)

    return choice


def seconds_or_none(value: Any) -> float | None:
    try:
        return None if value is None else seconds(value)
    except Wrong as error:
        raise Wrong(f"None or {error}") from None


def whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MOST_SECONDS:
        raise Wrong(f"a whole number greater than 0 and at most {MOST_SECONDS}")
    return value


def flag_or_debug(value: Any) -> bool:
    return bool(django_settings.DEBUG) if value is None else flag(value)


def query(value: Any) -> str | tuple[str, ...]:
    if value in ("observed", "exact"):
        return str(value)
    if not isinstance(value, (list, tuple, set, frozenset)) or not all(isinstance(name, str) for name in value):
        raise Wrong("'observed', 'exact', or a list of the parameters that count")
    return tuple(sorted(set(value)))


def statuses(value: Any) -> Mapping[int, float | None]:
    if not isinstance(value, Mapping) or not all(status in STATUSES for status in value):
        raise Wrong(f"a dict of lifetimes by status; the statuses may be {', '.join(map(str, STATUSES))}")
    return MappingProxyType({status: seconds_or_none(lifetime) for status, lifetime in value.items()})


def codings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(coding in CODINGS for coding in value):
        raise Wrong(f"a list of {', '.join(CODINGS)}")
    return tuple(dict.fromkeys(value))


def upstreams(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) and 0 < len(name) <= 100 for name in value):
        raise Wrong("a dict of upstreams by their names, of 1 to 100 characters")
    return MappingProxyType(dict(value))


def urls(value: Any) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) and value else value or ()
    if not isinstance(listed, (list, tuple)) or not all(isinstance(url, str) for url in listed):
        raise Wrong("a URL such as 'http://127.0.0.1:3128', or a list of them")
    return tuple(listed)


def hook(value: Any) -> Callable[[Any], object]:
    try:
        hook = import_string(value) if isinstance(value, str) else value
    except ImportError as error:
        raise Wrong(f"a function or the dotted path of one ({error})") from error
    if hook is not None and (not callable(hook) or iscoroutinefunction(hook)):
        raise Wrong("a function, which takes the request and is not async, or the dotted path of one")
    return hook or nothing


def nothing(request: Any) -> None:
    """No reason to go past the store."""


def broken(request: Any) -> str:
    """What would have decided cannot be asked, so nothing is stored."""
    return "DUMPER_BYPASS cannot be used"
