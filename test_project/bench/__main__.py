"""CPU time and store round trips of a hit.

All contenders take turns, round by round, in one process; the figures are medians of the rounds. A request is a call of
Django's WSGI handler. CPU time is that of this process, without the Redis server.
"""

from __future__ import annotations

import argparse
import time
from statistics import median
from typing import Any

from test.servers import RedisServer
from test_project.bench.site import BASELINE, CONTENDERS, Contender, configure
from test_project.bench.tables import facts, table, write_into_readme

REQUESTS = 200  # a round


class Runner:
    """Sends requests for a contender's page through its own handler."""

    def __init__(self, contender: Contender, redis: Any) -> None:
        from django.core.handlers.wsgi import WSGIHandler
        from django.test import RequestFactory, override_settings

        self.contender = contender
        self.redis = redis
        self.override = override_settings(**contender.settings)
        self.environ = RequestFactory().get(contender.page, headers={"accept-encoding": contender.accepts}).environ
        with self.override:
            self.handler = WSGIHandler()

    def request(self) -> None:
        response = self.handler(dict(self.environ), lambda status, headers: None)
        b"".join(response)
        response.close()

    def commands(self) -> int:
        """How many commands Redis has been sent so far."""
        return int(self.redis.info("stats")["total_commands_processed"])

    def round(self) -> tuple[float, float]:
        """CPU microseconds and Redis commands a request."""
        count = REQUESTS if self.contender.name != "no cache" else 10
        with self.override:
            self.request()
            commands, start = self.commands(), time.process_time()
            for _ in range(count):
                self.request()
            spent = time.process_time() - start
            # The question itself is a command too.
            return spent / count * 1e6, (self.commands() - commands - 1) / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--readme", action="store_true", help="write the table into the README")
    options = parser.parse_args()
    with RedisServer() as server:
        configure(server.url)
        import redis

        client = redis.Redis.from_url(server.url)
        runners = [Runner(contender, client) for contender in CONTENDERS]
        rounds = [[runner.round() for runner in runners] for _ in range(options.rounds + 1)][1:]  # the first warms up
        client.close()
    found = {
        runner.contender.name: (median(one[0] for one in own), median(one[1] for one in own))
        for runner, own in zip(runners, zip(*rounds, strict=True), strict=True)
    }
    base = found[BASELINE.name][0]
    rows = [("a hit", "CPU µs", "× Django's pair on django-redis", "Redis commands")]
    rows += [(name, f"{cpu:,.0f}", f"{base / cpu:.2f}", f"{commands:.0f}") for name, (cpu, commands) in found.items()]
    text = (
        f"{facts()}, redis-py {redis.__version__}, Redis on loopback;"
        f" medians of {options.rounds} rounds. The more × the better.\n\n{table(rows)}"
    )
    print(text)
    if options.readme:
        write_into_readme("bench", text)


if __name__ == "__main__":
    main()
