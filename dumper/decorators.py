"""Decorators for views: functions, methods of classes (through ``method_decorator``), sync and async."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar

from asgiref.sync import iscoroutinefunction
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from dumper.dependencies import adepends_on, depends_on, forbid
from dumper.rules.headers import TARGETED

View = TypeVar("View", bound=Callable[..., Any])


def never_store(view: View) -> View:
    """The answers of ``view`` are not stored; what browsers and other caches may do does not change."""

    def finish(response: HttpResponseBase | None) -> None:
        if response is None:  # what Django makes of an exception has no mark of the view's
            forbid("never_store")
        else:
            response.headers[TARGETED] = "no-store"

    return _decorated(view, (), finish)


def store(
    *, timeout: int | None = None, vary_on: Iterable[str] = (), tags: Iterable[str] = ()
) -> Callable[[View], View]:
    """How the answers of a view are stored.

    ``timeout`` is in seconds, and counts more than what the view says in Cache-Control, even if that is ``private``
    (RFC 9213 §2.2). ``vary_on`` names header fields, which are added to Vary. ``tags`` are depended on before the view
    is called. Raises TypeError for a single str, ValueError for a timeout below 0.
    """
    if isinstance(vary_on, str) or isinstance(tags, str):
        raise TypeError("vary_on and tags take a list of names")
    if timeout is not None and timeout < 0:
        raise ValueError("timeout is a number of seconds, 0 or more")
    fields, names = tuple(vary_on), tuple(tags)

    def finish(response: HttpResponseBase | None) -> None:
        if response is None:
            return
        if fields:
            patch_vary_headers(response, fields)
        if timeout is not None:
            response.headers.setdefault(TARGETED, f"max-age={int(timeout)}")

    return lambda view: _decorated(view, names, finish)


def _decorated(view: View, tags: tuple[str, ...], finish: Callable[[HttpResponseBase | None], None]) -> View:
    """``view``, which depends on ``tags``, and whose responses ``finish`` sees; None where it raises instead."""
    decorated: Any
    if iscoroutinefunction(view):

        @wraps(view)
        async def decorated(*args: Any, **kwargs: Any) -> Any:
            if tags:
                await adepends_on(*tags)
            response = None
            try:
                response = await view(*args, **kwargs)
            finally:
                finish(response)
            return response

    else:

        @wraps(view)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            if tags:
                depends_on(*tags)
            response = None
            try:
                response = view(*args, **kwargs)
            finally:
                finish(response)
            return response

    return decorated  # type: ignore[no-any-return]
