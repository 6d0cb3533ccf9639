"""The caches in front of this site: who they are, as the settings say."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from dumper.conf import PREFIX, settings
from dumper.converters import seconds
from dumper.rules.targets import is_host
from dumper.upstreams import options
from dumper.upstreams.base import Config, Impossible, Upstream
from dumper.upstreams.options import Misconfigured

__all__ = ["Upstream", "current", "find", "problems"]

logger = logging.getLogger("dumper.upstreams")

#: What an entry of DUMPER_UPSTREAMS may have.
ENTRIES = ("BACKEND", "LOCATION", "HOSTS", "TIMEOUT", "HEADERS", "OPTIONS")


def make(name: str, entry: Mapping[str, Any]) -> Upstream:
    """The upstream that ``entry`` describes. Raises Misconfigured."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("BACKEND"), str):
        raise Misconfigured("needs a BACKEND, the dotted path of a class")
    if unknown := [str(key) for key in entry if key not in ENTRIES]:
        raise Misconfigured(f"has {', '.join(unknown)}; there are {', '.join(ENTRIES)}")
    try:
        backend = import_string(entry["BACKEND"])
    except (ImportError, ValueError) as error:
        raise Misconfigured(f"has a BACKEND that cannot be imported: {error}") from error
    if not (isinstance(backend, type) and issubclass(backend, Upstream)):
        raise Misconfigured("has a BACKEND that is no class derived from dumper.upstreams.Upstream")
    hosts = listed(entry.get("HOSTS"))
    if not all(isinstance(host, str) and is_host(host) for host in hosts):
        raise Misconfigured(f"has HOSTS that are no list of hosts such as 'www.example.com': {entry['HOSTS']!r}")
    if not all(isinstance(location, str) for location in listed(entry.get("LOCATION"))):
        raise Misconfigured("has a LOCATION that is neither a string nor a list of strings")
    headers, given = entry.get("HEADERS", {}), entry.get("OPTIONS", {})
    if not isinstance(headers, Mapping) or not isinstance(given, Mapping):
        raise Misconfigured("has HEADERS or OPTIONS that are no dict")
    if not all(isinstance(text, str) for field in headers.items() for text in field):
        raise Misconfigured("has HEADERS whose names and values are not all strings")
    return backend(
        Config(
            name=name,
            locations=listed(entry.get("LOCATION")),
            hosts=hosts,
            timeout=options.converted("TIMEOUT", seconds, entry.get("TIMEOUT", 5.0)),
            headers=headers,
            options=given,
        )
    )


def listed(value: Any) -> list[Any]:
    """``value`` as a list: of one, or of none for None."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]


def entries() -> dict[str, Mapping[str, Any]]:
    """DUMPER_UPSTREAMS, and what DUMPER_PURGE_URLS is short for."""
    found = dict(settings().upstreams)
    if settings().purge_urls:
        found["purge-urls"] = {"BACKEND": "dumper.upstreams.http.Http", "LOCATION": settings().purge_urls}
    return found


#: who has to be told as well, and stands in no setting
others: dict[str, Upstream] = {}
_current: dict[str, Upstream] | None = None
_problems: dict[str, str] = {}


def current() -> Mapping[str, Upstream]:
    """The upstreams by their names; without those that :func:`problems` names."""
    global _current, _problems
    found = _current
    if found is None:
        found, problems = {}, {}
        for name, entry in entries().items():
            try:
                found[name] = make(name, entry)
            except Exception as error:
                is_known = isinstance(error, Misconfigured)
                problems[name] = str(error) if is_known else f"cannot be made: {error!r}"  # by a backend of one's own
                logger.error("The upstream %r cannot be used: it %s", name, problems[name])
        _current, _problems = found, problems
    return found


def find(name: str) -> Upstream:
    """The upstream ``name``. Raises Impossible where there is none."""
    found = others.get(name) or current().get(name)
    if found is None:
        raise Impossible(f"there is no upstream {name!r}")
    return found


def is_known(name: str) -> bool:
    """Whether there is an upstream ``name``, as far as this process knows."""
    return name in others or name in current()


def problems() -> Mapping[str, str]:
    """Why upstreams cannot be used, by their names."""
    current()
    return _problems


def forget() -> None:
    """Make all upstreams anew when they are needed next."""
    global _current
    for upstream in (_current or {}).values():
        upstream.close()
    _current = None


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting.startswith(PREFIX):
        forget()


setting_changed.connect(_forget, dispatch_uid="dumper.upstreams")
