"""Round trips to a Redis server, without redis-py's client, which costs more than the round trip.

redis-py's connections connect, authenticate and parse. What is sent was packed before, for sync and async code alike,
and has to be such that it may be sent twice: a connection that the server has closed while it was idle is replaced.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import redis
from asgiref.sync import sync_to_async
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, ResponseError
from redis.retry import Retry

from dumper.stores.loops import AsyncWire, async_maker

Command = Sequence[str | bytes | int | float]
Answers = list[Any]

#: How the options begin that a pool adds for its own connections.
_OF_POOLS = ("himport_", "maint", "orig_", "oss_")


def packed(*commands: Command) -> tuple[bytes, int]:
    """``commands`` as the server reads them, and how many answers are to come: what :meth:`Wire.send` takes."""
    parts = []
    for command in commands:
        parts.append(b"*%d\r\n" % len(command))
        for word in command:
            data = word if isinstance(word, bytes) else str(word).encode()
            parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts), len(commands)


class Wire:
    """Connections to the server of ``pool``, with its options: for all threads, event loops and forks."""

    def __init__(self, pool: redis.ConnectionPool) -> None:
        given = pool.connection_kwargs
        options = {name: value for name, value in given.items() if not name.startswith(_OF_POOLS)}
        self._make = partial(pool.connection_class, **(options | {"retry": Retry(NoBackoff(), 0)}))
        make_async = async_maker(pool.connection_class, options)
        self._async = make_async and AsyncWire(make_async, options["socket_timeout"])
        #: the one used last comes first; a list's append() and pop() need no lock
        self._idle: list[redis.Connection] = []
        self._pid = os.getpid()

    def listening(self) -> redis.Connection:
        """A new connection, in the protocol in which the server tells of changes (RESP3).

        Raises redis.RedisError where the server does not answer.
        """
        connection: redis.Connection = self._make(protocol=3)
        connection.connect()  # type: ignore[no-untyped-call]
        return connection

    def send(self, data: bytes, count: int) -> Answers:
        """The ``count`` answers to ``data``, in one round trip; an error is an answer too.

        Raises redis.RedisError where the server does not answer.
        """
        if self._pid != os.getpid():
            self._idle, self._pid = [], os.getpid()
        try:
            connection = self._idle.pop()
        except IndexError:
            return self._exchange(self._make(), data, count)
        try:
            return self._exchange(connection, data, count)
        except ConnectionError:
            self._idle = []  # the server has closed these as well, if it was restarted
        return self._exchange(self._make(), data, count)

    async def asend(self, data: bytes, count: int) -> Answers:
        """The same for async code; in a thread where the alias has options that async connections do not know."""
        if self._async:
            return await self._async.send(data, count)
        return await sync_to_async(self.send, thread_sensitive=False)(data, count)

    def _exchange(self, connection: redis.Connection, data: bytes, count: int) -> Answers:
        try:
            connection.send_packed_command([data])  # type: ignore[no-untyped-call]
            answers = [_answer(connection) for _ in range(count)]
        except BaseException:
            connection.disconnect()  # type: ignore[no-untyped-call]  # or who comes next would read what is left
            raise
        self._idle.append(connection)
        return answers


def _answer(connection: redis.Connection) -> Any:
    try:
        return connection.read_response(disable_decoding=True)
    except ResponseError as error:
        return error


def sound(answer: Any) -> Any:
    """``answer``. Raises it if it is an error."""
    if isinstance(answer, Exception):
        raise answer
    return answer


def is_of_wrong_type(answer: object) -> bool:
    """Whether ``answer`` says that there is garbage under the name asked for."""
    return isinstance(answer, ResponseError) and "WRONGTYPE" in str(answer)
