"""One body, two drivers.

A cache does its I/O in the middle of its logic. So that there are no twin bodies, one for sync and one for async
code, the logic is a generator that yields :class:`Call`; a driver makes the call and sends the result back in.
Exceptions are thrown back in as well, so that "the store is down" is handled where it happens, once.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class Call(NamedTuple):
    """A method of the driver's target that is to be called."""

    name: str
    args: tuple[Any, ...] = ()


Steps = Generator[Call, Any, T]


def run(steps: Steps[T], target: object) -> T:
    """Drive ``steps`` to the end: each call is ``target.<name>(*args)``."""
    try:
        call = next(steps)
        while True:
            try:
                result = getattr(target, call.name)(*call.args)
            except Exception as error:
                call = steps.throw(error)
            else:
                call = steps.send(result)
    except StopIteration as stop:
        value: T = stop.value
        return value
    finally:
        steps.close()  # at once, where a call was cancelled in the middle


async def arun(steps: Steps[T], target: object) -> T:
    """Drive ``steps`` to the end: each call is ``await target.a<name>(*args)``."""
    try:
        call = next(steps)
        while True:
            try:
                result = await getattr(target, "a" + call.name)(*call.args)
            except Exception as error:
                call = steps.throw(error)
            else:
                call = steps.send(result)
    except StopIteration as stop:
        value: T = stop.value
        return value
    finally:
        steps.close()  # at once, where a call was cancelled in the middle
