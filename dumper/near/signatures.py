"""Signatures: all of a request that decides how it is answered, as far as that does not depend on what is stored.

Requests of one signature get one answer, but for the variables that the pages under their key are seen to vary in.
"""

from __future__ import annotations

from django.conf import settings

LOCALE = "django.middleware.locale.LocaleMiddleware"
#: What the rules, the labels for caches in front, and Django's own request (its host, scheme and path) read of META.
VARIABLES = (
    "REQUEST_METHOD",
    "wsgi.url_scheme",
    "HTTP_HOST",
    "SERVER_NAME",
    "SERVER_PORT",
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_CACHE_CONTROL",
    "HTTP_PRAGMA",
    "HTTP_AUTHORIZATION",
    "HTTP_PROXY_AUTHORIZATION",
    "REMOTE_USER",
    "AUTH_TYPE",
    "HTTP_RANGE",
    "HTTP_IF_MATCH",
    "HTTP_IF_UNMODIFIED_SINCE",
    "CONTENT_LENGTH",
    "CONTENT_TYPE",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_X_HTTP_METHOD_OVERRIDE",
    "HTTP_X_HTTP_METHOD",
    "HTTP_X_METHOD_OVERRIDE",
    "SCRIPT_URL",
    "REDIRECT_URL",
    "RAW_URI",
    "REQUEST_URI",
    "HTTP_SCRIPT_NAME",
    "HTTP_PATH_INFO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTOCOL",
    "HTTP_X_FORWARDED_SSL",
)


def variables() -> tuple[str, ...]:
    """The same, with what this site's settings have Django read."""
    header: tuple[str, str] | None = settings.SECURE_PROXY_SSL_HEADER
    names = [header[0]] if header else []
    if LOCALE in settings.MIDDLEWARE:
        names += ["HTTP_ACCEPT_LANGUAGE", "HTTP_COOKIE"]
    return (*VARIABLES, *(name for name in names if name not in VARIABLES))
