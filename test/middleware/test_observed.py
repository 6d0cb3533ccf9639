"""Whatever a view reads of a request, by any door, nobody gets what was made with another's."""

import copy
import json

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import QueryDict
from django.template import engines
from django.utils.translation import get_language_from_request

from test.middleware.stacks import DJANGO, STACKS
from test.middleware.visits import Visitor, is_hit, is_stored, showing, shown, site

PLACES = ["in Django's place", "side by side at the top", "side by side at the end"]


class Proxy:
    """What REST frameworks make of a request."""

    def __init__(self, request):
        self._request = request

    def __getattr__(self, name):
        return getattr(self._request, name)


def template(source):
    return lambda request: engines["django"].from_string(source).render({"request": request}, request)


def changed(name):
    """Someone lets a query be changed that must not be."""

    def shows(request):
        request.GET._mutable = True
        return getattr(request.GET, name)(*["q"] * (name != "popitem"))

    return shows


def in_latin_1(request):
    request.encoding = "latin-1"
    return request.GET["q"]


def again(request):
    if hasattr(request, "scope"):
        return ASGIRequest(dict(request.scope), None).COOKIES["theme"]
    return WSGIRequest(request.environ).COOKIES["theme"]


def matched(request):
    match request.COOKIES:
        case {"theme": value}:
            return value


THEME = ({"headers": {"cookie": "theme=dark"}}, {"headers": {"cookie": "theme=light"}})
NO_THEME = ({}, {"headers": {"cookie": "theme=light"}})
ONE = ({"headers": {"x-one": "a"}}, {"headers": {"x-one": "b"}})
QUERY = ({"query_params": {"q": "a"}}, {"query_params": {"q": "b"}})
NAMES = ({"query_params": {"a": "1"}}, {"query_params": {"b": "1"}})
NO_QUERY = ({}, {"query_params": {"q": "b"}})
BYTES = ({"QUERY_STRING": "q=%E9"}, {"QUERY_STRING": "q=%E8"})
TYPES = ({"headers": {"content-type": "text/css; a=1"}}, {"headers": {"content-type": "text/html; a=2"}})
ACCEPT = ({"headers": {"accept": "text/css"}}, {"headers": {"accept": "text/html"}})
LANGUAGE = ({"headers": {"accept-language": "de"}}, {"headers": {"accept-language": "en"}})
FORWARDED = ({"headers": {"x-forwarded-for": "192.0.2.1"}}, {"headers": {"x-forwarded-for": "192.0.2.2"}})
PORT = ({"headers": {"x-forwarded-port": "81"}}, {"headers": {"x-forwarded-port": "82"}})

#: door, what two visitors send, what the page shows
DOORS = [
    ("COOKIES[]", THEME, lambda r: r.COOKIES["theme"]),
    ("COOKIES.get", THEME, lambda r: r.COOKIES.get("theme")),
    ("in COOKIES", NO_THEME, lambda r: "theme" in r.COOKIES),
    ("an empty COOKIES", NO_THEME, lambda r: json.dumps(r.COOKIES)),
    ("no cookie at all", NO_THEME, lambda r: bool(r.COOKIES)),
    ("COOKIES as a whole", THEME, lambda r: r.COOKIES),
    ("COOKIES.items", THEME, lambda r: list(r.COOKIES.items())),
    ("COOKIES.values", THEME, lambda r: list(r.COOKIES.values())),
    ("COOKIES.popitem", THEME, lambda r: r.COOKIES.popitem()),
    ("COOKIES.pop", THEME, lambda r: r.COOKIES.pop("theme")),
    ("COOKIES.setdefault", THEME, lambda r: r.COOKIES.setdefault("theme", "none")),
    ("COOKIES |", THEME, lambda r: r.COOKIES | {}),
    ("| COOKIES", THEME, lambda r: {} | r.COOKIES),
    ("**COOKIES", THEME, lambda r: dict(**r.COOKIES)["theme"]),
    ("{**COOKIES}", THEME, lambda r: {**r.COOKIES}["theme"]),
    ("dict(COOKIES)", THEME, lambda r: dict(r.COOKIES)["theme"]),
    ("copy of COOKIES", THEME, lambda r: copy.copy(r.COOKIES)["theme"]),
    ("deep copy of COOKIES", THEME, lambda r: copy.deepcopy(r.COOKIES)["theme"]),
    ("COOKIES, matched", THEME, matched),
    ("COOKIES in a template", THEME, template("{{ request.COOKIES.theme }}")),
    ("COOKIES of a copy", THEME, lambda r: copy.copy(r).COOKIES["theme"]),
    ("COOKIES of another request", THEME, again),
    ("COOKIES of a proxy", THEME, lambda r: Proxy(r).COOKIES["theme"]),
    ("COOKIES in what lies inside", THEME, lambda r: (r.COOKIES, vars(r)["COOKIES"]["theme"])[1]),
    ("META of cookies", THEME, lambda r: r.META["HTTP_COOKIE"]),
    ("headers of cookies", THEME, lambda r: r.headers["Cookie"]),
    ("get_signed_cookie", THEME, lambda r: r.get_signed_cookie("theme", r.COOKIES.get("theme"))),
    ("META[]", ONE, lambda r: r.META["HTTP_X_ONE"]),
    ("META.get", ONE, lambda r: r.META.get("HTTP_X_ONE")),
    ("META as a format", ONE, lambda r: "%(HTTP_X_ONE)s" % r.META),  # noqa: UP031
    ("META as a format's map", ONE, lambda r: "{HTTP_X_ONE}".format_map(r.META)),
    ("META in what lies inside", ONE, lambda r: vars(r)["META"]["HTTP_X_ONE"]),
    ("dict(META)", ONE, lambda r: dict(r.META)["HTTP_X_ONE"]),
    ("META.copy", ONE, lambda r: r.META.copy()["HTTP_X_ONE"]),
    ("META in a template", ONE, template("{{ request.META.HTTP_X_ONE }}")),
    ("headers[]", ONE, lambda r: r.headers["x-one"]),
    ("headers.get", ONE, lambda r: r.headers.get("X-One")),
    ("headers as a whole", ONE, lambda r: r.headers),
    ("headers.items", ONE, lambda r: dict(r.headers.items())["X-One"]),
    ("copy of headers", ONE, lambda r: copy.copy(r.headers)["x-one"]),
    ("deep copy of headers", ONE, lambda r: copy.deepcopy(r.headers)["x-one"]),
    ("headers in a template", ONE, template("{{ request.headers.x_one }}")),
    ("headers of a proxy", ONE, lambda r: Proxy(r).headers["x-one"]),
    ("GET[]", QUERY, lambda r: r.GET["q"]),
    ("GET.get", QUERY, lambda r: r.GET.get("q")),
    ("GET.getlist", QUERY, lambda r: r.GET.getlist("q")),
    ("an empty GET", NO_QUERY, lambda r: json.dumps(r.GET)),
    ("an empty GET and something", NO_QUERY, lambda r: r.GET | {"a": "b"}),
    ("any query", NO_QUERY, lambda r: bool(r.GET)),
    ("in GET", NAMES, lambda r: "a" in r.GET),
    ("GET as a whole", QUERY, lambda r: r.GET),
    ("GET |", QUERY, lambda r: r.GET | {}),
    ("| GET", QUERY, lambda r: {} | r.GET),
    ("GET.keys", NAMES, lambda r: list(r.GET.keys())),
    ("reversed(GET)", NAMES, lambda r: list(reversed(r.GET))),
    ("GET.pop", QUERY, changed("pop")),
    ("GET.popitem", QUERY, changed("popitem")),
    ("dict(GET)", QUERY, lambda r: dict(r.GET)),
    ("GET.dict", QUERY, lambda r: r.GET.dict()),
    ("GET.urlencode", QUERY, lambda r: r.GET.urlencode()),
    ("copy of GET", QUERY, lambda r: copy.copy(r.GET)["q"]),
    ("deep copy of GET", QUERY, lambda r: copy.deepcopy(r.GET)["q"]),
    ("GET of a copy", QUERY, lambda r: copy.copy(r).GET["q"]),
    ("GET in a template", QUERY, template("{{ request.GET.q }}")),
    ("GET in another encoding", BYTES, in_latin_1),
    ("META of the query", QUERY, lambda r: QueryDict(r.META["QUERY_STRING"])["q"]),
    ("get_full_path", QUERY, lambda r: r.get_full_path()),
    ("build_absolute_uri", QUERY, lambda r: r.build_absolute_uri()),
    ("repr", QUERY, repr),
    ("content_type", TYPES, lambda r: r.content_type),
    ("content_params", TYPES, lambda r: r.content_params),
    ("META of the content type", TYPES, lambda r: r.META.get("CONTENT_TYPE")),
    ("headers of the content type", TYPES, lambda r: r.headers.get("content-type")),
    ("accepts", ACCEPT, lambda r: r.accepts("text/css")),
    ("accepts of a proxy", ACCEPT, lambda r: Proxy(r).accepts("text/css")),
    ("get_language_from_request", LANGUAGE, get_language_from_request),
    ("X-Forwarded-For", FORWARDED, lambda r: r.headers["X-Forwarded-For"]),
    ("META of X-Forwarded-For", FORWARDED, lambda r: r.META["HTTP_X_FORWARDED_FOR"]),
    ("get_port", PORT, lambda r: r.get_port()),
]


@pytest.mark.parametrize(("pair", "shows"), [row[1:] for row in DOORS], ids=[row[0] for row in DOORS])
@pytest.mark.parametrize(("kind", "place"), [*(("sync", place) for place in PLACES), ("async", PLACES[0])])
def test_no_door_lets_one_visitor_have_what_was_made_for_another(kind, place, pair, shows):
    with site(showing(shows), MIDDLEWARE=DJANGO, USE_X_FORWARDED_PORT=True):
        expected = [shown(Visitor(kind).get("/", **facts)) for facts in pair]
    if shows is in_latin_1 and kind == "async":
        return  # there Django reads the query in UTF-8, whatever is said
    assert expected[0] != expected[1], "the door does not tell them apart"
    with site(showing(shows), MIDDLEWARE=STACKS[place], USE_X_FORWARDED_PORT=True):
        for _ in range(2):
            assert [shown(Visitor(kind).get("/", **facts)) for facts in pair] == expected


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_page_that_read_a_cookie_has_a_variant_for_each_value(kind, place):
    with site(showing(lambda request: request.COOKIES.get("theme")), MIDDLEWARE=STACKS[place]):
        values = ["", "theme=; ", "theme=dark; ", "theme=light; "]
        assert all(is_stored(Visitor(kind).get(headers={"cookie": value + "junk=1"})) for value in values)
        answers = [Visitor(kind).get(headers={"cookie": value + "junk=2"}) for value in values]
    assert all(map(is_hit, answers))
    assert [shown(answer) for answer in answers] == ["None", "", "dark", "light"]


@pytest.mark.parametrize("name", ["client", "headers", "extensions", "state", "user", "raw_path", "http_version"])
def test_what_the_scope_tells_of_one_connection_is_not_stored(name):
    with site(showing(lambda request: request.scope.get(name)), MIDDLEWARE=STACKS["in Django's place"]):
        assert not is_stored(Visitor("async").get())


@pytest.mark.parametrize("name", ["type", "method", "path", "scheme"])
def test_what_the_scope_tells_of_the_page_is_for_all(name):
    with site(showing(lambda request: request.scope[name]), MIDDLEWARE=STACKS["in Django's place"]):
        assert is_stored(Visitor("async").get())
        assert is_hit(Visitor("async").get())


class Member:
    """What an application above has put into the environment; two of them look the same."""

    def __init__(self, name):
        self.name = name

    def __str__(self):
        return "a member"


def test_an_object_in_the_environment_is_one_visitors():
    def shows(request):
        return request.META["some.member"].name if "some.member" in request.META else "nobody"

    with site(showing(shows), MIDDLEWARE=STACKS["alone"]):
        for name in ("Ada", "Grace"):
            answer = Visitor().get("/", **{"some.member": Member(name)})
            assert shown(answer) == name
            assert not is_stored(answer)
        assert is_stored(Visitor().get())
        assert shown(Visitor().get("/", **{"some.member": Member("Ada")})) == "Ada"


ATTRIBUTES = ["method", "path", "path_info", "scheme", "POST", "FILES", "body", "encoding", "resolver_match"]


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_what_the_key_stands_for_is_no_reason_for_a_variant(name):
    with site(showing(lambda request: str(getattr(request, name))[:4]), MIDDLEWARE=STACKS["in Django's place"]):
        assert is_stored(Visitor(theme="dark").get("/?a=b"))
        assert is_hit(Visitor(theme="light").get("/?c=d"))


def test_a_request_is_to_a_view_what_it_was():
    def shows(request):
        assert isinstance(request, WSGIRequest)
        assert type(request).__name__ == "WSGIRequest"
        assert isinstance(request.META, dict)
        assert request.environ is request.META
        request.META["HTTP_X_ONE"] = "written"
        request.new = 1
        assert not hasattr(request, "absent")
        assert not hasattr(request, "session")
        return request.META["HTTP_X_ONE"], request.new

    with site(showing(shows), MIDDLEWARE=STACKS["alone"]):
        assert shown(Visitor().get()) == "('written', 1)"
