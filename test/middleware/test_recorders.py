"""The mappings through which a request is read give what Django's own give, and note each reading."""

import collections
import copy
import json
import pickle

import pytest
from django.http import QueryDict
from django.http.request import HttpHeaders

from dumper.middleware.notes import Notes
from dumper.middleware.recorders import Cookies, Headers, Meta, Query, Scope


def given(**more):
    return more


def updated(mapping):
    found = {"z": "1"}
    found.update(mapping)
    found |= mapping
    return found


#: ways to read a mapping as a whole, or in part
WAYS = {
    "dict": dict,
    "dict and more": lambda m: dict(m, z="1"),
    "{**}": lambda m: {**m},
    "f(**)": lambda m: given(**m),
    "update": updated,
    "|": lambda m: m | {"x": "1"},
    "{} |": lambda m: {} | m,
    "{...} |": lambda m: {"z": "1"} | m,
    "list": list,
    "set": set,
    "sorted": sorted,
    "reversed": lambda m: list(reversed(m)),
    "tuple of keys": lambda m: tuple(m.keys()),
    "keys &": lambda m: m.keys() & {"a"},
    "in keys": lambda m: "a" in m.keys(),  # noqa: SIM118
    "len of keys": lambda m: len(m.keys()),
    "by its keys": lambda m: [m[name] for name in m.keys()],  # noqa: SIM118
    "by its names": lambda m: {name: m[name] for name in m},
    "max": lambda m: max(m.keys(), key=m.get),
    "map": lambda m: list(map(m.get, m.keys())),
    "values": lambda m: list(m.values()),
    "items": lambda m: list(m.items()),
    "dict of items": lambda m: dict(m.items()),
    "OrderedDict": collections.OrderedDict,
    "defaultdict": lambda m: collections.defaultdict(list, m),
    "Counter": collections.Counter,
    "UserDict": collections.UserDict,
    "ChainMap": lambda m: dict(collections.ChainMap({}, m)),
    "fromkeys": dict.fromkeys,
    "JSON": json.dumps,
    "repr": repr,
    "format": lambda m: f"{m}",
    "%": lambda m: "%(a)s" % m,  # noqa: UP031
    "format_map": lambda m: "{a}".format_map(m),
    "len": len,
    "bool": bool,
    "[]": lambda m: m["a"],
    "get": lambda m: m.get("a"),
    "get absent": lambda m: m.get("zz", 1),
    "in": lambda m: "a" in m,
    "==": lambda m: m == {"a": "1"},
    "!=": lambda m: m != {"a": "1"},
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    ".copy": lambda m: m.copy(),
    "pickle": lambda m: pickle.loads(pickle.dumps(m)),
}
OF_QUERY = {
    "getlist": lambda m: m.getlist("a"),
    "lists": lambda m: list(m.lists()),
    "urlencode": lambda m: m.urlencode(),
    ".dict": lambda m: m.dict(),
}


def outcome(way, mapping):
    try:
        found = way(mapping)
    except (KeyError, ValueError, TypeError) as error:
        return type(error)
    return type(found), repr(found)


@pytest.mark.parametrize("query", ["a=1&a=2&b=3", "a=1", "b=3", "a=&a"])
@pytest.mark.parametrize("way", [*WAYS, *OF_QUERY])
def test_a_query_gives_what_djangos_gives_and_notes_it(way, query):
    read, notes = (WAYS | OF_QUERY)[way], Notes()
    assert outcome(read, Query.of(QueryDict(query), notes)) == outcome(read, QueryDict(query))
    assert notes.dimensions


@pytest.mark.parametrize("kind", [Cookies, Meta, Scope])
@pytest.mark.parametrize("content", [{"a": "1", "headers": "2"}, {"headers": "2"}], ids=["with", "without"])
@pytest.mark.parametrize("way", WAYS)
def test_a_dict_gives_what_it_holds_and_notes_it(way, content, kind):
    notes = Notes()
    found, expected = outcome(WAYS[way], kind(content, notes)), outcome(WAYS[way], dict(content))
    assert found == expected
    assert notes.dimensions or notes.personal


HEADERS = {"HTTP_A": "1", "HTTP_X_ONE": "2", "CONTENT_TYPE": "text/css"}
#: headers are no dict
OF_DICT = {"|", "{} |", "{...} |", "reversed", "JSON", "pickle", "copy", "deepcopy", "update"}


@pytest.mark.parametrize("way", WAYS.keys() - OF_DICT)
def test_headers_give_what_djangos_give_and_note_it(way):
    notes = Notes()
    found, expected = Headers(HEADERS, notes), HttpHeaders(HEADERS)
    if way == ".copy":
        assert found.copy() is found
        return
    assert outcome(WAYS[way], found) == outcome(WAYS[way], expected)
    assert notes.dimensions or notes.personal


@pytest.mark.parametrize("way", ["copy", "deepcopy", "pickle"])
def test_a_copy_of_headers_is_noted_as_all_of_them(way):
    notes = Notes()
    copied = WAYS[way](Headers(HEADERS, notes))
    assert dict(copied) == dict(HttpHeaders(HEADERS))
    assert notes.personal == "all header fields"


def test_headers_are_found_under_any_of_their_names():
    for name in ("x-one", "X-ONE", "x_one"):
        notes = Notes()
        assert Headers(HEADERS, notes)[name] == "2"
        assert notes.dimensions == {"meta:HTTP_X_ONE"}


@pytest.mark.parametrize("way", ["pop", "setdefault", "popitem"])
def test_what_is_taken_out_is_noted(way):
    for made in (Cookies({"a": "1"}, Notes()), Meta({"a": "1"}, Notes())):
        found = getattr(made, way)(*["a"] * (way != "popitem"))
        assert "1" in found
        assert made.notes.dimensions or made.notes.personal


def test_what_is_written_is_there_and_no_reading():
    notes = Notes()
    meta = Meta({}, notes)
    meta["a"] = "1"
    meta.update({"b": "2"}, c="3")
    del meta["a"]
    assert notes.dimensions == set()
    assert meta == {"b": "2", "c": "3"}
