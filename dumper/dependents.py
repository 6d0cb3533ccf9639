"""Which pages depend on an instance: what its model's methods say.

``dependent_paths()`` is asked or, where a model has none, ``get_absolute_url()`` and ``get_purge_urls()``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import NamedTuple

from django.conf import settings as django_settings
from django.conf.urls.i18n import is_language_prefix_patterns_used
from django.db.models import Model
from django.http.request import split_domain_port, validate_host
from django.urls import NoReverseMatch, get_script_prefix
from django.utils import translation
from django.utils.functional import Promise

from dumper.conf import settings
from dumper.database import spared
from dumper.exceptions import InvalidationError
from dumper.rules.tags import SITE, Tag, host_of, tags_of_url

logger = logging.getLogger("dumper.invalidation")

METHODS = ("dependent_paths", "get_absolute_url", "get_purge_urls")


class Dependents(NamedTuple):
    """The tags found, and what stopped the search, if anything did."""

    tags: set[Tag]
    error: Exception | None


def has_paths(model: type[Model]) -> bool:
    """Whether ``model`` has a method that names paths."""
    return any(callable(getattr(model, name, None)) for name in METHODS)


def dependents(instance: Model, using: str) -> Dependents:
    """The tags of the pages that depend on ``instance``, as far as its methods go without an error.

    Raises TypeError where they return what are no paths: that is a mistake in the program, and not in the data.
    """
    found: set[Tag] = set()
    try:
        with spared(using):
            for language in languages():
                with translation.override(language):
                    for url in urls(instance):
                        found |= tags_of(url, instance)
    except NoPaths:
        raise
    except Exception as error:
        return Dependents(found, error)
    return Dependents(found, None)


def languages() -> list[str | None]:
    """The languages to ask an instance in: where ``i18n_patterns`` are used, each has URLs of its own."""
    if django_settings.USE_I18N and is_language_prefix_patterns_used(django_settings.ROOT_URLCONF)[0]:
        return [code for code, _ in django_settings.LANGUAGES]
    return [translation.get_language()]


def safely(instance: Model, found: Dependents) -> set[Tag]:
    """The tags found or, after an error, those and the whole site: no page is left stale in silence.

    Raises InvalidationError instead with DUMPER_STRICT, but for a NoReverseMatch, which is not unusual in a draft.
    """
    if found.error is None:
        return found.tags
    level = logging.WARNING if isinstance(found.error, NoReverseMatch) else logging.ERROR
    if level == logging.ERROR and settings().strict:
        raise InvalidationError(f"{describe(instance)}: {found.error!r}") from found.error
    logger.log(
        level,
        "%s does not tell its paths, the whole site is invalidated: %r",
        describe(instance),
        found.error,
        exc_info=found.error,
    )
    return {*found.tags, SITE}


class NoPaths(TypeError):
    """A model's method returned what are no paths."""


def urls(instance: Model) -> Iterator[str]:
    """The URLs that the methods of ``instance`` name. Raises NoPaths, and whatever they raise."""
    if callable(getattr(instance, "dependent_paths", None)):
        yield from listed(instance, "dependent_paths")
        return
    if callable(absolute := getattr(instance, "get_absolute_url", None)):
        try:
            url = absolute()
        except NoReverseMatch as error:
            logger.warning("%s has no URL: %s", describe(instance), error)
        else:
            yield from text(url, named(instance, "get_absolute_url"))
    if callable(getattr(instance, "get_purge_urls", None)):
        yield from listed(instance, "get_purge_urls")


def listed(instance: Model, name: str) -> Iterator[str]:
    """What the method ``name`` returns, one by one."""
    returned = getattr(instance, name)()
    if isinstance(returned, (str, bytes, Promise)) or not hasattr(returned, "__iter__"):
        raise NoPaths(f"{named(instance, name)} must return an iterable of paths, not {returned!r}")
    for item in returned:
        yield from text(item, named(instance, name))


def named(instance: Model, method: str) -> str:
    return f"{describe(instance)}: {type(instance).__qualname__}.{method}()"


def text(item: object, source: str) -> Iterator[str]:
    """``item`` as a str, unless it is None or a lazy URL that cannot be reversed. Raises NoPaths for anything else."""
    if item is None:
        logger.warning("%s names None as a path", source)
    elif isinstance(item, (str, Promise)):
        try:
            yield str(item)
        except NoReverseMatch as error:
            logger.warning("%s names a path that does not exist: %s", source, error)
    else:
        raise NoPaths(f"{source} must name paths as strings, not {item!r}")


def tags_of(url: str, source: object = None) -> frozenset[Tag]:
    """The tags of a path or URL; none for a URL of another host, which is logged with its ``source``."""
    try:
        host = host_of(url)
        if host is None or is_own(host):
            return tags_of_url(url, get_script_prefix())
    except ValueError:
        pass
    logger.warning("%r%s is no URL of this site", url, f", named by {describe(source)}," if source else "")
    return frozenset()


def is_own(host: str) -> bool:
    """Whether ``host``, perhaps with a port, is one of this site's, as ``HttpRequest.get_host()`` decides it."""
    allowed = django_settings.ALLOWED_HOSTS
    if django_settings.DEBUG and not allowed:
        allowed = [".localhost", "127.0.0.1", "[::1]"]
    return validate_host(split_domain_port(host)[0], allowed)


def describe(instance: object) -> str:
    """Model and key of ``instance``, without asking its own methods."""
    return f"{instance._meta.label} {instance.pk!r}" if isinstance(instance, Model) else repr(instance)
