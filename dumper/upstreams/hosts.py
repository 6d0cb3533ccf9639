"""Which URLs a path has in public: on every host of the site, below its script prefix."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence

from django.apps import apps
from django.conf import settings
from django.db import connections

from dumper.rules.tags import Tag, path_of
from dumper.rules.targets import is_host, target_of
from dumper.threads import started

logger = logging.getLogger("dumper.upstreams")

#: Seconds for which the hosts of the sites framework are remembered, where it is but asked who may keep a page.
MEMORY = 60.0


def site_hosts() -> Sequence[str]:
    """The hosts that Django knows: those of the sites framework, or else the names in ALLOWED_HOSTS."""
    if not has_sites():
        return [host for host in settings.ALLOWED_HOSTS if is_host(host)]
    found = apps.get_model("sites", "Site")._default_manager.values_list("domain", flat=True)
    return [domain for domain in found if is_host(domain)]


def has_sites() -> bool:
    """Whether the database has to be asked."""
    return apps.is_installed("django.contrib.sites")


class SitesMemory:
    """The hosts of the sites framework, read in a thread, so that no request waits for them."""

    def __init__(self) -> None:
        self._hosts: Sequence[str] = ()
        self._until = 0.0

    def hosts(self) -> Sequence[str]:
        """Those known just now; none at the very first."""
        if time.monotonic() >= self._until:
            self._until = time.monotonic() + MEMORY
            started("sites", self._read)
        return self._hosts

    def _read(self) -> None:
        try:
            self._hosts = site_hosts()
        except Exception:
            logger.exception("The hosts of the site cannot be read")
        finally:
            connections.close_all()


remembered = SitesMemory()


def mounts(prefix: str) -> set[str]:
    """What may stand before a path: nothing, where the path has it already, and the script prefix."""
    return {"", prefix, (settings.FORCE_SCRIPT_NAME or "").rstrip("/")}


def targets(tags: Collection[Tag], mounts: Collection[str]) -> list[str]:
    """The targets of the paths among ``tags``; without those that no cache was let keep."""
    paths = [path for tag in tags if (path := path_of(tag)) is not None]
    found = {target_of(mount + path) for path in paths for mount in mounts}
    return sorted(target for target in found if target)
