"""Hits, misses, saves, invalidations and crowds: dumper beside other caches, and beside no cache at all.

All contenders take turns, round by round, in one run; the figures are medians of the rounds. CPU time is that of the
contender's process, without the servers that it stores in.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Collection

import redis

from test.servers import MemcachedServer, RedisServer
from test_project.bench import contenders, crowd, processes, report, served, targets
from test_project.bench.chart import CHART, chart
from test_project.bench.contenders import Contender
from test_project.bench.effort import FULL, QUICK, Effort
from test_project.bench.site import Addresses
from test_project.bench.tables import facts, table, write_into_readme

Choose = Callable[[list[Contender]], list[Contender]]


def measured(in_process: Choose, behind_servers: Choose, addresses: Addresses, effort: Effort) -> report.Found:
    found = report.Found()
    every = {one.name: one for one in in_process([*contenders.HITS, *contenders.MISSES])}
    with processes.called(list(every.values()), addresses) as calls, redis.Redis.from_url(addresses.redis) as client:

        def of(among: list[Contender]) -> dict[str, processes.Call]:
            return {one.name: calls[one.name] for one in in_process(among)}

        found.hits = processes.costs("hits", of(contenders.HITS), client, effort)
        found.misses = processes.costs("misses", of(contenders.MISSES), client, effort)
        found.saves = processes.costs("saves", of(contenders.SAVES), client, effort)
        changes = in_process(contenders.CHANGES)
        found.by_paths, found.by_tag = processes.invalidations(changes, calls, client, effort)
    found.gunicorn = served.rates(served.one_gunicorn, behind_servers(contenders.GUNICORN), addresses, effort)
    found.uvicorn = served.rates(served.one_uvicorn, behind_servers(contenders.UVICORN), addresses, effort)
    found.crowd = crowd.outcomes(behind_servers(contenders.SLOW), addresses, effort)
    return found


def chosen(only: re.Pattern[str] | None, names: Collection[str] | None) -> Choose:
    """Those whose names ``only`` is found in; where nobody asks for that, those of ``names``, or all."""

    def is_chosen(contender: Contender) -> bool:
        return bool(only.search(contender.name)) if only else names is None or contender.name in names

    return lambda among: [contender for contender in among if is_chosen(contender)]


def text_of(found: report.Found, effort: Effort, server: str) -> str:
    rounds = f"medians of {effort.rounds} rounds in process, of {effort.server_rounds} behind servers"
    return "\n\n".join(
        [
            f"{facts(f'Redis {server}', f'redis-py {redis.__version__}')}, all on loopback; {rounds}. CPU time of the"
            " worker's process, commands as Redis counts them, gunicorn and uvicorn in % of a bare application.",
            table(report.speed(found)),
            table(report.saves(found)),
            table(report.invalidations(found, effort.pages)),
            table(report.crowd(found, effort.visitors)),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of it, in less than a minute")
    parser.add_argument("--only", type=re.compile, help="contenders whose names this regular expression is found in")
    parser.add_argument("--readme", action="store_true", help="write the tables into the README, and docs/speed.svg")
    options = parser.parse_args()
    effort, names = (QUICK, (targets.IN_PROCESS, targets.SERVED)) if options.quick else (FULL, (None, None))
    in_process, behind_servers = (chosen(options.only, own) for own in names)
    with RedisServer() as redis_server, MemcachedServer() as memcached:
        addresses = Addresses(redis_server.url, memcached.address)
        with redis.Redis.from_url(addresses.redis) as client:
            version = client.info("server")["redis_version"]
        found = measured(in_process, behind_servers, addresses, effort)
    text = text_of(found, effort, version)
    print(text, table(targets.targets(found)), sep="\n\n")
    if options.readme:
        write_into_readme("bench", text)
        CHART.write_text(chart(found))


if __name__ == "__main__":
    main()
