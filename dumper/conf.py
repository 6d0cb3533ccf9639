"""The ``DUMPER_*`` settings, as one frozen value.

It is built once and again whenever Django's ``setting_changed`` says so, which makes ``override_settings`` work and a
read cost next to nothing. A bad value never breaks a request: it is replaced by a safe one and listed in
``Settings.problems``, from where the system checks report it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed

from dumper import converters

PREFIX = "DUMPER_"

#: name: (default, what turns the value given into the value used)
DEFINITIONS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "CACHE_ALIAS": ("default", converters.text),
    "KEY_PREFIX": ("dumper.cached_path.", converters.key_prefix),
    "PATH_IGNORE_REGEX": (r"^/admin/", converters.pattern),
    "BYPASS": (None, converters.hook),
    "QUERY": ("observed", converters.query),
    "TIMEOUT": (None, converters.seconds_or_none),
    "QUERY_TIMEOUT": (None, converters.seconds_or_none),
    "STATUSES": ({200: None}, converters.statuses),
    "HONOUR_NO_CACHE": (False, converters.flag),
    "COMPRESSION": (list(converters.CODINGS), converters.codings),
    "MAX_BODY_SIZE": (2_097_152, converters.whole),
    "MAX_HEADER_SIZE": (16_384, converters.whole),
    "MAX_URL_LENGTH": (4096, converters.whole),
    "MAX_VARIANTS": (200, converters.whole),
    "HOLD_TIMEOUT": (600, converters.seconds),
    "LEASE_TIMEOUT": (600, converters.seconds),
    "NEAR_CACHE": ("checked", converters.one_of("off", "checked", "pushed")),
    "NEAR_CACHE_SIZE": (33_554_432, converters.whole),
    "NEAR_CACHE_STALENESS": (1.0, converters.seconds),
    "COLLAPSE_TIMEOUT": (5.0, converters.seconds_or_none),
    "HIT_FOR_MISS": (120, converters.seconds),
    "STALE_WHILE_REVALIDATE": (None, converters.seconds_or_none),
    "STALE_IF_ERROR": (None, converters.seconds_or_none),
    "STALE_AFTER_CHANGE": (False, converters.flag),
    "STORE_TIMEOUT": (0.5, converters.seconds),
    "RETRY_DELAY": (1.0, converters.seconds),
    "STRICT": (False, converters.flag),
    "UPSTREAMS": ({}, converters.upstreams),
    "PURGE_URLS": ([], converters.urls),
    "GIVE_UP_AFTER": (86_400, converters.seconds),
    "CACHE_STATUS": (True, converters.flag),
    "EXPLAIN": (None, converters.flag_or_debug),
}


#: What stands for a value that cannot be used, if it might have named private pages: then no page is stored at all.
SAFE: dict[str, Any] = {"PATH_IGNORE_REGEX": re.compile(""), "BYPASS": converters.broken}


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
    near_cache: str
    near_cache_size: int
    near_cache_staleness: float
    collapse_timeout: float | None
    hit_for_miss: float
    stale_while_revalidate: float | None
    stale_if_error: float | None
    stale_after_change: bool
    store_timeout: float
    retry_delay: float
    strict: bool
    upstreams: Mapping[str, Any]
    purge_urls: tuple[str, ...]
    give_up_after: float
    cache_status: bool
    explain: bool
    #: what Django's own settings say: to read them from there takes long
    use_i18n: bool
    use_tz: bool
    problems: tuple[tuple[str, str], ...]

    @property
    def spare_time(self) -> float:
        """For how long what was changed is kept, as it may yet be served."""
        return max(self.stale_while_revalidate or 0, self.stale_if_error or 0) if self.stale_after_change else 0

    def excludes(self, path: str, path_info: str, query: str) -> str | None:
        """Why what a URL of these parts names is not stored; None where it may be."""
        if len(path) + len(query) > self.max_url_length:
            return "url too long"
        return "ignored path" if self.ignores(path, path_info) else None

    def ignores(self, *paths: str) -> bool:
        """Whether DUMPER_PATH_IGNORE_REGEX keeps a page at one of ``paths`` from being stored."""
        return any(map(self.path_ignore_regex.search, paths))


def _build() -> Settings:
    values: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for name, (default, convert) in DEFINITIONS.items():
        try:
            values[name.lower()] = convert(getattr(django_settings, PREFIX + name, default))
        except converters.Wrong as error:
            problems.append((PREFIX + name, f"must be {error}"))
            values[name.lower()] = SAFE[name] if name in SAFE else convert(default)
    own = {"use_i18n": django_settings.USE_I18N, "use_tz": django_settings.USE_TZ}
    return Settings(**values, **own, problems=tuple(problems))


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
    if setting.startswith(PREFIX) or setting in ("DEBUG", "USE_I18N", "USE_TZ"):
        _settings = None


setting_changed.connect(_forget, dispatch_uid="dumper.conf")
