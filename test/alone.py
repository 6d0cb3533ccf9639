"""Tests that measure time have the machine to themselves, though several processes share the work.

While a test with the mark "alone" runs, the other processes wait between two of their tests.
"""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest


def is_alone(item: pytest.Item | None) -> bool:
    return item is not None and item.get_closest_marker("alone") is not None


class Room:
    """Where each test takes its turn: any number at once, or one that is alone there."""

    def __init__(self, place: Path) -> None:
        # Whoever waits for the room to be empty keeps the gate shut: those that come later would never let it be.
        self._gate = (place / "gate").open("w")
        self._room = (place / "room").open("w")
        self._stays = False

    # Outermost: waiting is not part of the time that a test may take.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None):
        if not self._stays:
            fcntl.flock(self._gate, fcntl.LOCK_EX)
            fcntl.flock(self._room, fcntl.LOCK_EX if is_alone(item) else fcntl.LOCK_SH)
            fcntl.flock(self._gate, fcntl.LOCK_UN)
        try:
            return (yield)
        finally:
            self._stays = is_alone(item) and is_alone(nextitem)
            if not self._stays:
                fcntl.flock(self._room, fcntl.LOCK_UN)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """One process has them all, in a row: the others wait once."""
        items.sort(key=is_alone, reverse=True)


def pytest_configure(config: pytest.Config) -> None:
    # In a process of pytest-xdist's; above its own directory is that of the run.
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Room(Path(config.option.basetemp).parent))
