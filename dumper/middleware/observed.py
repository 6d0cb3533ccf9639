"""A request that notes what is read of it.

Instead of guessing from ``Vary: Cookie`` what a page may depend on, look: the request is given a class, derived from
its own, whose properties hand out mappings that take notes. The view gets what it would get without, and all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.utils.functional import empty

from dumper.middleware.notes import Notes
from dumper.middleware.recorders import Cookies, Headers, Meta, Query, Recorder, Scope
from dumper.rules.dimensions import COOKIES


def observe(request: HttpRequest) -> Notes:
    """Have ``request`` take notes from now on."""
    content = vars(request)
    notes = content["_dumper_notes"] = Notes()
    # A middleware further out may have kept the session itself, and let the view read that.
    session: Any = content.get("session")
    notes.session_before = session
    if getattr(session, "accessed", False):
        session.accessed, notes.was_accessed = False, True
    if "_cached_user" in content or "_acached_user" in content:
        notes.session = True
    elif "user" in content and getattr(content["user"], "_wrapped", None) is not empty:
        notes.dimensions.add(COOKIES)  # nobody knows from what
    for name in ("accepted_types", "accepted_types_by_precedence"):
        content.pop(name, None)
    for name, recorder in (("META", Meta), ("scope", Scope)):
        if name in content:
            content[name] = recorder(content[name], notes)
    request.__class__ = observing(cast(Any, type(request)))
    return notes


def _of_variable(name: str, variable: str) -> Any:
    """A plain attribute of requests that says what META has in ``variable``."""

    def read(request: Any) -> Any:
        request._dumper_notes.meta(variable)
        try:
            return vars(request)[name]
        except KeyError:
            raise AttributeError(name) from None

    return property(read, lambda request, value: vars(request).__setitem__(name, value))


@cache
def observing(base: type[HttpRequest]) -> type[HttpRequest]:
    """The class of requests that are like those of ``base``, and take notes."""
    if issubclass(base, Observed):
        return base
    return type(base.__name__, (Observed, base), {"__module__": base.__module__, "_dumper_base": base})


class Observed:
    """Put before a class of requests. What is assigned is kept where that class keeps it."""

    _dumper_notes: Notes
    _dumper_base: type[HttpRequest]

    content_type = _of_variable("content_type", "CONTENT_TYPE")
    content_params = _of_variable("content_params", "CONTENT_TYPE")

    @property
    def META(self) -> Any:
        return self._recorded("META", Meta)

    @META.setter
    def META(self, meta: dict[str, Any]) -> None:
        vars(self)["META"] = meta

    @property
    def environ(self) -> Any:
        """That of WSGI is the same dict as META."""
        if "environ" not in vars(self):
            raise AttributeError("environ")
        return self.META

    @environ.setter
    def environ(self, environ: dict[str, Any]) -> None:
        vars(self)["environ"] = environ

    @property
    def scope(self) -> Any:
        return self._recorded("scope", Scope)

    @scope.setter
    def scope(self, scope: dict[str, Any]) -> None:
        vars(self)["scope"] = scope

    @property
    def COOKIES(self) -> Any:
        cookies = self._recorded("COOKIES", Cookies)
        if not dict.__len__(cookies):
            self._dumper_notes.no_cookies()
        return cookies

    @COOKIES.setter
    def COOKIES(self, cookies: dict[str, str]) -> None:
        vars(self)["COOKIES"] = cookies

    @property
    def GET(self) -> Any:
        query = self._own("GET")
        # A mutable one is a copy that somebody has made, and all was read for that.
        if not isinstance(query, Query) and not query._mutable:
            query = vars(self)["GET"] = Query.of(query, self._dumper_notes)
            if query.encoding != settings.DEFAULT_CHARSET:
                query.note_all()  # the same bytes may be other values
        if not dict.__len__(query) and isinstance(query, Query):
            self._dumper_notes.no_query()
        return query

    @GET.setter
    def GET(self, query: QueryDict) -> None:
        vars(self)["GET"] = query

    @GET.deleter
    def GET(self) -> None:
        """Django does so when ``request.encoding`` is set."""
        vars(self).pop("GET", None)

    @property
    def headers(self) -> Headers:
        found = vars(self).get("headers")
        if not isinstance(found, Headers):
            found = vars(self)["headers"] = Headers(raw(vars(self)["META"]), self._dumper_notes)
        return found

    @property
    def session(self) -> Any:
        self._dumper_notes.asked_for_session()
        try:
            return vars(self)["session"]
        except KeyError:
            raise AttributeError("session") from None

    @session.setter
    def session(self, session: Any) -> None:
        vars(self)["session"] = session

    def _own(self, name: str) -> Any:
        """The attribute as the class of the request makes it, once."""
        if name not in vars(self):
            plain: Any = object.__new__(self._dumper_base)
            vars(plain).update(vars(self))
            plain.META = plain.environ = raw(vars(self)["META"])
            vars(self)[name] = getattr(self._dumper_base, name).func(plain)
        return vars(self)[name]

    def _recorded(self, name: str, recorder: type[Recorder]) -> Any:
        found = self._own(name)
        if not isinstance(found, recorder):
            found = vars(self)[name] = recorder(found, self._dumper_notes)
        return found


def raw(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of ``mapping`` of which nothing is noted."""
    return dict(dict.items(mapping)) if isinstance(mapping, dict) else dict(mapping)
