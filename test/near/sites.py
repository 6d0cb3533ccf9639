"""A site in front of a near cache, and what its store is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.test import override_settings
from django.utils import timezone, translation

from dumper import near, stores
from test.http import urls
from test.http.doors import DOORS, Answer
from test.middleware.stacks import FETCH, UPDATE

#: Who asks through the door of WSGI, or the pair where no door is open.
ask = DOORS["wsgi door"]
PATH = "/page/"
_METHODS = ("read", "confirm", "entries", "lease", "write", "hold", "release")


@contextmanager
def site(**settings: Any) -> Iterator[None]:
    """Each page shows its path and which render it is, unless a test puts another view into ``urls.views``."""
    changed = {"ROOT_URLCONF": "test.http.urls", "MIDDLEWARE": [UPDATE, FETCH], **settings}
    with override_settings(**changed), translation.override("en"), timezone.override("UTC"):
        urls.views[""] = urls.page(shows=lambda request: request.path)
        yield
        urls.views.clear()
        near.current().close()


@contextmanager
def asked() -> Iterator[list[str]]:
    """What the store is asked meanwhile, by sync code or async."""
    store, names, depth = stores.current().store, [], 0

    def noting(name: str) -> Callable[..., Any]:
        method = getattr(store, name)

        def noted(*args: Any) -> Any:
            nonlocal depth
            if not depth:
                names.append(name)
            depth += 1
            try:
                return method(*args)
            finally:
                depth -= 1

        return noted

    for name in _METHODS:
        setattr(store, name, noting(name))
    yield names
    for name in _METHODS:
        delattr(store, name)


def remembered(path: str = PATH, headers: dict[str, str] | None = None) -> Answer:
    """An answer that is stored, and of which this process keeps a copy that it has looked at."""
    stored = ask(path, headers)
    assert stored.is_stored, stored
    assert ask(path, headers).is_hit
    with asked() as names:
        answer = ask(path, headers)
    assert answer.is_hit
    assert answer.body == stored.body
    assert "read" not in names
    return answer
