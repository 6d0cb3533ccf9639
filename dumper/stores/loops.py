"""Round trips to a Redis server on event loops: each loop has connections of its own, which are closed with it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial
from inspect import signature
from threading import Lock
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, finalize

import redis
from redis import asyncio as aio
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, ResponseError, TimeoutError

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:  # redis-py depends on it
    from async_timeout import timeout

#: Connections of one loop. More would make a crowd wait for handshakes, and the server for its clients.
MOST = 32

Maker = Callable[[], AbstractConnection]
#: as many as there may be connections; None for one that is not made yet
Slots = asyncio.LifoQueue[AbstractConnection | None]

_PARTNERS: dict[Any, type[AbstractConnection]] = {
    redis.Connection: aio.Connection,
    redis.SSLConnection: aio.SSLConnection,
    redis.UnixDomainSocketConnection: aio.UnixDomainSocketConnection,
}
#: options for which async connections have something of their own
_OWN = {"retry", "parser_class", "command_packer", "event_dispatcher"}


def async_maker(kind: type, options: Mapping[str, Any]) -> Maker | None:
    """What makes async connections to where those of ``kind`` lead; None where they do not know all its options."""
    partner = _PARTNERS.get(kind)
    if partner is None:
        return None
    known = {name for base in partner.__mro__ for name in signature(base).parameters}
    known.discard("redis_connect_func")  # it would read from a connection of the other kind
    wanted = {name: value for name, value in options.items() if name not in _OWN and (name in known or value)}
    return partial(partner, **wanted, retry=Retry(NoBackoff(), 0)) if wanted.keys() <= known else None


class _Place(NamedTuple):
    """What belongs to one loop."""

    slots: Slots
    #: closes the connections when it is closed: by the loop at its end, or once nobody knows it any more
    guardian: AsyncGenerator[None, None]


#: Of the process that this one was forked from, and shares selectors with: what is closed here is not watched there
#: any more.
_inherited: list[object] = []


class AsyncWire:
    """Connections on all event loops of this process, each of which answers within ``seconds``."""

    def __init__(self, make: Maker, seconds: float | None) -> None:
        self._make = make
        self._seconds = seconds
        self._lock = Lock()
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._places: WeakKeyDictionary[asyncio.AbstractEventLoop, _Place] = WeakKeyDictionary()
        # Were guardians garbage together with their connections, these might be finalized first, and complain.
        self._end = finalize(self, self._places.clear)
        self._end.atexit = False

    async def send(self, data: bytes, count: int) -> list[Any]:
        """As :meth:`dumper.stores.connections.Wire.send` does it."""
        slots = await self._slots()
        connection = await self._turn(slots)
        try:
            if connection:
                try:
                    return await self._exchange(connection, data, count)
                except ConnectionError:
                    await _emptied(slots)  # the server has closed these as well, if it was restarted
            connection = self._make()
            return await self._exchange(connection, data, count)
        finally:
            slots.put_nowait(connection if connection and connection.is_connected else None)

    async def _slots(self) -> Slots:
        if self._pid != os.getpid():
            _inherited.append(self._places)
            self._end.detach()
            self._begin()
        loop = asyncio.get_running_loop()
        place = self._places.get(loop)
        if place is None:
            slots: Slots = asyncio.LifoQueue()
            for _ in range(MOST):
                slots.put_nowait(None)
            place = _Place(slots, _guardian(slots))
            await anext(place.guardian)  # the loop knows it from now on
            with self._lock:
                for other in [other for other in self._places if other.is_closed()]:
                    del self._places[other]  # connections know their loop, so nothing else would end it
                self._places[loop] = place
        return place.slots

    async def _turn(self, slots: Slots) -> AbstractConnection | None:
        if not slots.empty():
            return slots.get_nowait()
        try:
            async with timeout(self._seconds):
                return await slots.get()
        except asyncio.TimeoutError:
            raise TimeoutError("All connections are waiting for the server") from None

    async def _exchange(self, connection: AbstractConnection, data: bytes, count: int) -> list[Any]:
        try:
            if not connection.is_connected:
                await connection.connect()  # type: ignore[no-untyped-call]
                connection.socket_timeout = None  # one bound around all is cheaper than one for each step
            async with timeout(self._seconds):
                await connection.send_packed_command([data])
                return [await _answer(connection) for _ in range(count)]
        except BaseException as error:  # a task may be cancelled anywhere
            await connection.disconnect(nowait=True)  # or who comes next would read what is left
            if isinstance(error, asyncio.TimeoutError):
                raise TimeoutError("The server does not answer") from None
            raise


async def _answer(connection: AbstractConnection) -> Any:
    try:
        return await connection.read_response(disable_decoding=True)
    except ResponseError as error:
        return error


async def _emptied(slots: Slots) -> None:
    idle = [slots.get_nowait() for _ in range(slots.qsize())]
    for connection in idle:
        slots.put_nowait(None)
        if connection:
            await connection.disconnect(nowait=True)


async def _guardian(slots: Slots) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        idle = [connection for _ in range(slots.qsize()) if (connection := slots.get_nowait())]
        await asyncio.gather(*(connection.disconnect() for connection in idle), return_exceptions=True)
