"""The ``DUMPER_*`` settings, as one frozen value.

It is built once and again whenever Django's ``setting_changed`` says so, which makes ``override_settings`` work and a
read cost next to nothing. A bad value never breaks a request: it is replaced by a safe one and listed in
``Settings.problems``, from where the system checks report it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed

PREFIX = "DUMPER_"
EVERY_PATH = re.compile("")
#: 68 years: what every store can count to.
MOST_SECONDS = 2**31


class Wrong(ValueError):
    """A setting's value is not what it has to be; the text says what it has to be."""


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise Wrong("a string that is not empty")
    return value


def _key_prefix(value: Any) -> str:
    # memcached takes no blanks in a key and 250 bytes at most; our own part of a key is below 100.
    if not isinstance(value, str) or not re.fullmatch(r"[!-z|~]{1,100}", value):
        raise Wrong("1 to 100 printable ASCII characters without blanks and braces")
    return value


def _pattern(value: Any) -> re.Pattern[str]:
    try:
        pattern = re.compile(value or r"(?!)")
        pattern.search("")
    except (re.error, TypeError, OverflowError, RecursionError) as error:
        raise Wrong(f"a regular expression for text ({error})") from error
    return pattern


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong("True or False")
    return value


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= MOST_SECONDS:
        raise Wrong(f"a number of seconds greater than 0 and at most {MOST_SECONDS}")
    return value


def _seconds_or_none(value: Any) -> float | None:
    try:
        return None if value is None else _seconds(value)
    except Wrong as error:
        raise Wrong(f"None or {error}") from None


#: name: (default, what turns the value given into the value used)
DEFINITIONS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "CACHE_ALIAS": ("default", _text),
    "KEY_PREFIX": ("dumper.cached_path.", _key_prefix),
    "PATH_IGNORE_REGEX": (r"^/admin/", _pattern),
    "TIMEOUT": (None, _seconds_or_none),
    "HOLD_TIMEOUT": (600, _seconds),
    "LEASE_TIMEOUT": (600, _seconds),
    "STORE_TIMEOUT": (0.5, _seconds),
    "RETRY_DELAY": (1.0, _seconds),
    "STRICT": (False, _flag),
    "CACHE_STATUS": (True, _flag),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every ``DUMPER_*`` setting, checked; times are seconds. The README explains each."""

    cache_alias: str
    key_prefix: str
    path_ignore_regex: re.Pattern[str]
    timeout: float | None
    hold_timeout: float
    lease_timeout: float
    store_timeout: float
    retry_delay: float
    strict: bool
    cache_status: bool
    problems: tuple[tuple[str, str], ...]


def _build() -> Settings:
    values: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for name, (default, convert) in DEFINITIONS.items():
        try:
            values[name.lower()] = convert(getattr(django_settings, PREFIX + name, default))
        except Wrong as error:
            problems.append((PREFIX + name, f"must be {error}"))
            # A pattern that cannot be read might have named private pages: then no page is stored at all.
            values[name.lower()] = EVERY_PATH if convert is _pattern else convert(default)
    return Settings(**values, problems=tuple(problems))


_settings: Settings | None = None


def settings() -> Settings:
    """The settings in force."""
    global _settings
    found = _settings
    if found is None:
        found = _settings = _build()
    return found


def _forget(*, setting: str, **kwargs: Any) -> None:
    global _settings
    if setting.startswith(PREFIX):
        _settings = None


setting_changed.connect(_forget, dispatch_uid="dumper.conf")
