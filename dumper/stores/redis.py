"""A store in Redis: atomic, one round trip a look-up, nothing dead left behind.

It speaks to the server of an alias of django-redis or of Django's own RedisCache, through a connection pool of its own:
raw bytes whatever serializer the alias has, and never a wait without an end.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha1
from itertools import islice
from typing import Any, cast

import redis
from django.core.cache import BaseCache
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, NoScriptError, OutOfMemoryError, ResponseError
from redis.retry import Retry

from dumper.conf import Settings
from dumper.rules.keys import Key, tag_name
from dumper.rules.tags import SITE, Tag
from dumper.stores import scripts
from dumper.stores.base import Entries, Item, Reading, Store
from dumper.stores.entries import Entry, Hold, token

#: Tags in one command. Larger commands would make other clients of the server wait.
CHUNK = 500


def primary(cache: BaseCache) -> redis.Redis | None:
    """The client that writes for ``cache``; None where that is not one Redis server. Replicas lag, so none is asked."""
    client: Any = getattr(cache, "client", None) or getattr(cache, "_cache", None)
    try:
        found = client.get_client(write=True) if hasattr(client, "get_client") else None
    except NotImplementedError:  # django-redis, sharded
        return None
    pool = getattr(found, "connection_pool", None)
    return cast("redis.Redis", found) if type(pool) in (redis.ConnectionPool, redis.BlockingConnectionPool) else None


def own_client(client: redis.Redis, timeout: float) -> redis.Redis:
    """A client of the same server that does not decode and waits ``timeout`` seconds, unless the alias says otherwise.

    It tries a second time only where the server had closed an idle connection.
    """
    pool = client.connection_pool
    options = {"socket_timeout": timeout, "socket_connect_timeout": timeout, **pool.connection_kwargs}
    options |= {
        "decode_responses": False,
        "retry": Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
        "retry_on_timeout": False,
        "retry_on_error": [],
    }
    return redis.Redis(connection_pool=redis.ConnectionPool(connection_class=pool.connection_class, **options))


class RedisStore(Store):
    """Entries and responses as raw values in Redis."""

    atomic = True
    thread_sensitive = False

    def __init__(self, settings: Settings, cache: BaseCache, client: redis.Redis) -> None:
        self.client = own_client(client, settings.store_timeout)
        # With the alias's own prefix and version, so that sites that share a server stay apart.
        self.prefix = str(cache.make_key(settings.key_prefix))
        self.lease_ms = int(settings.lease_timeout * 1000)
        self.max_stored = settings.max_variants + 1  # and what tells in what they vary
        self.paths = self.slot(SITE) + "p"
        self.cleared = self.slot(SITE) + "c"

    def read(self, key: Key, tags: Sequence[Tag]) -> Reading:
        *values, data = cast(
            "list[bytes | None]", self.client.mget([*map(self.entry_name, tags), self.response_name(key)])
        )
        return Reading(data, {tag: Entry.parse(value) for tag, value in zip(tags, values, strict=True)})

    def entries(self, tags: Collection[Tag]) -> Entries:
        values = cast("list[bytes | None]", self.client.mget(list(map(self.entry_name, tags))))
        return {tag: Entry.parse(value) for tag, value in zip(tags, values, strict=True)}

    def lease(self, tags: Collection[Tag]) -> Entries:
        found = (value for values in self.change(scripts.LEASE, tags) for value in values)
        return {tag: Entry.parse(value) for tag, value in zip(tags, found, strict=True)}

    def write(self, items: Sequence[Item], leases: Mapping[Tag, str]) -> bool:
        path = items[0].key.path
        slot = self.slot(path)
        names = (slot + "g", slot + "v", *(slot + "r" + item.key.name for item in items))
        times = [0 if item.timeout is None else max(1, int(item.timeout * 1000)) for item in items]
        longest = 0 if 0 in times else max(times)
        arguments: list[Any] = [bytes(Entry(leases[path])), longest, self.max_stored, time.time()]
        for item, milliseconds in zip(items, times, strict=True):
            arguments += [item.data, milliseconds, item.key.name]
        commands = [
            ("EVALSHA", sha(scripts.WRITE), len(names), *names, *arguments),
            ("SADD", self.paths, tag_name(path)),
            *(("PERSIST", self.entry_name(tag)) for tag in leases if tag != path),
        ]
        stored, indexed, *_ = self.pipelined(commands)
        if isinstance(stored, NoScriptError):
            self.client.script_load(scripts.WRITE)
            stored, indexed, *_ = self.pipelined(commands)
        if isinstance(stored, Exception):
            raise stored
        if is_of_wrong_type(indexed):
            self.client.unlink(self.paths)
        return bool(stored)

    def hold(self, tags: Collection[Tag], hold: Hold) -> None:
        for _ in self.change(scripts.HOLD, tags, hold.holder, f"{hold.deadline:.3f}"):
            pass

    def release(self, tags: Collection[Tag], holder: str) -> None:
        for _ in self.change(scripts.RELEASE, tags, holder):
            pass

    def sweep(self) -> None:
        # Collected under a second name: what is stored from now on is not lost, and a killed sweep is taken up again.
        with self.client.pipeline(transaction=True) as pipe:
            pipe.sunionstore(self.cleared, [self.cleared, self.paths])
            pipe.unlink(self.paths)
            try:
                pipe.execute()
            except ResponseError as error:
                if not is_of_wrong_type(error):
                    raise
                self.client.unlink(self.cleared)
        while names := cast("list[bytes]", self.client.srandmember(self.cleared, CHUNK)):
            self.script(scripts.SWEEP, [f"{self.prefix}{{{name.decode(errors='replace')}}}g" for name in names])
            self.client.srem(self.cleared, *names)

    def change(self, script: str, tags: Collection[Tag], *arguments: str) -> Iterator[Any]:
        """Run a script on the entries of ``tags``, a chunk at a time."""
        names = iter(list(map(self.entry_name, tags)))
        while chunk := list(islice(names, CHUNK)):
            try:
                yield self.script(script, chunk, time.time(), self.lease_ms, token(), *arguments)
            except OutOfMemoryError:
                # Nothing can be written, so no response either; and one whose entry is missing is not served.
                self.client.unlink(*chunk)

    def script(self, script: str, names: Sequence[str], *arguments: Any) -> Any:
        try:
            return self.client.evalsha(sha(script), len(names), *names, *arguments)
        except NoScriptError:
            return self.client.eval(script, len(names), *names, *arguments)

    def pipelined(self, commands: Iterable[tuple[Any, ...]]) -> list[Any]:
        """The answers to ``commands``, sent in one round trip; an error is an answer too."""
        with self.client.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)  # type: ignore[no-untyped-call]
            return list(pipe.execute(raise_on_error=False))

    def slot(self, tag: Tag) -> str:
        """What the names of all that belongs to ``tag`` begin with: one slot of a Redis Cluster."""
        return f"{self.prefix}{{{tag_name(tag)}}}"

    def entry_name(self, tag: Tag) -> str:
        return self.slot(tag) + "g"

    def response_name(self, key: Key) -> str:
        return self.slot(key.path) + "r" + key.name


def is_of_wrong_type(answer: object) -> bool:
    """Whether ``answer`` says that there is garbage under the name asked for."""
    return isinstance(answer, ResponseError) and "WRONGTYPE" in str(answer)


@lru_cache
def sha(script: str) -> str:
    """How EVALSHA calls ``script``."""
    return sha1(script.encode(), usedforsecurity=False).hexdigest()
