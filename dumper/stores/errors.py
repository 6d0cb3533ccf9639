"""What becomes of what goes wrong with a store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dumper.exceptions import StoreError

logger = logging.getLogger("dumper.store")


@contextmanager
def store_errors(tell: Callable[[Exception], None]) -> Iterator[None]:
    """Turn whatever goes wrong inside into a StoreError."""
    try:
        yield
    except Exception as error:
        tell(error)
        raise StoreError(named(error)) from error


def named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def refused(error: Exception) -> None:
    """A response that is not taken may be too large: that says nothing about the store's health."""
    logger.warning("The store did not take a response: %s", named(error))
