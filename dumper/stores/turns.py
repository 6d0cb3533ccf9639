"""Turns to render, as requests take them: in this process first, then by a claim in the store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager

from dumper.crowd import Crowd, Turn
from dumper.rules.dimensions import Dimension
from dumper.rules.keys import Key
from dumper.steps import arun, run
from dumper.stores.base import Claimed, Item, Store


class Turns:
    """The crowd of this process before its store; ``watch`` turns whatever goes wrong with that into a StoreError."""

    def __init__(self, store: Store, watch: Callable[[], AbstractContextManager[None]]) -> None:
        self.store = store
        self._watch = watch
        self.crowd = Crowd()

    def turn(self, own: Turn, until: float) -> Turn | None:
        """See :meth:`dumper.crowd.Crowd.turn`."""
        return run(self.crowd.turn(own, until), self)

    async def aturn(self, own: Turn, until: float) -> Turn | None:
        return await arun(self.crowd.turn(own, until), self)

    def over(self, turn: Turn, outcome: Collection[Dimension] | None) -> None:
        """See :meth:`dumper.crowd.Crowd.over`."""
        run(self.crowd.over(turn, outcome), self)

    async def aover(self, turn: Turn, outcome: Collection[Dimension] | None) -> None:
        await arun(self.crowd.over(turn, outcome), self)

    def pause(self, turn: Turn, seconds: float) -> None:
        turn.pause(seconds)

    async def apause(self, turn: Turn, seconds: float) -> None:
        await turn.apause(seconds)

    def claim(self, key: Key, holder: str, seconds: float) -> Claimed:
        with self._watch():
            return self.store.claim(key, holder, seconds)

    async def aclaim(self, key: Key, holder: str, seconds: float) -> Claimed:
        with self._watch():
            return await self.store.aclaim(key, holder, seconds)

    def unclaim(self, key: Key, holder: str, vain_for: float | None) -> None:
        with self._watch():
            self.store.unclaim(key, holder, vain_for)

    async def aunclaim(self, key: Key, holder: str, vain_for: float | None) -> None:
        with self._watch():
            await self.store.aunclaim(key, holder, vain_for)

    def noted(self, items: Sequence[Item], stored: bool) -> bool:
        """``stored``, after a note of what that ends."""
        if stored:
            for item in items:
                self.crowd.stored(item.key)
        return stored
