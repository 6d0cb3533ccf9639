"""The ``DUMPER_*`` settings, as one frozen value.

It is built once and again whenever Django's ``setting_changed`` says so, which makes ``override_settings`` work and a
read cost next to nothing. A bad value never breaks a request: it is replaced by a safe one and listed in
``Settings.problems``, from where the system checks report it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

PREFIX = "DUMPER_"
#: 68 years: what every store can count to.
MOST_SECONDS = 2**31
#: What may be stored at all: the complete answers that RFC 9110 §15.1 calls heuristically cacheable.
STATUSES = (200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501)
CODINGS = ("zstd", "br", "gzip")


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


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong("True or False")
    return value


def seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= MOST_SECONDS:
        raise Wrong(f"a number of seconds greater than 0 and at most {MOST_SECONDS}")
    return value


def _seconds_or_none(value: Any) -> float | None:
    try:
        return None if value is None else seconds(value)
    except Wrong as error:
        raise Wrong(f"None or {error}") from None


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MOST_SECONDS:
        raise Wrong(f"a whole number greater than 0 and at most {MOST_SECONDS}")
    return value


def _flag_or_debug(value: Any) -> bool:
    return bool(django_settings.DEBUG) if value is None else flag(value)


def _query(value: Any) -> str | tuple[str, ...]:
    if value in ("observed", "exact"):
        return str(value)
    if not isinstance(value, (list, tuple, set, frozenset)) or not all(isinstance(name, str) for name in value):
        raise Wrong("'observed', 'exact', or a list of the parameters that count")
    return tuple(sorted(set(value)))


def _statuses(value: Any) -> Mapping[int, float | None]:
    if not isinstance(value, Mapping) or not all(status in STATUSES for status in value):
        raise Wrong(f"a dict of lifetimes by status; the statuses may be {', '.join(map(str, STATUSES))}")
    return MappingProxyType({status: _seconds_or_none(lifetime) for status, lifetime in value.items()})


def _codings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(coding in CODINGS for coding in value):
        raise Wrong(f"a list of {', '.join(CODINGS)}")
    return tuple(dict.fromkeys(value))


def _upstreams(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) and 0 < len(name) <= 100 for name in value):
        raise Wrong("a dict of upstreams by their names, of 1 to 100 characters")
    return MappingProxyType(dict(value))


def _urls(value: Any) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) and value else value or ()
    if not isinstance(listed, (list, tuple)) or not all(isinstance(url, str) for url in listed):
        raise Wrong("a URL such as 'http://127.0.0.1:3128', or a list of them")
    return tuple(listed)


def _hook(value: Any) -> Callable[[Any], object]:
    try:
        hook = import_string(value) if isinstance(value, str) else value
    except ImportError as error:
        raise Wrong(f"a function or the dotted path of one ({error})") from error
    if hook is not None and (not callable(hook) or iscoroutinefunction(hook)):
        raise Wrong("a function, which takes the request and is not async, or the dotted path of one")
    return hook or _nothing


def _nothing(request: Any) -> None:
    """No reason to go past the store."""


def _broken(request: Any) -> str:
    """What would have decided cannot be asked, so nothing is stored."""
    return "DUMPER_BYPASS cannot be used"


#: name: (default, what turns the value given into the value used)
DEFINITIONS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "CACHE_ALIAS": ("default", _text),
    "KEY_PREFIX": ("dumper.cached_path.", _key_prefix),
    "PATH_IGNORE_REGEX": (r"^/admin/", _pattern),
    "BYPASS": (None, _hook),
    "QUERY": ("observed", _query),
    "TIMEOUT": (None, _seconds_or_none),
    "QUERY_TIMEOUT": (None, _seconds_or_none),
    "STATUSES": ({200: None}, _statuses),
    "HONOUR_NO_CACHE": (False, flag),
    "COMPRESSION": (list(CODINGS), _codings),
    "MAX_BODY_SIZE": (2_097_152, _whole),
    "MAX_HEADER_SIZE": (16_384, _whole),
    "MAX_URL_LENGTH": (4096, _whole),
    "MAX_VARIANTS": (200, _whole),
    "HOLD_TIMEOUT": (600, seconds),
    "LEASE_TIMEOUT": (600, seconds),
    "STORE_TIMEOUT": (0.5, seconds),
    "RETRY_DELAY": (1.0, seconds),
    "STRICT": (False, flag),
    "UPSTREAMS": ({}, _upstreams),
    "PURGE_URLS": ([], _urls),
    "GIVE_UP_AFTER": (86_400, seconds),
    "CACHE_STATUS": (True, flag),
    "EXPLAIN": (None, _flag_or_debug),
}


#: What stands for a value that cannot be used, if it might have named private pages: then no page is stored at all.
SAFE: dict[str, Any] = {"PATH_IGNORE_REGEX": re.compile(""), "BYPASS": _broken}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every ``DUMPER_*`` setting, checked; times are seconds. The README explains each."""

    cache_alias: str
    key_prefix: str
    path_ignore_regex: re.Pattern[str]
    bypass: Callable[[Any], object]
    query: str | tuple[str, ...]
    timeout: float | None
    query_timeout: float | None
    statuses: Mapping[int, float | None]
    honour_no_cache: bool
    compression: tuple[str, ...]
    max_body_size: int
    max_header_size: int
    max_url_length: int
    max_variants: int
    hold_timeout: float
    lease_timeout: float
    store_timeout: float
    retry_delay: float
    strict: bool
    upstreams: Mapping[str, Any]
    purge_urls: tuple[str, ...]
    give_up_after: float
    cache_status: bool
    explain: bool
    problems: tuple[tuple[str, str], ...]

    def ignores(self, *paths: str) -> bool:
        """Whether DUMPER_PATH_IGNORE_REGEX keeps a page at one of ``paths`` from being stored."""
        return any(map(self.path_ignore_regex.search, paths))


def _build() -> Settings:
    values: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for name, (default, convert) in DEFINITIONS.items():
        try:
            values[name.lower()] = convert(getattr(django_settings, PREFIX + name, default))
        except Wrong as error:
            problems.append((PREFIX + name, f"must be {error}"))
            values[name.lower()] = SAFE[name] if name in SAFE else convert(default)
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
    if setting.startswith(PREFIX) or setting == "DEBUG":
        _settings = None


setting_changed.connect(_forget, dispatch_uid="dumper.conf")
