"""What a Redis server tells this process of the keys that change, on a connection of its own.

    feed = Feed(connect, b"prefix:", 1.0, forget)
    if feed.is_current():
        ...  # whatever had changed a second ago has been forgotten

There is no thread that listens: each question takes from the socket what has arrived, and does not wait for more.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from time import monotonic
from weakref import WeakSet

import redis

from dumper.near.link import Forget, Link, Lost, Refused
from dumper.near.resp import Garbage
from dumper.threads import started

logger = logging.getLogger("dumper.store")

#: At least so long lies between two tries to connect, in seconds.
RETRY_DELAY = 1.0
#: The same where the server does not take part.
REFUSED_DELAY = 300.0


class Feed:
    """Passes on to ``forget`` which keys under ``prefix`` have changed, were removed, evicted or have expired.

    ``connect`` makes a connection of protocol 3 that is connected, and may take its time; it is called in a thread.
    ``bound`` is in seconds. ``forget`` is called inside of is_current(), of one thread at a time, and must not call
    the feed.
    """

    def __init__(self, connect: Callable[[], redis.Connection], prefix: bytes, bound: float, forget: Forget) -> None:
        self._connect = connect
        self._prefix = prefix
        self._bound = bound
        self._forget = forget
        self._is_closed = False
        self._was_refused = False
        self._link: Link | None = None
        self._reset()
        _feeds.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._is_trying = False
        self._retry_at = 0.0

    def is_current(self) -> bool:
        """Whether all that the server had made known ``bound`` seconds ago has been forgotten, and all that is here.

        It never waits for the network. Where the answer is no, it sees to it that it soon may be yes.
        """
        with self._lock:
            if self._link is None:
                self._try()
                return False
            try:
                return self._link.is_current()
            except Refused as error:
                self._refused(error)
                self._drop()
            except (OSError, Lost, Garbage) as error:
                logger.warning("The near cache has lost its connection and forgets all: %s", error)
                self._drop()
                self._try()
            except BaseException:  # of forget, or of a signal: a change may have been read and not passed on
                self._drop()
                raise
            return False

    def close(self) -> None:
        """From now on nothing is current."""
        with self._lock:
            self._is_closed = True
            if self._link:
                self._drop()

    def _drop(self) -> None:
        link, self._link = self._link, None
        assert link
        link.close()
        self._forget(None)

    def _refused(self, error: Exception) -> None:
        self._retry_at = monotonic() + REFUSED_DELAY
        if not self._was_refused:
            self._was_refused = True
            logger.error("The server does not tell of changes, so the near cache asks it for each page: %s", error)

    def _try(self) -> None:
        """Begin to connect, unless that has just been tried."""
        now = monotonic()
        if not self._is_closed and not self._is_trying and now >= self._retry_at:
            self._retry_at = now + RETRY_DELAY
            self._is_trying = started("feed", self._make_link) is not None

    def _make_link(self) -> None:
        link = None
        try:
            link = Link(self._connect(), self._prefix, self._bound, self._forget)
        except redis.ResponseError as error:
            self._refused(error)
        except (OSError, redis.RedisError):
            pass  # it is tried again; whoever asks the store meanwhile says that it does not answer
        finally:
            with self._lock:
                self._is_trying = False
                self._link = link
                if self._is_closed and link:
                    self._drop()

    def _after_fork(self) -> None:
        """The connection is the parent's: the child only closes what it has inherited of it, and makes its own."""
        link, self._link = self._link, None
        self._reset()
        if link:
            link.close()


_feeds: WeakSet[Feed] = WeakSet()


def _after_fork() -> None:
    for feed in list(_feeds):
        feed._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
