"""Actors: threads that stop at each step until they are told to go on, or are killed on the spot.

Each plays a process of its own: what one of them withholds is no business of another's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from dumper.rules.tags import Tag
from dumper.stores.guard import Withheld, Withholder

PATIENCE = 30  # seconds; an actor that takes longer waits for another, which is a defect of the test


class Killed(BaseException):
    """What a killed actor ends with. It is no Exception, so that nobody handles it, as nobody handles SIGKILL."""


class Actor(threading.Thread):
    """Runs ``act`` in steps: from one pause() to the next."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.act = act
        self.at = "start"
        self.is_killed = False
        self.error: BaseException | None = None
        self._go = threading.Semaphore(0)
        self._stopped = threading.Semaphore(0)
        self.start()

    def run(self) -> None:
        self._wait()
        try:
            if not self.is_killed:
                self.act()
        except Killed:
            pass
        except BaseException as error:
            self.error = error
        self.at = "end"
        self._stopped.release()

    def step(self) -> None:
        """Let it run to its next pause."""
        if self.at == "end":
            return
        self._go.release()
        assert self._stopped.acquire(timeout=PATIENCE), f"stuck after {self.at}"
        if self.error:
            raise self.error

    def kill(self) -> None:
        """It does nothing more."""
        self.is_killed = True
        self.step()

    def finish(self) -> None:
        while self.at != "end":
            self.step()

    def pause(self, at: str) -> None:
        if self.is_killed:
            raise Killed
        self.at = at
        self._stopped.release()
        self._wait()
        if self.is_killed:
            raise Killed

    def _wait(self) -> None:
        self._go.acquire()


def pause(at: str) -> None:
    """A point where the actor that comes by may stop for any time, or for ever."""
    actor = threading.current_thread()
    if isinstance(actor, Actor):
        actor.pause(at)


class WithheldApart(Withheld):
    """Keeps the withholders of each actor apart."""

    def __init__(self) -> None:
        super().__init__()
        self._local = threading.local()

    @property
    def _mine(self) -> list[Withholder]:
        return self._local.__dict__.setdefault("owners", [])

    def add(self, owner: Withholder) -> None:
        self._mine.append(owner)

    def remove(self, owner: Withholder) -> None:
        self._mine[:] = [other for other in self._mine if other is not owner]

    def __bool__(self) -> bool:
        return bool(self._mine)

    def __contains__(self, tag: Tag) -> bool:
        return any(tag in owner.tags for owner in self._mine)

    def __iter__(self) -> Iterator[Withholder]:
        return iter(tuple(self._mine))
