"""What of a page is its visitor's own, and how another visitor gets theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.utils.functional import empty

from dumper.middleware.notes import Notes
from dumper.middleware.observed import raw
from dumper.rules import forms
from dumper.rules.dimensions import Dimension, session


def dimensions(request: HttpRequest, notes: Notes) -> frozenset[Dimension]:
    """What was read of ``request`` that may differ from visitor to visitor."""
    if has_read_session(request, notes):
        return frozenset({*notes.dimensions, session(settings.SESSION_COOKIE_NAME)})
    return frozenset(notes.dimensions)


def has_read_session(request: HttpRequest, notes: Notes) -> bool:
    """Whether something was read of the session, by anything but middleware that always does."""
    found = vars(request).get("session")
    if found is not None and found is notes.session_before:
        return notes.session or getattr(found, "accessed", True)
    return found is not None and notes.session


def explains_vary(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether Django's middleware has a reason to say ``Vary: Cookie``: it has read the session, or saved it."""
    session = vars(request).get("session")
    return getattr(session, "accessed", False) or settings.SESSION_COOKIE_NAME in cast(Any, response).cookies


def personal(request: HttpRequest, notes: Notes) -> str | None:
    """What was read that is one visitor's own, in words; None if nothing was."""
    if notes.personal:
        return notes.personal
    if any(getattr(user, "is_authenticated", False) for user in _users(request)):
        return "user"
    if _has_messages(vars(request).get("_messages")):
        return "messages"
    if vars(request).get("_csp_nonce"):  # false until it is made
        return "nonce"
    return None


def _users(request: HttpRequest) -> list[Any]:
    """Whom the request was found to come from; a lazy user that nobody has asked for is not looked at."""
    found = [vars(request).get(name) for name in ("user", "_cached_user", "_acached_user")]
    return [user for user in found if getattr(user, "_wrapped", None) is not empty]


def _has_messages(storage: Any) -> bool:
    """Whether there are messages, old ones that were read or new ones."""
    if storage is None:
        return False
    read = getattr(storage, "_loaded_data", None)
    is_unknown = getattr(storage, "used", False) and not hasattr(storage, "_loaded_data")
    return bool(read or is_unknown or getattr(storage, "added_new", False))


def without_tokens(
    request: HttpRequest, notes: Notes, body: bytes, headers: Mapping[str, str]
) -> tuple[bytes, list[int] | None] | None:
    """``body`` without the visitor's CSRF tokens, and where they were; None where they cannot be told apart.

    There are no places for a page that has no tokens; there is an empty list for one that needs the cookie alone.
    """
    meta = raw(vars(request)["META"])
    if notes.tokens is None:
        # Somebody out of sight has made one, or Django another for a cookie that makes no sense.
        return None if meta.get("CSRF_COOKIE_NEEDS_UPDATE") else (body, None)
    beside = "\n".join(headers.values()).encode(errors="replace")
    return forms.cut(body, str(meta.get("CSRF_COOKIE", "")).encode(), notes.tokens, beside)


def token_for(request: HttpRequest) -> str:
    """A CSRF token for this visitor, whom Django's middleware then gives the cookie to it."""
    return str(get_token(request))


def sets_cookie(request: HttpRequest, notes: Notes, response: HttpResponseBase, has_tokens: bool) -> bool:
    """Whether ``response`` sets a cookie that those who are served the stored page would not be given."""
    made_anew = {settings.CSRF_COOKIE_NAME} if has_tokens else set()
    if not has_read_session(request, notes):
        made_anew.add(settings.SESSION_COOKIE_NAME)  # by SessionMiddleware, on every request or for the token
    return not set(cast(Any, response).cookies) <= made_anew
