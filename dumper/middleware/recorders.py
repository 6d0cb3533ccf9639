"""The mappings through which a request is read, with a note of each reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator, KeysView, Mapping
from sys import _getframe
from typing import Any, TypeVar

from django.http import QueryDict
from django.http.request import HttpHeaders

from dumper.middleware.notes import Notes
from dumper.rules import dimensions

T = TypeVar("T", bound=type)


def noting(base: type, names: str) -> Callable[[T], T]:
    """Have the methods ``names`` of ``base``, by which all of it is read, note that."""

    def method_of(name: str) -> Callable[..., Any]:
        def method(self: Any, *args: Any) -> Any:
            self.note_all()
            return getattr(base, name)(self, *args)

        return method

    def decorated(recorder: T) -> T:
        for name in names.split():
            setattr(recorder, name, method_of(name))
        return recorder

    return decorated


@noting(dict, "__iter__ __len__ __eq__ __ne__ __or__ __ror__ __repr__ __reversed__ copy items keys popitem values")
class Recorder(dict[str, Any]):
    """A dict that notes what is read of it. What is written to it stays in it."""

    def __init__(self, content: Mapping[str, Any], notes: Notes) -> None:
        super().__init__(content)
        self.notes = notes

    def note(self, name: str) -> None:
        raise NotImplementedError

    def note_all(self) -> None:
        raise NotImplementedError

    def __getitem__(self, name: str) -> Any:
        self.note(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.note(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.note(name)
        return super().get(name, default)

    def pop(self, name: str, *default: Any) -> Any:
        self.note(name)
        return super().pop(name, *default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        self.note(name)
        return super().setdefault(name, default)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """A copy is a plain dict."""
        return dict, (self.copy(),)


class Meta(Recorder):
    """``request.META``."""

    def note(self, name: str) -> None:
        self.notes.meta(name)

    def note_all(self) -> None:
        self.notes.everything()

    def __getitem__(self, name: str) -> Any:
        if name == "CSRF_COOKIE":
            self.notes.token()
        return super().__getitem__(name)

    def update(self, *args: Any, **kwargs: Any) -> None:
        super().update(*args, **kwargs)
        if args and "CSRF_COOKIE" in args[0]:
            self.notes.token()


class Scope(Recorder):
    """``request.scope`` of ASGI, where what META has is found once more, and what other applications have added."""

    def note(self, name: str) -> None:
        if name == "query_string":
            self.notes.meta("QUERY_STRING")
        elif name not in ("type", "asgi", "method", "scheme", "path", "root_path"):
            self.note_all()

    def note_all(self) -> None:
        self.notes.everything()


class Cookies(Recorder):
    """``request.COOKIES``."""

    def note(self, name: str) -> None:
        self.notes.cookie(name)

    def note_all(self) -> None:
        self.notes.cookies()


@noting(HttpHeaders, "__iter__ __len__ __repr__")
class Headers(HttpHeaders):
    """``request.headers``."""

    def __init__(self, environ: Mapping[str, Any], notes: Notes) -> None:
        super().__init__(dict(environ))
        self.notes = notes

    def note_all(self) -> None:
        self.notes.everything()

    def __getitem__(self, name: str) -> str:
        self.notes.header(self.to_wsgi_name(name))
        value: str = super().__getitem__(name)
        return value

    @staticmethod
    def to_wsgi_name(header: str) -> str:
        """The name of ``header`` in META; with underscores, as templates write it, it is the same field."""
        name = header.replace("-", "_").upper()
        return name if name in HttpHeaders.UNPREFIXED_HEADERS else HttpHeaders.HTTP_PREFIX + name

    def __reduce_ex__(self, protocol: Any) -> Any:
        """A copy is one of Django's."""
        return HttpHeaders, ({self.to_wsgi_name(name): value for name, value in self.items()},)


def _itself(query: QueryDict) -> QueryDict:
    return query


def _place() -> tuple[int, int]:
    """The step of the code that calls the method this is called from."""
    frame = _getframe(2)
    return id(frame), frame.f_lasti


class _Names(KeysView[str]):
    """The names of the parameters of a query."""

    def __iter__(self) -> Iterator[str]:
        query: Any = self._mapping  # type: ignore[attr-defined]
        yield from dict.__iter__(query)
        query.listed = _place()


@noting(QueryDict, "__iter__ __len__ __eq__ __ne__ __reversed__ items values lists dict pop popitem urlencode")
class Query(QueryDict):
    """``request.GET``. An instance is made of one of Django's, which has read the query string in its own way."""

    notes: Notes
    #: where in some code all names were read last
    listed: tuple[int, int] | None = None

    @classmethod
    def of(cls, query: QueryDict, notes: Notes) -> Any:
        made: Any = query
        made.__class__ = cls
        made.notes = notes
        return made

    def note_all(self) -> None:
        self.notes.dimensions.add(dimensions.QUERY)

    def note(self, name: str) -> None:
        if isinstance(name, str):
            self.notes.dimensions.add(dimensions.parameter(name))

    def __getitem__(self, name: str) -> Any:
        self.note(name)
        if self.listed == _place():
            # One step of some code, dict(request.GET) or **request.GET, reads names and values. Of Django's own it
            # takes what lies in it as it is, the lists of values.
            return dict.__getitem__(self, name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.note(str(name))
        return super().__contains__(name)

    def __repr__(self) -> str:
        self.note_all()
        return f"<QueryDict: {dict.__repr__(self)}>"

    def keys(self) -> Any:
        self.note_all()
        return _Names(self)

    def getlist(self, name: str, default: Any = None) -> Any:
        self.note(name)
        return super().getlist(name, default)

    def __bool__(self) -> bool:
        self.notes.dimensions.add(dimensions.ANY_QUERY)
        return bool(dict.__len__(self))

    def copy(self) -> Any:
        """A mutable copy, which is Django's own."""
        self.note_all()
        copied = QueryDict("", mutable=True, encoding=self.encoding)
        for name, values in super().lists():
            copied.setlist(name, list(values))
        return copied

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __reduce_ex__(self, protocol: Any) -> Any:
        """A pickle is of one of Django's."""
        copied = self.copy()
        copied._mutable = self._mutable
        return _itself, (copied,)
