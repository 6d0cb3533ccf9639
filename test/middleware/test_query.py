"""To look what a view reads is as safe as to look at all of the request: views made at random, through the cache."""

import hashlib
import json
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import caches
from django.http import HttpResponse
from django.test import AsyncClient, Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from test.middleware.stacks import DJANGO, FETCH, STACKS, UPDATE
from test.middleware.visits import Visitor, is_hit, is_stored, showing, shown, site


def in_latin_1(request, name):
    request.encoding = "latin-1"
    return request.GET.get(name)


def changed(request, name):
    request.GET._mutable = True
    request.GET[name] = "written"
    return request.GET.get("a")


def replaced(request, name):
    request.GET = request.GET.copy()
    return request.GET.pop(name, None)


#: ways to read what a page may share with others who have sent the same
SHARED = {
    "get": lambda r, name: r.GET.get(name),
    "get, or else": lambda r, name: r.GET.get(name, "else"),
    "[]": lambda r, name: r.GET[name] if name in r.GET else None,  # noqa: SIM401
    "getlist": lambda r, name: r.GET.getlist(name),
    "in": lambda r, name: name in r.GET,
    "bool": lambda r, name: bool(r.GET),
    "len": lambda r, name: len(r.GET),
    "dict": lambda r, name: dict(r.GET),
    "JSON": lambda r, name: json.dumps(r.GET),
    "keys": lambda r, name: list(r.GET.keys()),
    "lists": lambda r, name: list(r.GET.lists()),
    "urlencode": lambda r, name: r.GET.urlencode(),
    "repr": lambda r, name: repr(r.GET),
    "latin-1": in_latin_1,
    "changed": changed,
    "replaced": replaced,
    "full path": lambda r, name: r.get_full_path(),
    "META": lambda r, name: r.META.get("QUERY_STRING"),
    "cookie": lambda r, name: r.COOKIES.get(name),
    "cookie there": lambda r, name: name in r.COOKIES,
    "header": lambda r, name: r.headers.get(f"x-{name}"),
    "header there": lambda r, name: f"x-{name}" in r.headers,
    "META of a header": lambda r, name: r.META.get(f"HTTP_X_{name.upper()}"),
    "content type": lambda r, name: r.content_type,
    "accepts": lambda r, name: r.accepts("text/css"),
    "nothing": lambda r, name: r.path,
}
#: ways to read what is one visitor's own
OWN = {
    "cookies": lambda r, name: sorted(r.COOKIES.items()),
    "cookies in JSON": lambda r, name: json.dumps(r.COOKIES),
    "any cookie": lambda r, name: bool(r.COOKIES),
    "META of cookies": lambda r, name: r.META.get("HTTP_COOKIE"),
    "headers": lambda r, name: sorted(r.headers.items()),
    "META as a whole": lambda r, name: sorted(key for key in r.META if key.startswith("HTTP_X")),
    "address": lambda r, name: r.META["REMOTE_ADDR"],
}
DOORS = SHARED | OWN
NAMES = ["a", "b", "größe", ""]


@dataclass(frozen=True)
class Read:
    """Read ``name`` by a door; what was read says which of ``then`` comes next."""

    door: str
    name: str
    then: tuple = ()


def run(program, request):
    """What is read, in its order."""
    while program:
        found = repr(DOORS[program.door](request, program.name))
        yield f"{program.door} {program.name}: {found}"
        place = hashlib.sha256(found.encode("utf-8", "surrogatepass")).digest()[0]
        program = program.then[place % len(program.then)] if program.then else None


def reads(children):
    return st.builds(Read, st.sampled_from([*DOORS]), st.sampled_from(NAMES), st.lists(children, max_size=3).map(tuple))


leaves = st.builds(Read, st.sampled_from([*DOORS]), st.sampled_from(NAMES))
programs = st.recursive(leaves, reads, max_leaves=12)
values = st.sampled_from(["", "=", "=1", "=2", "=%E9", "=%E8", "=\xe9", "=gr%C3%B6%C3%9Fe", "=1+2", "=1%202", "=%00"])
names = st.sampled_from(["a", "b", "%61", "gr%C3%B6%C3%9Fe", "gr\xc3\xb6\xc3\x9fe", "", "c"])
queries = st.lists(st.builds(str.__add__, names, values), max_size=3).map("&".join)
cookies = st.lists(st.sampled_from(["a=1", "a=2", "a=", "a", "b=1", 'b="1"', "c=1", "größe=1"]), max_size=3).map(
    "; ".join
)
fields = st.fixed_dictionaries(
    {"cookie": cookies},
    optional={
        "x-a": st.sampled_from(["", "1", "2"]),
        "x-b": st.sampled_from(["", "1"]),
        "accept": st.sampled_from(["text/css", "*/*", "text/html"]),
        "content-type": st.sampled_from(["text/css", "text/html"]),
    },
)
asked = st.lists(st.tuples(queries, fields), min_size=2, max_size=6)

running = [Read("nothing", "")]


def view(request):
    return HttpResponse("\n".join(run(running[0], request)).encode("utf-8", "surrogatepass"))


def sync_client():
    client = Client()
    return lambda query, headers: client.get("/", QUERY_STRING=query, headers=wire(headers))


def async_client():
    client = AsyncClient()

    def get(query, headers):
        path = "/?" + quote(query.encode("latin-1"), safe="=&%+")
        return async_to_sync(client.get)(path, headers=wire(headers))

    return get


def wire(headers):
    return {name: value.encode().decode("latin-1") for name, value in headers.items()}


CLIENTS = {"sync": sync_client, "async": async_client}


def doors_of(program):
    return {program.door}.union(*map(doors_of, program.then))


@pytest.mark.parametrize("query", ["observed", "exact"])
@pytest.mark.parametrize("stack", [[UPDATE, FETCH], [UPDATE, *DJANGO, FETCH], [UPDATE, FETCH, *DJANGO]])
@pytest.mark.parametrize(
    ("kind", "examples"), [("sync", 150), ("async", 5), pytest.param("sync", 1000, marks=pytest.mark.slow)]
)
def test_every_answer_is_what_the_view_would_have_answered(kind, examples, stack, query):
    with site(view, MIDDLEWARE=[name for name in stack if name not in (UPDATE, FETCH)], ALLOWED_HOSTS=["*"]):
        plain = CLIENTS[kind]()
        plain("", {})
        with site(view, MIDDLEWARE=stack, DUMPER_QUERY=query):
            cached = CLIENTS[kind]()

            @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
            @given(programs, asked)
            @example(Read("latin-1", "a"), [("a=%E9", {}), ("a=%E8", {})])
            @example(Read("in", "a", (Read("get", "b"), Read("cookie", "a"))), [("a=1", {}), ("b=1", {}), ("", {})])
            @example(Read("cookies in JSON", ""), [("", {}), ("", {"cookie": "a=1"})])
            @example(Read("JSON", "", (Read("get", "a"),)), [("", {}), ("b", {})])
            def proof(program, requests):
                running[0] = program
                caches["default"].clear()
                for sent in requests:
                    for _ in range(2):
                        expected, found = plain(*sent), cached(*sent)
                        assert found.content == expected.content, (found["Cache-Status"], sent)
                        assert found.status_code == expected.status_code
                if not doors_of(program) & OWN.keys():
                    assert is_hit(found), found["Cache-Status"]

            proof()


@pytest.mark.parametrize("query", ["observed", "exact"])
def test_a_parameter_is_one_by_its_values_alone(query):
    same = ["a=1", "a=1&b=2", "b=2&a=1", "a=1&utm_source=x", "%61=1"]
    others = ["", "a", "a=", "a=2", "a=1&a=2", "a=2&a=1", "A=1", "a=1%20", "a=1;b=2"]
    with site(showing(lambda request: request.GET.getlist("a")), MIDDLEWARE=STACKS["alone"], DUMPER_QUERY=query):
        assert is_stored(Visitor().get("/?a=1"))
        assert [is_hit(Visitor().get(f"/?{one}")) for one in same] == [
            query == "observed" or one == "a=1" for one in same
        ]
        expected = ["[]", "['']", "['']", "['2']", "['1', '2']", "['2', '1']", "[]", "['1 ']", "['1;b=2']"]
        assert [shown(Visitor().get(f"/?{other}")) for other in others] == expected


def test_a_page_that_read_no_parameter_is_one_whatever_the_query():
    with site(showing(lambda request: request.path), MIDDLEWARE=STACKS["in Django's place"]):
        first = Visitor().get("/?utm_source=1")
        assert is_stored(first)
        for query in ("", "utm_source=2", "a=%FF", "&&&", "x" * 2000, "größe=1"):
            assert Visitor().get(f"/?{query}").content == first.content


@pytest.mark.parametrize("wanted", [["a"], ("a", "b"), {"größe"}, []])
def test_of_a_list_of_parameters_those_count_and_no_others(wanted):
    def shows(request):
        return {name: request.GET.getlist(name) for name in wanted}

    with site(showing(shows), MIDDLEWARE=STACKS["in Django's place"], DUMPER_QUERY=wanted):
        for name in wanted:
            pages = {Visitor().get("/", QUERY_STRING=sent(name, value)).content for value in ("", "1", "2", "1")}
            assert len(pages) == 3
        first = Visitor().get("/?other=1")
        assert Visitor().get("/?other=2").content == first.content


def sent(name, value):
    return f"{name}={value}".encode().decode("latin-1")


def test_more_parameters_than_django_reads_are_an_error_of_djangos_alone():
    view = showing(lambda request: request.GET.get("a"))
    with site(view, MIDDLEWARE=STACKS["in Django's place"], DATA_UPLOAD_MAX_NUMBER_FIELDS=3):
        many = "&".join(f"a={number}" for number in range(9))
        assert is_stored(Visitor().get("/?a=1"))
        for _ in range(2):
            assert Visitor().get(f"/?{many}").status_code == 400
        assert is_hit(Visitor().get("/?a=1"))
    with site(showing(lambda request: "page"), MIDDLEWARE=STACKS["alone"], DATA_UPLOAD_MAX_NUMBER_FIELDS=3):
        assert is_stored(Visitor().get(f"/?{many}"))
        assert is_hit(Visitor().get("/"))
