"""How old what a feed calls current may be, while another process changes it all the time."""

import json
import subprocess
import sys
import time
from bisect import bisect
from collections import defaultdict

import pytest
import redis

from test.near.feeds import Watched
from test.near.proxy import Proxy

pytestmark = pytest.mark.slow

NAMES = [f"p:{number}" for number in range(20)]
SECONDS = 3
#: Writes numbers, and says in the end when each was taken by the server.
WRITER = """
import json, sys, time
import redis
port, pause, *names = sys.argv[1:]
client = redis.Redis(port=int(port))
taken = []
deadline = time.monotonic() + 30
while not (client.get("q:stop") or time.monotonic() > deadline):
    for name in names:
        client.set(name, len(taken))
        taken.append((name, time.monotonic()))
        time.sleep(float(pause))
print(json.dumps(taken))
"""


class Copies(Watched):
    """Copies of values that are read while the feed says that they are current."""

    def __init__(self, port, bound):
        self.copies = {}
        super().__init__(port, bound)

    def hear(self, names):
        if names is None:
            self.copies.clear()
        else:
            for name in names:
                self.copies.pop(name.decode(), None)


@pytest.mark.parametrize("pause", [0, 0.001], ids=["without a pause", "a thousand times a second"])
@pytest.mark.parametrize("delay", [0, 0.02, 0.6], ids=["near", "far", "farther than the bound"])
def test_no_copy_is_older_than_the_bound(redis_server, delay, pause):
    bound = 0.4
    command = [sys.executable, "-c", WRITER, str(redis_server.port), str(pause), *NAMES]
    with Proxy(redis_server.port) as proxy, redis.Redis(port=redis_server.port) as client:
        client.flushall()
        proxy.delay = delay
        writer = subprocess.Popen(command, stdout=subprocess.PIPE)
        feed = Copies(proxy.port if delay else redis_server.port, bound)
        answers = read(feed, client)
        client.set("q:stop", 1)
        taken = json.loads(writer.communicate(timeout=60)[0])
        feed.close()
    times = defaultdict(list)
    for number, (name, moment) in enumerate(taken):
        times[name].append((number, moment))
    oldest, stale = 0.0, 0
    for asked_at, name, number in answers:
        written = times[name]
        newer = bisect(written, number, key=lambda one: one[0])
        if newer < len(written) and written[newer][1] < asked_at:
            stale += 1
            oldest = max(oldest, asked_at - written[newer][1])
    print(f"{len(answers)} answers, {len(taken)} writes, {stale} stale, the oldest for {oldest:.6f} s")
    assert oldest <= bound
    assert taken
    assert bool(answers) == (delay < bound)


def read(feed, client):
    """All that was answered from a copy: when, of what, and what."""
    answers = []
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        for name in NAMES:
            asked_at = time.monotonic()
            if feed.is_current() and name in feed.copies:
                answers.append((asked_at, name, feed.copies[name]))
            elif (value := client.get(name)) is not None:
                feed.copies[name] = int(value)
    return answers
