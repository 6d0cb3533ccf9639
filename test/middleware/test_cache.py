"""What a hit costs and says, and which settings matter at the look-up."""

import re
import time

import http_sf
import pytest
from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.test import override_settings
from django.utils import translation

import dumper
from test.middleware.stacks import FETCH, STACKS, UPDATE


def status(response) -> list:
    """The members of Cache-Status, by the parser of RFC 8941."""
    return http_sf.parse(response["Cache-Status"].encode("ascii"), tltype="list")


class Counting(LocMemCache):
    """Local memory that notes which of its methods are called from outside."""

    calls: list[str] = []
    inside = False


def counted(name):
    def method(self, *args, **kwargs):
        if Counting.inside:
            return getattr(super(Counting, self), name)(*args, **kwargs)
        Counting.calls.append(name)
        Counting.inside = True
        try:
            return getattr(super(Counting, self), name)(*args, **kwargs)
        finally:
            Counting.inside = False

    return method


for name in ("add", "get", "get_many", "set", "set_many", "touch", "delete", "delete_many", "incr", "has_key"):
    setattr(Counting, name, counted(name))


@pytest.fixture
def counting():
    place = {"BACKEND": "test.middleware.test_cache.Counting", "LOCATION": "test.middleware.counting"}
    with override_settings(CACHES={"default": place}):
        Counting.calls.clear()
        yield Counting.calls
        caches["default"].clear()


@pytest.mark.parametrize("stack", ["in Django's place", "side by side at the top", "alone"])
def test_a_hit_reads_once_and_never_writes(counting, get, stack):
    with override_settings(MIDDLEWARE=STACKS[stack]):
        get("/same/plain/")
        counting.clear()
        assert get("/same/plain/")["Cache-Status"] == "dumper; hit"
    assert counting == ["get_many"]


def test_a_hit_in_another_language_reads_once_more(counting, get):
    with override_settings(MIDDLEWARE=STACKS["with LocaleMiddleware"]):
        get("/same/plain/", headers={"accept-language": "de"})
        translation.activate("en")
        counting.clear()
        assert get("/same/plain/", headers={"accept-language": "de"})["Cache-Status"] == "dumper; hit"
    assert counting == ["get_many", "get_many"]


@override_settings(DUMPER_NEAR_CACHE="off")
def test_in_redis_a_hit_is_one_mget(redis, get):
    get("/same/plain/"), get("/same/plain/")
    client = caches["default"].client.get_client()
    client.config_resetstat()
    assert get("/same/plain/")["Cache-Status"] == "dumper; hit"
    commands = {name.split("|")[0]: stat["calls"] for name, stat in client.info("commandstats").items()}
    others = ("cmdstat_config", "cmdstat_info", "cmdstat_hello", "cmdstat_client", "cmdstat_select")
    assert {name: calls for name, calls in commands.items() if name not in others} == {"cmdstat_mget": 1}


@pytest.mark.parametrize("path", ["/admin/x/", "/refused/cookie/"])
def test_what_is_not_stored_costs_no_write(counting, get, path):
    get(path)
    counting.clear()
    get(path)
    assert not {"set", "set_many", "add", "touch", "delete"} & set(counting)


@override_settings(DUMPER_PATH_IGNORE_REGEX="^/any/secret")
def test_an_ignored_path_goes_past_the_store(counting, get):
    for path in ("/any/secret", "/any/%73ecret/", "/any/secret?a=b"):
        first, second = get(path), get(path)
        assert first["Cache-Status"] == 'dumper; fwd=bypass; detail="ignored path"'
        assert first.content != second.content
    assert counting == []


def test_an_ignored_path_is_matched_at_the_look_up_for_what_is_stored_already(get):
    stored = get("/page/")
    with override_settings(DUMPER_PATH_IGNORE_REGEX="^/page/"):
        assert get("/page/").content != stored.content
    assert get("/page/").content == stored.content


def test_a_path_is_ignored_with_and_without_its_script_prefix(client):
    for pattern in ("^/app/page/", "^/page/", re.compile("^/PAGE", re.IGNORECASE)):
        with override_settings(DUMPER_PATH_IGNORE_REGEX=pattern):
            response = client.get("/page/", SCRIPT_NAME="/app")
            assert response["Cache-Status"] == 'dumper; fwd=bypass; detail="ignored path"'


@pytest.mark.parametrize(
    "name", [name for name in dir(settings) if name.startswith("DUMPER_")] or ["DUMPER_KEY_PREFIX"]
)
def test_a_bad_setting_is_never_an_error_in_a_request(get, name):
    with override_settings(**{name: object()}):
        assert get("/page/").status_code == 200


def test_another_prefix_is_another_cache(get):
    stored = get("/page/")
    with override_settings(DUMPER_KEY_PREFIX="other."):
        assert get("/page/").content != stored.content
    assert get("/page/").content == stored.content


def test_a_page_expires_after_the_timeout_and_says_so(get):
    with override_settings(DUMPER_TIMEOUT=60):
        assert get("/page/")["Cache-Status"] == "dumper; fwd=uri-miss; stored; ttl=60"
        [(_, found)] = status(get("/page/"))
        assert found["hit"]
        assert 30 < found["ttl"] < 60
    with override_settings(DUMPER_TIMEOUT=0.05):
        dumper.invalidate_paths(["/page/"])
        first = get("/page/")
        time.sleep(0.06)
        assert get("/page/").content != first.content


def test_without_a_timeout_a_page_stays_forever(get):
    get("/page/")
    assert get("/page/")["Cache-Status"] == "dumper; hit"


def test_a_page_tells_its_age(get):
    assert "Age" not in get("/page/")
    first = int(get("/page/")["Age"])
    time.sleep(1.01)
    assert 0 <= first < int(get("/page/")["Age"]) < 30


STATUSES = [
    ("RFC 9211 §2.1 hit", "/page/", {}, "dumper; hit"),
    ("RFC 9211 §2.2 uri-miss", "/any/other", {}, "dumper; fwd=uri-miss; stored"),
    ("RFC 9211 §2.2 method", "/page/", {"REQUEST_METHOD": "POST"}, 'dumper; fwd=method; detail="method"'),
    ("RFC 9211 §2.2 bypass", "/page/", {"HTTP_RANGE": "bytes=0-1"}, 'dumper; fwd=bypass; detail="range"'),
    ("RFC 9211 §2.2 stale", "/any/stale", {}, "dumper; fwd=stale; stored"),
    ("RFC 9211 §2.8 detail", "/refused/cookie/", {}, 'dumper; fwd=uri-miss; detail="set-cookie"'),
]


@pytest.mark.parametrize(
    ("path", "environ", "expected"), [row[1:] for row in STATUSES], ids=[row[0] for row in STATUSES]
)
def test_cache_status_says_what_was_done(client, path, environ, expected):
    client.get("/page/")
    client.get("/any/stale")
    # In local memory an invalidated page is removed; what another process has stored since may be stale.
    stale = caches["default"]
    kept = {key: stale.get(key[3:]) for key in list(stale._cache)}
    dumper.invalidate_paths(["/any/stale"])
    for key, value in kept.items():
        if ".r." in key:
            stale.set(key[3:], value, None)
    response = client.get(path, **environ)
    assert response["Cache-Status"] == expected
    [(name, parameters)] = status(response)
    assert str(name) == "dumper"
    assert ("hit" in parameters) != ("fwd" in parameters)


def test_cache_status_is_appended_to_what_is_there(client):
    with override_settings(MIDDLEWARE=[UPDATE, "test.middleware.stacks.other_cache", FETCH]):
        client.get("/page/")
        response = client.get("/page/")
    assert response["Cache-Status"] == "Origin; hit; ttl=5, dumper; hit"
    assert [str(name) for name, _ in status(response)] == ["Origin", "dumper"]


def test_cache_status_is_left_out_where_it_is_not_wanted(get):
    with override_settings(DUMPER_CACHE_STATUS=False):
        stored, found = get("/page/"), get("/page/")
    assert "Cache-Status" not in stored
    assert "Cache-Status" not in found
    assert found.content == stored.content
    assert "Age" in found
