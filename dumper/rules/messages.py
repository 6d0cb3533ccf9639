"""Requests, responses, and the bytes of a stored response."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zlib import crc32

from dumper.rules.dimensions import Dimension
from dumper.rules.frames import framed, unframed
from dumper.rules.headers import IDENTITY
from dumper.rules.tags import SITE, Tag, path_tag


class Unreadable(ValueError):
    """The query string or the Cookie field cannot be read, and Django will say so where a view reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a request asks for."""

    method: str
    scheme: str
    #: validated by Django; None where it is not allowed
    host: str | None
    #: decoded, with the script prefix / without it
    path: str
    path_info: str
    query: str
    #: "" where Django has no translations / no time zones
    language: str
    time_zone: str
    #: whether Django's LocaleMiddleware has chosen the language already
    language_negotiated: bool = False
    #: header fields by their CGI names (RFC 3875 §4.1.18)
    environ: Mapping[str, Any]
    #: the query string and the Cookie field, read as a view would read them; may raise Unreadable
    parameters: Callable[[], Mapping[str, Sequence[str]]]
    cookies: Callable[[], Mapping[str, str]]

    @property
    def tags(self) -> tuple[Tag, ...]:
        """What any response to this request depends on: its path, by both of its names, and the site."""
        if self.path == self.path_info:
            return path_tag(self.path_info), SITE
        return path_tag(self.path_info), path_tag(self.path), SITE


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a view answered, after every middleware has had its turn."""

    status: int
    reason: str
    headers: Mapping[str, str]
    #: None where it is not complete: streaming, or a template that is not rendered
    body: bytes | None
    #: how many bytes the view has sent, before anything was taken out of the body
    length: int
    #: where visitors' own tokens were cut out of the body; None where it has none, and needs none
    slots: Sequence[int] | None = None
    #: whether it sets a cookie that is not set anew for whoever is served the stored response
    sets_cookie: bool
    #: whether Django's middleware says ``Vary: Cookie`` for a reason of its own, whatever the page shows
    is_vary_explained: bool = False
    #: what was asked for that is one visitor's own, in words
    personal: str | None = None
    #: what was read of the request
    dimensions: frozenset[Dimension] = frozenset()
    language: str
    time_zone: str
    #: what a decorator has left on it for a middleware that comes later
    marks: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """A response and the generations it was rendered under. Times are seconds since the epoch."""

    fingerprint: str
    generations: dict[Tag, str]
    stored_at: float
    expires_at: float | None
    status: int
    reason: str
    headers: Sequence[tuple[str, str]]
    marks: Mapping[str, Any]
    #: see Response
    slots: Sequence[int] | None
    #: seconds after ``expires_at``, see Grace
    while_revalidate: float = 0
    if_error: float = 0
    #: the content, by its coding; ``identity`` is always there
    bodies: Mapping[str, bytes]

    def pack(self) -> bytes:
        """The bytes that go into a store.

        Raises TypeError, ValueError or RecursionError where there is something in it that cannot be written down.
        """
        facts = [getattr(self, name) for name in _HEAD]
        sizes = [(coding, len(body), crc32(body)) for coding, body in self.bodies.items()]
        return framed(_MAGIC, [*facts, sizes], *self.bodies.values())

    @classmethod
    def unpack(cls, data: object, fingerprint: str) -> StoredResponse | None:
        """The response in ``data``; None where it is damaged, foreign, of another version, or another key's."""
        found = unframed(_MAGIC, data)
        if found is None:
            return None
        try:
            (*facts, sizes), rest = found
            head = dict(zip(_HEAD, facts, strict=True))
            bodies = _Bodies(sizes, rest)
        except (TypeError, ValueError):  # whole, but of another form
            return None
        return cls(**head, bodies=bodies) if head["fingerprint"] == fingerprint and bodies.are_whole else None

    def remaining(self, now: float) -> float | None:
        """Seconds that it stays fresh; None is forever."""
        return None if self.expires_at is None else self.expires_at - now

    def checked(self) -> StoredResponse | None:
        """The same, with all bodies at hand; None where one is damaged."""
        try:
            return replace(self, bodies=dict(self.bodies))
        except ValueError:
            return None


_MAGIC = b"DMPR"
_HEAD = (
    *("fingerprint", "generations", "stored_at", "expires_at", "status", "reason", "headers", "marks", "slots"),
    *("while_revalidate", "if_error"),
)


class _Bodies(Mapping[str, bytes]):
    """Bodies that lie one after another in the bytes of a store; only one that is asked for is copied and checked."""

    def __init__(self, sizes: Sequence[tuple[str, int, int]], data: memoryview) -> None:
        self._data = data
        self._places: dict[str, tuple[int, int, int]] = {}
        start = 0
        for coding, length, checksum in sizes:
            self._places[coding] = (start, start + length, checksum)
            start += length
        self.are_whole = start == len(data)

    def __getitem__(self, coding: str) -> bytes:
        """The body. Raises KeyError for a coding that is not stored, ValueError where it is damaged."""
        start, end, checksum = self._places[coding]
        body = self._data[start:end]
        if crc32(body) != checksum:
            raise ValueError(f"the stored body is damaged ({coding or IDENTITY})")
        return bytes(body)

    def __iter__(self) -> Any:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
