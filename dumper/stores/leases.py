"""Leases: what the store knows of the tags that a page depends on, before the page is made or served."""

from __future__ import annotations

import time

from dumper.rules.messages import StoredResponse
from dumper.rules.tags import Tag
from dumper.steps import Call, Steps
from dumper.stores.base import HELD, Entries, untrue


def leased(entries: Entries) -> Steps[Entries]:
    """``entries``, after those that are missing were added and those that are overdue were settled."""
    now = time.time()
    if absent := [tag for tag, entry in entries.items() if entry is None or entry.is_overdue(now)]:
        entries = entries | (yield Call("lease", (absent,)))
    return entries


def disproof(stored: StoredResponse, entries: Entries) -> Steps[str | None]:
    """Why ``stored`` must not be served; None where it may. What ``entries`` lack of its tags is asked for."""
    if others := [tag for tag in stored.generations if tag not in entries]:
        entries = entries | (yield Call("entries", (others,)))
    return untrue(stored, entries, time.time())


def held(leases: Entries) -> str | None:
    """Why nothing must be stored under ``leases``; None where something may be."""
    return None if all(entry and not entry.holds for entry in leases.values()) else HELD


def generations(leases: Entries) -> dict[Tag, str]:
    """What a page is stored under."""
    return {tag: entry.generation for tag, entry in leases.items() if entry}
