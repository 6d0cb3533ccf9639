"""A store in Redis: atomic, one round trip a look-up, nothing dead left behind.

It speaks to the server of an alias of django-redis or of Django's own RedisCache, through a connection pool of its own:
raw bytes whatever serializer the alias has, and never a wait without an end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha1
from itertools import islice
from typing import Any, NamedTuple, cast

import redis
from django.core.cache import BaseCache
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, NoScriptError, OutOfMemoryError, ResponseError
from redis.retry import Retry

from dumper.conf import Settings
from dumper.rules.frames import IDENTITY
from dumper.rules.keys import Key, tag_name
from dumper.rules.tags import SITE, Tag
from dumper.steps import Call, Steps, arun, run
from dumper.stores import scripts
from dumper.stores.base import Entries, Item, Proof, Reading
from dumper.stores.claims import Claims
from dumper.stores.connections import Wire, is_of_wrong_type, packed, sound
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


class RedisStore(Claims):
    """Entries and responses as raw values in Redis."""

    atomic = True
    thread_sensitive = False

    def __init__(self, settings: Settings, cache: BaseCache, client: redis.Redis) -> None:
        self.client = own_client(client, settings.store_timeout)
        self.wire = Wire(self.client.connection_pool)
        # With the alias's own prefix and version, so that sites that share a server stay apart.
        self.prefix = str(cache.make_key(settings.key_prefix))
        self.lease_ms = int(settings.lease_timeout * 1000)
        self.max_stored = settings.max_variants + 1  # and what tells in what they vary
        self.spare_ms = int(settings.spare_time * 1000)
        self.paths = self.slot(SITE) + "p"
        self.cleared = self.slot(SITE) + "c"

    def read(self, key: Key, tags: Sequence[Tag]) -> Reading:
        return run(self.reading(key, tags), self.wire)

    async def aread(self, key: Key, tags: Sequence[Tag]) -> Reading:
        return await arun(self.reading(key, tags), self.wire)

    def confirm(self, proof: Proof) -> bool:
        prepared = self.prepared(proof)
        return self.wire.send(prepared.data, prepared.answers) == prepared.expected

    async def aconfirm(self, proof: Proof) -> bool:
        prepared = self.prepared(proof)
        return await self.wire.asend(prepared.data, prepared.answers) == prepared.expected

    def entries(self, tags: Collection[Tag]) -> Entries:
        return run(self.looking_up(tags), self.wire)

    async def aentries(self, tags: Collection[Tag]) -> Entries:
        return await arun(self.looking_up(tags), self.wire)

    def lease(self, tags: Collection[Tag]) -> Entries:
        return run(self.leasing(tags), self.wire)

    async def alease(self, tags: Collection[Tag]) -> Entries:
        return await arun(self.leasing(tags), self.wire)

    def write(self, items: Sequence[Item], leases: Mapping[Tag, str]) -> bool:
        return run(self.writing(items, leases), self.wire)

    async def awrite(self, items: Sequence[Item], leases: Mapping[Tag, str]) -> bool:
        return await arun(self.writing(items, leases), self.wire)

    def hold(self, tags: Collection[Tag], hold: Hold) -> None:
        run(self.change(scripts.HOLD, tags, hold.holder, f"{hold.deadline:.3f}"), self.wire)

    def release(self, tags: Collection[Tag], holder: str) -> None:
        run(self.change(scripts.RELEASE, tags, holder, self.spare_ms), self.wire)

    def reading(self, key: Key, tags: Sequence[Tag]) -> Steps[Reading]:
        *values, data = yield from self.asked("MGET", *map(self.entry_name, tags), self.response_name(key))
        return Reading(data, {tag: Entry.parse(value) for tag, value in zip(tags, values, strict=True)})

    def looking_up(self, tags: Collection[Tag]) -> Steps[Entries]:
        values = yield from self.asked("MGET", *map(self.entry_name, tags))
        return {tag: Entry.parse(value) for tag, value in zip(tags, values, strict=True)}

    def leasing(self, tags: Collection[Tag]) -> Steps[Entries]:
        values = yield from self.change(scripts.LEASE, tags)
        return {tag: Entry.parse(value) for tag, value in zip(tags, values, strict=True)}

    def writing(self, items: Sequence[Item], leases: Mapping[Tag, str]) -> Steps[bool]:
        path = items[0].key.path
        slot = self.slot(path)
        names = (slot + "g", slot + "v", *(slot + "r" + item.key.name for item in items))
        times = [0 if item.timeout is None else max(1, int(item.timeout * 1000)) for item in items]
        longest = 0 if 0 in times else max(times)
        arguments: list[Any] = [bytes(Entry(leases[path])), longest, self.max_stored, time.time()]
        for item, milliseconds in zip(items, times, strict=True):
            arguments += [item.data, milliseconds, item.key.name]
        sent = packed(
            ("EVALSHA", sha(scripts.WRITE), len(names), *names, *arguments),
            ("SADD", self.paths, tag_name(path)),
            *(("PERSIST", self.entry_name(tag)) for tag in leases if tag != path),
        )
        stored, indexed, *_ = yield Call("send", sent)
        if isinstance(stored, NoScriptError):
            yield from self.asked("SCRIPT", "LOAD", scripts.WRITE)
            stored, indexed, *_ = yield Call("send", sent)
        if is_of_wrong_type(indexed):
            yield from self.asked("UNLINK", self.paths)
        return bool(sound(stored))

    def prepared(self, proof: Proof) -> Prepared:
        """What is sent to confirm ``proof``, and what has to be the answer; made at the first time."""
        found = proof.prepared
        if found is None or found.store is not self:
            data, count = packed(
                ("MGET", *map(self.entry_name, proof.generations)),
                *(("GETRANGE", self.response_name(key), 0, IDENTITY - 1) for key in proof.identities),
            )
            entries = [bytes(Entry(generation)) for generation in proof.generations.values()]
            found = proof.prepared = Prepared(self, data, count, [entries, *proof.identities.values()])
        return cast("Prepared", found)

    def names(self, tags: Iterable[Tag], keys: Iterable[Key]) -> list[bytes]:
        return [name.encode() for name in (*map(self.entry_name, tags), *map(self.response_name, keys))]

    def listener(self) -> tuple[Callable[[], Any], bytes]:
        return self.wire.listening, self.prefix.encode()

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
            slots = [f"{self.prefix}{{{name.decode(errors='replace')}}}g" for name in names]
            run(self.script(scripts.SWEEP, slots, self.spare_ms), self.wire)
            self.client.srem(self.cleared, *names)

    def change(self, script: str, tags: Collection[Tag], *arguments: str | int) -> Steps[list[Any]]:
        """Run a script on the entries of ``tags``, a chunk at a time; return what it returns for each, if anything."""
        names = iter(list(map(self.entry_name, tags)))
        found: list[Any] = []
        while chunk := list(islice(names, CHUNK)):
            try:
                found += (yield from self.script(script, chunk, time.time(), self.lease_ms, token(), *arguments)) or ()
            except OutOfMemoryError:
                # Nothing can be written, so no response either; and one whose entry is missing is not served.
                yield from self.asked("UNLINK", *chunk)
                found += [None] * len(chunk)
        return found

    def script(self, script: str, names: Sequence[str], *arguments: Any) -> Steps[Any]:
        try:
            return (yield from self.asked("EVALSHA", sha(script), len(names), *names, *arguments))
        except NoScriptError:
            return (yield from self.asked("EVAL", script, len(names), *names, *arguments))

    def asked(self, *command: Any) -> Steps[Any]:
        """The answer to ``command``. Raises redis.ResponseError for an error."""
        [answer] = yield Call("send", packed(command))
        return sound(answer)

    def slot(self, tag: Tag) -> str:
        """What the names of all that belongs to ``tag`` begin with: one slot of a Redis Cluster."""
        return f"{self.prefix}{{{tag_name(tag)}}}"

    def entry_name(self, tag: Tag) -> str:
        return self.slot(tag) + "g"

    def response_name(self, key: Key) -> str:
        return self.slot(key.path) + "r" + key.name


class Prepared(NamedTuple):
    """How ``store`` confirms a proof."""

    store: RedisStore
    data: bytes
    answers: int
    expected: list[Any]


@lru_cache
def sha(script: str) -> str:
    """How EVALSHA calls ``script``."""
    return sha1(script.encode(), usedforsecurity=False).hexdigest()
