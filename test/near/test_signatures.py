"""Requests of one signature get one answer: so all that the answer is decided by has to be in the signature."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import caches
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.test import override_settings

from dumper import door, near, stores
from dumper.asgi import Variables
from dumper.asgi import fields as fields_of
from dumper.asgi import signature_of as signature_of_scope
from dumper.middleware.messages import signature_of
from dumper.middleware.passage import Passage
from dumper.rules.dimensions import variables as variables_of
from dumper.steps import run
from test.http import urls
from test.http.doors import DOORS, _AsyncFactory, _Environs
from test.middleware.stacks import FETCH, LOCALE, UPDATE
from test.near.sites import PATH, site

EDGES = {
    "keys": {
        "BACKEND": "dumper.upstreams.varnish.Varnish",
        "LOCATION": "http://127.0.0.1:1",
        "OPTIONS": {"method": "xkey"},
    },
    "url": {"BACKEND": "dumper.upstreams.dummy.Dummy"},
}
SETTINGS = {
    "plain": {},
    "languages": {"MIDDLEWARE": [UPDATE, LOCALE, FETCH]},
    "forwarded": {
        "USE_X_FORWARDED_HOST": True,
        "USE_X_FORWARDED_PORT": True,
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_TLS", "on"),
    },
    "no-cache is honoured": {"DUMPER_HONOUR_NO_CACHE": True},
    "the whole query": {"DUMPER_QUERY": "exact"},
    "some of the query": {"DUMPER_QUERY": ["a"]},
    "edges": {"DUMPER_UPSTREAMS": EDGES},
    "a script name": {"FORCE_SCRIPT_NAME": "/mount"},
}
VISITORS = {
    "plain": {},
    "languages": {"Accept-Language": "de", "Cookie": "a=b"},
    "conditional": {"If-None-Match": '"a"', "If-Modified-Since": "Sat, 01 Jan 2022 00:00:00 GMT"},
    "authorized": {"Authorization": "Basic x"},
    "reload": {"Cache-Control": "no-cache", "Pragma": "no-cache"},
    "codings": {"Accept-Encoding": "gzip"},
    "forwarded": {"X-Forwarded-Host": "a.example", "X-Forwarded-Port": "81", "X-Tls": "on", "X-Forwarded-Ssl": "on"},
}
#: what says nothing of the request
NEUTRAL = {"wsgi.input", "dumper.exchange"}


class Noting(dict):
    """A dictionary that notes what is read of it, and knows whom its copies belong to."""

    def __init__(self, *args: Any, names: set[str] | None = None) -> None:
        super().__init__(*args)
        self.names: set[str] = set() if names is None else names

    def __getitem__(self, name: str) -> Any:
        self.names.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)

    def items(self) -> Any:
        self.names.add("all of it")
        return super().items()

    def copy(self) -> Noting:
        return Noting(dict.copy(self), names=self.names)


@pytest.fixture(params=SETTINGS, autouse=True)
def stored(request):
    """Pages that vary in some things, and some that do not."""
    place = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "test.near.signatures"}
    more = {"LANGUAGE_CODE": "en", "LANGUAGES": [("en", "English"), ("de", "Deutsch")], **SETTINGS[request.param]}
    with site(**{"CACHES": {"default": place}, "ALLOWED_HOSTS": ["*"], **more}):
        caches["default"].clear()
        urls.views["/varies/"] = urls.page(shows=lambda request: (request.GET.get("a"), request.headers.get("X-A")))
        yield


def read(kind, path, headers):
    """What is read of the variables of a request on the way to its answer, and what the answer is."""
    asked = {"Host": "testserver", **headers}
    if kind == "asgi":
        request = ASGIRequest(_AsyncFactory().generic("GET", path, headers=asked).scope, None)
        environ = request.META = Noting(request.META)
    else:
        environ = Noting(_Environs().generic("GET", path, headers=asked))
        request = WSGIRequest(environ)
    if kind == "pair":
        passage = Passage(request)
        run(passage.enter(), stores.current())
        answered = run(passage.hit(gives_tokens=False), stores.current())
        return environ.names, answered and run(passage.leave(answered), stores.current())
    return environ.names, run(door.looked_up(request, None, environ.get), stores.current())[0]


@pytest.mark.parametrize("visitor", VISITORS)
@pytest.mark.parametrize("path", [PATH, "/varies/?a=1"])
@pytest.mark.parametrize("kind", ["wsgi", "asgi", "pair"])
def test_nothing_else_is_read(kind, path, visitor):
    headers = VISITORS[visitor]
    for _ in range(2):
        DOORS["asgi door" if kind == "asgi" else "wsgi door"](path, headers)
    names, answered = read(kind, path, headers)
    assert names >= {"HTTP_RANGE", "HTTP_TRANSFER_ENCODING"}
    dimensions = ["meta:HTTP_X_A"] if "varies" in path else []
    known = {*near.current().variables, *variables_of(dimensions), *NEUTRAL}
    # What is not answered is not remembered; the pair then looks at all of it, to have it observed.
    assert answered is None or names <= known, names - known
    assert answered or visitor in ("authorized", "reload") or kind == "pair"


def test_it_is_noted_whatever_reads_it():
    environ = Noting({"A": 1})
    "B" in environ, environ.get("C"), environ["A"]
    assert environ.copy().names == {"A", "B", "C"}
    list(environ.items())
    assert environ.names == {"A", "B", "C", "all of it"}


@pytest.mark.parametrize("name", ["HTTP_RANGE", "HTTP_HOST", "QUERY_STRING", "HTTP_AUTHORIZATION", "REMOTE_USER"])
def test_what_counts_makes_a_signature_another(name):
    plain = _Environs().generic("GET", PATH)
    assert signature_of(WSGIRequest({**plain})) == signature_of(WSGIRequest({**plain}))
    assert signature_of(WSGIRequest({**plain, name: "a"})) != signature_of(WSGIRequest({**plain}))


SCOPES = {
    "method": "HEAD",
    "scheme": "https",
    "path": "/other/",
    "root_path": "/mount",
    "raw_path": b"/p%61ge/",
    "query_string": b"a=b",
    "server": ("another", 81),
}
OTHER_FIELDS = [(b"Range", b"bytes=0-1"), (b"if_match", b"*"), (b"AUTHORIZATION", b"a"), (b"host", b"two")]


def scope_signature(**changes):
    scope = {**_AsyncFactory().generic("GET", PATH, headers={"Host": "testserver"}).scope, **changes}
    return signature_of_scope(scope, fields_of(near.current().variables))


@pytest.mark.parametrize("changes", [{name: value} for name, value in SCOPES.items()], ids=SCOPES)
def test_what_counts_of_a_scope_makes_a_signature_another(changes):
    assert scope_signature(**changes) != scope_signature() == scope_signature()


@pytest.mark.parametrize("field", OTHER_FIELDS)
def test_a_field_counts_in_any_spelling(field):
    headers = [(b"host", b"testserver")]
    assert scope_signature(headers=[*headers, field]) != scope_signature(headers=headers)
    assert scope_signature(headers=[*headers, (b"x-a", b"b")]) == scope_signature(headers=headers)


@pytest.mark.parametrize("name", [*near.signatures.VARIABLES, "HTTP_X_ANY", "HTTP_COOKIE"])
def test_the_variables_of_a_scope_are_those_of_django_s_request(name):
    headers = {"Host": "testserver", "X-Any": "b", "Cookie": "a=b", "Range": "bytes=0-1", "Content-Type": "text/plain"}
    scope = _AsyncFactory().generic("GET", PATH + "?a=b", headers=headers).scope
    found = Variables(scope).get(name)
    request = ASGIRequest(scope, None)
    own = {"wsgi.url_scheme": request.scheme, "RAW_URI": None}
    assert found == own.get(name, request.META.get(name))


def test_a_request_of_another_class_has_none():
    class Own(WSGIRequest):
        pass

    assert signature_of(Own(_Environs().generic("GET", PATH))) is None


def test_settings_that_have_more_read_have_more_in_the_signature():
    with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_OWN", "on"), MIDDLEWARE=[UPDATE, LOCALE, FETCH]):
        found = near.current().variables
    assert {"HTTP_X_OWN", "HTTP_ACCEPT_LANGUAGE", "HTTP_COOKIE"} <= set(found)
    assert len(set(found)) == len(found)
