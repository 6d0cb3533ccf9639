"""Tags: what an invalidation names and a stored response depends on.

A tag is a string: ``site`` (every page), ``path:`` and a path as Django's ``request.path`` spells it, ``row:`` with the
label of a model and a primary key, or ``tag:`` and any name that a developer gives.
"""

from __future__ import annotations

import re
from typing import NewType
from urllib.parse import quote, unquote_to_bytes, urlsplit

from django.utils.encoding import repercent_broken_unicode

Tag = NewType("Tag", str)

SITE = Tag("site")
_ABSOLUTE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_PATH_END = re.compile(r"[?#]")
UNQUOTED = "/~:@!$&'()*+,;="  # besides letters, digits, "_", "." and "-", as in reverse()


def path_tag(path: str) -> Tag:
    """The tag of a path that is decoded already, as ``request.path`` is."""
    return Tag("path:" + path)


def path_of(tag: Tag) -> str | None:
    """The path that ``tag`` stands for; None for any other kind."""
    kind, _, path = tag.partition(":")
    return path if kind == "path" else None


def named_tag(name: str) -> Tag:
    """The tag that a developer calls ``name``."""
    return Tag("tag:" + name)


def row_tag(model: str, key: object) -> Tag:
    """The tag of a row, by the label of its model and its primary key."""
    return Tag(f"row:{model}:{key}")


def decoded(path: str) -> str:
    """``path`` without its percent-encoding, as Django's handlers decode the path of a request."""
    return repercent_broken_unicode(unquote_to_bytes(path)).decode()


def host_of(url: str) -> str | None:
    """The host and port of an absolute URL; None where ``url`` is a path (``//x`` is one as well).

    Raises ValueError where the authority is malformed.
    """
    return urlsplit(url).netloc if _ABSOLUTE.match(url) else None


def is_encoded(url: str, path: str) -> bool:
    """Whether ``url`` is surely the percent-encoded form of ``path``: nobody writes ``%C3%A9`` and means just that."""
    return not path.isascii() and quote(path, safe=UNQUOTED) == url


def tags_of_url(url: str, script_prefix: str = "/") -> frozenset[Tag]:
    """The tags of the pages that a path or URL names.

    The query string and the fragment are left out: a URL names its whole path. ``reverse()`` writes percent-encoded
    URLs with the script prefix, people write decoded paths without it; where a string can be read both ways, both
    pages are named, because one render too many is better than a page too old.
    """
    if _ABSOLUTE.match(url):
        url = urlsplit(url).path or "/"
    if not url.startswith("/"):
        url = "/" + url
    path = decoded(_PATH_END.split(url, maxsplit=1)[0])
    paths = {path} if is_encoded(url, path) else {path, url}
    mount = script_prefix.rstrip("/")
    if mount:
        paths |= {path[len(mount) :] for path in paths if path.startswith(mount + "/")}
    return frozenset(map(path_tag, paths))
