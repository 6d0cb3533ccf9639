"""What a cache in front of us has to be able to do, and what it is configured with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, ClassVar, NamedTuple, TypeVar

from dumper.conf import settings
from dumper.converters import flag
from dumper.exceptions import DumperError
from dumper.rules.edge import ACCEL, ALL
from dumper.rules.surrogates import keys_of
from dumper.rules.tags import SITE, Tag
from dumper.upstreams import options
from dumper.upstreams.hosts import has_sites, mounts, remembered, site_hosts, targets

T = TypeVar("T")
Converter = Callable[[Any], Any]


#: Letters of an error that are kept.
MOST_TEXT = 500


class UpstreamError(DumperError):
    """A purge was not confirmed. It is tried again, after ``retry_after`` seconds at least."""

    def __init__(self, text: str, retry_after: float = 0) -> None:
        # Much of it comes from the other side, and goes into logs and databases.
        super().__init__("".join(letter if letter.isprintable() else " " for letter in text[:MOST_TEXT]))
        self.retry_after = retry_after


class Impossible(UpstreamError):
    """A purge that this upstream cannot do; another attempt is of no use."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """One entry of DUMPER_UPSTREAMS. Times are seconds."""

    name: str
    locations: Sequence[str] = ()
    #: the hosts of the site, as visitors write them; where none are named, those that Django knows
    hosts: Sequence[str] = ()
    timeout: float = 5.0
    headers: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


class Url(NamedTuple):
    """A page as an upstream knows it: the Host field and the target of requests for it."""

    host: str
    target: str


class Upstream:
    """The contract. Only one thread at a time calls ``purge()``; it calls again until it returns.

    A backend for another cache derives from this and does ``purge_keys()`` or ``purge_urls()``.
    """

    #: which of url, tag, ban, soft, clear it does
    can: frozenset[str] = frozenset()
    #: how many keys or URLs one call names
    batch: ClassVar[int] = 1
    #: above this many keys or URLs the whole site stands in their stead, if it can be cleared: vendors count requests
    most: ClassVar[int] = 50_000
    #: whether it tells the pages of one host from those of another
    goes_by_host: ClassVar[bool] = True
    #: whether responses say what it may keep
    is_labelling: ClassVar[bool] = True
    #: whether it is told at once, by the thread that has made the change
    is_immediate: ClassVar[bool] = False
    #: what OPTIONS may say: each sets the attribute of its name, after a converter that raises ValueError
    OPTIONS: ClassVar[Mapping[str, Converter]] = {
        "lifetime": options.whole_seconds,
        "again_after": options.delays,
        "control": options.field_name,
        "vary": options.field_names,
        "prefix": options.prefix,
        "groups": flag,
    }
    #: the options that have to be there
    REQUIRED: ClassVar[Sequence[str]] = ()

    #: the field that tells it the keys of a response, and how many bytes of it are read; None: it is purged by URL
    tag_header: str | None = None
    tag_bytes: int = 4000
    #: the field that tells it for how long it may keep a response
    control: str = "Cache-Control"
    #: the fields in Vary with which it copes: it keeps variants apart, and a purge drops all of them
    vary: frozenset[str] = frozenset({ALL})
    #: seconds that it may keep what is stored; None leaves that to the views
    lifetime: int | None = None
    #: seconds after which each purge is done again, for what was being fetched when it came
    again_after: Sequence[float] = (60.0,)
    #: whether responses name their keys in Cache-Groups (RFC 9875) as well, for whoever reads it
    groups: bool = False
    #: what stands before all paths in public, such as "/shop"
    prefix: str = ""

    def __init__(self, config: Config) -> None:
        """Raises options.Misconfigured."""
        self.config = config
        self.name = config.name
        options.apply(self, config.options, self.OPTIONS, self.REQUIRED)

    @property
    def hosts(self) -> Sequence[str]:
        """The hosts on which a path is purged. May ask the database (sites framework)."""
        return self.config.hosts or site_hosts()

    def is_told_of(self, host: str | None) -> bool:
        """Whether purges name ``host``, so that pages of it may be kept. Asks no database."""
        return host in (self.config.hosts or (remembered.hosts() if has_sites() else self.hosts))

    def purge(self, tags: Collection[Tag], reference: str) -> None:
        """Have all that depends on ``tags`` forgotten. Raises UpstreamError, and whatever goes wrong on the way.

        ``reference`` is the same when the same purge is tried again, and never another's.
        """
        if self.tag_header:
            keys = keys_of(tags, settings().key_prefix)
            if len(keys) > self.most:
                keys = keys_of({SITE}, settings().key_prefix)
            for some in batched(keys, self.batch):
                self.purge_keys(some)
            return
        urls = self.urls(tags)
        if "clear" in self.can and (SITE in tags or len(urls) > self.most):
            self.clear(reference)
            return
        for few in batched(urls, self.batch):
            self.purge_urls(few, reference)
        if SITE in tags:
            self.clear(reference)  # which cannot be done here, and says so

    def urls(self, tags: Collection[Tag]) -> list[Url]:
        """The URLs of the paths among ``tags``; what depends on other tags was never let be kept here."""
        hosts = self.hosts
        return [Url(host, target) for target in targets(tags, mounts(self.prefix)) for host in hosts]

    def purge_keys(self, keys: Sequence[str]) -> None:
        """Have what carries one of ``keys`` forgotten."""
        raise Impossible(f"{self.name} knows no keys")

    def purge_urls(self, urls: Sequence[Url], reference: str) -> None:
        """Have ``urls`` forgotten."""
        raise Impossible(f"{self.name} knows no URLs")

    def clear(self, reference: str) -> None:
        """Have everything of this site forgotten."""
        raise Impossible(f"{self.name} is purged URL by URL, and cannot be cleared: clear it by hand")

    def close(self) -> None:
        """Let go of connections; they are made anew when they are needed."""
        return

    def check(self) -> Iterable[str]:
        """What is doubtful about the configuration, in words: the texts of warnings, each with what mends it."""
        is_by_host = self.goes_by_host and not self.tag_header
        if is_by_host and not (self.config.hosts or has_sites() or site_hosts()):
            yield "it is purged by URL, but no host is known: name those that visitors write in HOSTS"
        if not self.control.lower().endswith("-control") and self.control.lower() != ACCEL:
            yield f"no cache is known to read {self.control!r}: name another field in the option 'control'"


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """``items`` in lists of ``size`` or less."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
