"""Hits, misses, saves and invalidations, each contender in a process of its own; the contenders take turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing import get_context
from statistics import median
from typing import Any, NamedTuple

import redis

from test_project.bench import worker
from test_project.bench.contenders import Contender
from test_project.bench.effort import Effort
from test_project.bench.site import Addresses

#: how many of what is timed are watched for their commands
COUNTED = 20
MARK = "end of what is counted"


class Figure(NamedTuple):
    """A median, and how many commands Redis was sent for it; None where that is not Redis's business."""

    value: float
    commands: float | None = None


Figures = dict[str, Figure]
Call = Callable[..., Any]


@contextmanager
def called(among: list[Contender], addresses: Addresses) -> Iterator[dict[str, Call]]:
    """By name of the contender, what calls a method of its process's :class:`~test_project.bench.worker.Site`."""
    with ExitStack() as stack:
        pools = {}
        for contender in among:
            pools[contender.name] = ProcessPoolExecutor(1, get_context("spawn"), worker.begin, (contender, addresses))
            stack.callback(pools[contender.name].shutdown)
        for started in [pool.submit(bool) for pool in pools.values()]:
            started.result()
        yield {name: partial(_call, pool) for name, pool in pools.items()}


def _call(pool: ProcessPoolExecutor, *args: Any) -> Any:
    return pool.submit(worker.call, *args).result()


def costs(action: str, calls: dict[str, Call], client: redis.Redis, effort: Effort) -> Figures:
    """CPU µs of hits, misses or saves, and the commands of one."""
    for own in calls.values():
        own("prepare", action)
    rounds = [[own("spent", action, effort.seconds) for own in calls.values()] for _ in range(effort.rounds)]
    figures = {}
    for (name, own), values in zip(calls.items(), zip(*rounds, strict=True), strict=True):
        own("prepare", action)
        commands = commands_of(client, partial(own, action, COUNTED))
        figures[name] = Figure(median(values), commands / COUNTED)
    return figures


def invalidations(
    among: list[Contender], calls: dict[str, Call], client: redis.Redis, effort: Effort
) -> tuple[Figures, Figures]:
    """Milliseconds that it takes to invalidate ``effort.pages`` stored pages: by their paths, and by a tag of all."""
    by_paths: Figures = {}
    by_tag: Figures = {}
    for contender in among:
        own = calls[contender.name]
        own("fill", effort.pages)
        if contender.is_dumper:
            by_tag[contender.name] = _invalidation("invalidate_tag", own, client, effort.pages)
        by_paths[contender.name] = _invalidation("invalidate_paths", own, client, effort.pages)
        own("clear")
    return by_paths, by_tag


def _invalidation(method: str, own: Call, client: redis.Redis, pages: int) -> Figure:
    """Timed once, and counted another time: to be watched costs Redis time."""
    spent = own(method, pages)
    for path in worker.tagged(pages)[-3:]:
        own("expect", path, 1)
    return Figure(spent, commands_of(client, partial(own, method, pages)))


def commands_of(client: redis.Redis, action: Callable[[], object]) -> int:
    """How many commands clients send to Redis while ``action`` runs; what scripts call there is not counted."""
    with client.client() as marker:  # connected before it is watched
        marker.ping()
        with client.monitor() as monitor:
            action()
            marker.echo(MARK)
            count = 0
            while MARK not in (command := monitor.next_command())["command"]:
                count += command["client_type"] != "lua"
            return count
