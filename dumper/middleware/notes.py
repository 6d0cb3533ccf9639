"""What was read of a request, by whom, and what that means for a page."""

from __future__ import annotations

from sys import _getframe
from typing import Any

from django.conf import settings

from dumper.rules import dimensions
from dumper.rules.dimensions import Dimension

CSRF = "django.middleware.csrf"
#: Readers whose reading makes no difference: what they ask for is part of the key, or done anew for whoever is served.
DJANGO = frozenset(
    {
        "django.contrib.sessions.middleware",
        "django.http.request",
        "django.middleware.common",
        CSRF,
        "django.middleware.gzip",
        "django.middleware.http",
        "django.middleware.locale",
        "django.middleware.security",
        "django.template.context_processors",
        "django.utils.cache",
    }
)
LOCALE = "django.middleware.locale"
#: Those that read cookies or the session on every request.
EAGER = frozenset({"django.contrib.auth.middleware", "django.contrib.sessions.middleware", CSRF, LOCALE})
#: What the key stands for, or is nothing that a visitor has sent.
_KEYED = frozenset(
    """PATH_INFO SCRIPT_NAME REQUEST_METHOD SERVER_SOFTWARE GATEWAY_INTERFACE CSRF_COOKIE
    CSRF_COOKIE_NEEDS_UPDATE""".split()
)
#: Where visitors' addresses are found: as the server says, and as proxies hand them on.
_ADDRESSES = frozenset(
    """REMOTE_ADDR REMOTE_HOST REMOTE_PORT HTTP_FORWARDED HTTP_X_FORWARDED_FOR HTTP_X_REAL_IP HTTP_X_CLIENT_IP
    HTTP_X_CLUSTER_CLIENT_IP HTTP_TRUE_CLIENT_IP HTTP_CF_CONNECTING_IP HTTP_CF_CONNECTING_IPV6 HTTP_FASTLY_CLIENT_IP
    HTTP_FLY_CLIENT_IP""".split()
)
#: What is empty wherever a request is looked up, or it would have gone past the store.
_EMPTY = frozenset({"REMOTE_USER", "AUTH_TYPE"})


class Notes:
    """What was read of one request since it entered, by anything that may put it into a page."""

    def __init__(self) -> None:
        self.dimensions: set[Dimension] = set()
        #: what was read that is one visitor's own, in words
        self.personal: str | None = None
        #: how many different CSRF tokens may be on the page; None where there is no need of a token
        self.tokens: int | None = None
        #: whether the session was asked for, by anything but middleware that always does
        self.session = False
        #: the session, if there was one before, and whether that had been read by then
        self.session_before: Any = None
        self.was_accessed = False
        #: whether the page was looked up already, in the language that was active then
        self.looked_up = False

    def meta(self, name: str) -> None:
        """``request.META[name]``, or the header field of that name, was read."""
        if not isinstance(name, str):
            return
        module, frame = reader()
        if name == "QUERY_STRING":
            self.dimensions.add(dimensions.QUERY)
        elif name == "CSRF_COOKIE" and module != CSRF:
            self.personal = "csrf secret"
        elif name in _KEYED or name.startswith("wsgi."):
            return
        elif module not in DJANGO or _counts_yet(frame) or (module == LOCALE and self.looked_up):
            self._variable(name)

    def header(self, name: str) -> None:
        """``request.headers[name]`` was read; ``accepts()`` does so for a view, in a module of Django's."""
        if reader()[0] not in DJANGO - {"django.http.request"}:
            self._variable(name)

    def _variable(self, name: str) -> None:
        if name in _ADDRESSES:
            self.personal = "visitor's address"
        elif name not in _EMPTY and name.startswith(("REMOTE_", "SSL_CLIENT_")):
            self.personal = name.lower()
        else:
            self.dimensions.add(dimensions.meta(name))

    def everything(self) -> None:
        """All header fields were read, by name or not."""
        self.personal = "all header fields"

    def cookie(self, name: str) -> None:
        module, _ = reader()
        if not isinstance(name, str) or (module in EAGER and not (module == LOCALE and self.looked_up)):
            return
        if name == settings.CSRF_COOKIE_NAME:
            self.personal = "csrf secret"
        elif name == settings.SESSION_COOKIE_NAME:
            self.dimensions.add(dimensions.session(name))
        else:
            self.dimensions.add(dimensions.cookie(name))

    def cookies(self) -> None:
        """All cookies were read, by name or not."""
        self.dimensions.add(dimensions.COOKIES)

    def no_cookies(self) -> None:
        """COOKIES was handed out, and is empty: of that json.dumps() and others make something without asking it."""
        if reader()[0] not in EAGER:
            self.dimensions.add(dimensions.ANY_COOKIE)

    def no_query(self) -> None:
        """GET was handed out, and is empty."""
        self.dimensions.add(dimensions.ANY_QUERY)

    def asked_for_session(self) -> None:
        module, frame = reader()
        # The storage of messages asks on every request whether there is a session, and no more.
        is_asked_always = module == "django.contrib.messages.storage.session" and frame.f_code.co_name == "__init__"
        self.session = self.session or not (module in EAGER or is_asked_always)

    def leave_session(self) -> None:
        """Say of the session that was there before what it said then."""
        if self.was_accessed:
            self.session_before.accessed = True

    def token(self) -> None:
        """A CSRF token was made. Where only its cookie was wanted, it is not on the page."""
        frame: Any = _getframe(2)
        while frame and frame.f_globals.get("__name__") == CSRF:
            if frame.f_code.co_name == "get_token":
                is_shown = frame.f_back.f_globals.get("__name__") != "django.views.decorators.csrf"
                self.tokens = (self.tokens or 0) + is_shown
                return
            if frame.f_code.co_name == "rotate_token":
                self.personal = "csrf secret"  # those served from the store would keep theirs
            frame = frame.f_back


def _counts_yet(frame: Any) -> bool:
    """Whether one of Django's own functions reads something that is in no key, and that may come to be on the page."""
    name = frame.f_code.co_name
    return (
        (name == "get_port" and frame.f_back.f_code.co_name != "_get_raw_host")
        or name == "_generate_cache_key"  # for a page that cache_page() has stored
        or (name == "debug" and bool(settings.INTERNAL_IPS))
    )


def reader() -> tuple[str, Any]:
    """The module that read, above this package, and its frame; who translates asks for someone else."""
    frame: Any = _getframe(2)
    while (module := frame.f_globals.get("__name__", "")) in _BETWEEN and frame.f_back:
        frame = frame.f_back
    return module, frame


#: What only hands on what others ask for.
_BETWEEN = frozenset(
    {
        __name__,
        "dumper.middleware.recorders",
        "dumper.middleware.observed",
        "django.utils.translation",
        "django.utils.translation.trans_null",
        "django.utils.translation.trans_real",
        "collections.abc",
    }
)
