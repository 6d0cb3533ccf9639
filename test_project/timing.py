import logging
import re
from time import perf_counter

from asgiref.sync import iscoroutinefunction, markcoroutinefunction

logger = logging.getLogger(__name__)


class TimingMiddleware:
    """
    Shows what the cache did and how long it took, in a header and on the console.

    Must be outermost: stored pages would otherwise keep their first timing.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request):
        if self.is_async:
            return self.__acall__(request)
        start = perf_counter()
        return report(request, self.get_response(request), start)

    async def __acall__(self, request):
        start = perf_counter()
        return report(request, await self.get_response(request), start)


def report(request, response, start):
    ms = (perf_counter() - start) * 1000
    verdict = verdict_of(response.headers.get("Cache-Status", ""))
    response.headers["Server-Timing"] = f'dumper;desc="{verdict}";dur={ms:.2f}'
    outcome = verdict if verdict in ("hit", "none") else f"miss ({verdict})"
    logger.info("%s %s  %s  %.1f ms", request.method, request.path, outcome, ms)
    return response


def verdict_of(cache_status):
    """'hit', or why the request was forwarded to the view (RFC 9211)."""
    if "; hit" in cache_status:
        return "hit"
    reason = re.search(r"fwd=([\w-]+)", cache_status)
    return reason[1] if reason else "none"
