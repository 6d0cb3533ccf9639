"""Claims in Redis: who renders what, so that no other process does at the same time."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from redis.exceptions import OutOfMemoryError

from dumper.crowd import VAIN
from dumper.rules.frames import IDENTITY
from dumper.rules.keys import Key
from dumper.rules.tags import Tag
from dumper.steps import Steps, arun, run
from dumper.stores.base import Claimed, Store
from dumper.stores.connections import Wire

# KEYS: a claim, the response. ARGV: the holder, ms. Returns who holds it and, to that one, how the response begins.
CLAIM = f"""
local holder = redis.pcall('GET', KEYS[1])
if type(holder) == 'string' and holder ~= ARGV[1] then return {{holder, false}} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local first = redis.pcall('GETRANGE', KEYS[2], 0, {IDENTITY - 1})
return {{ARGV[1], type(first) == 'string' and first}}
"""

# KEYS: a claim. ARGV: the holder, what comes in its place, ms for which it does; 0 is nothing.
UNCLAIM = """
if tonumber(ARGV[3]) > 0 then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
elseif redis.pcall('GET', KEYS[1]) == ARGV[1] then
  redis.call('UNLINK', KEYS[1])
end
"""


class Claims(Store):
    """What the store in Redis does about claims."""

    wire: Wire

    @abstractmethod
    def script(self, script: str, names: Sequence[str], *arguments: Any) -> Steps[Any]: ...

    @abstractmethod
    def slot(self, tag: Tag) -> str: ...

    @abstractmethod
    def response_name(self, key: Key) -> str: ...

    def claim(self, key: Key, holder: str, seconds: float) -> Claimed:
        return run(self.claiming(key, holder, seconds), self.wire)

    async def aclaim(self, key: Key, holder: str, seconds: float) -> Claimed:
        return await arun(self.claiming(key, holder, seconds), self.wire)

    def unclaim(self, key: Key, holder: str, vain_for: float | None) -> None:
        run(self.unclaiming(key, holder, vain_for), self.wire)

    async def aunclaim(self, key: Key, holder: str, vain_for: float | None) -> None:
        await arun(self.unclaiming(key, holder, vain_for), self.wire)

    def claiming(self, key: Key, holder: str, seconds: float) -> Steps[Claimed]:
        names = (self.claim_name(key), self.response_name(key))
        try:
            found, first = yield from self.script(CLAIM, names, holder, milliseconds(seconds))
        except OutOfMemoryError:
            return Claimed(holder, None)  # nothing will be stored either: each process for itself
        return Claimed(found.decode(errors="replace"), first or None)

    def unclaiming(self, key: Key, holder: str, vain_for: float | None) -> Steps[None]:
        lasting = 0 if vain_for is None else milliseconds(vain_for)
        yield from self.script(UNCLAIM, [self.claim_name(key)], holder, VAIN, lasting)

    def claim_name(self, key: Key) -> str:
        return self.slot(key.path) + "w" + key.name


def milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
