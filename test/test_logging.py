"""At DEBUG each decision is one line of ASCII; above that only what somebody should look at."""

import logging

import pytest
from django.contrib.auth.models import Group
from django.core.cache import caches
from django.test import override_settings
from django.utils import translation

import dumper


@pytest.fixture(autouse=True)
def site():
    place = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "test.logging"}
    with override_settings(ROOT_URLCONF="test.middleware.urls", CACHES={"default": place}), translation.override("en"):
        caches["default"].clear()
        yield
        caches["default"].clear()


@pytest.fixture
def lines(caplog):
    """What was logged since the last look: (logger, message)."""
    caplog.set_level(logging.DEBUG, logger="dumper")

    def look():
        found = [(record.name, record.getMessage()) for record in caplog.records if record.name.startswith("dumper")]
        caplog.clear()
        return found

    return look


def of(lines, logger: str) -> list[str]:
    return [message for name, message in lines() if name == logger]


def test_a_miss_says_that_it_was_not_found_and_was_stored_and_a_hit_that_it_was_found(client, lines):
    client.get("/page/")
    assert of(lines, "dumper.middleware") == ["GET /page/: did not find: nothing is stored", "GET /page/: stored"]
    client.get("/page/")
    assert of(lines, "dumper.middleware") == ["GET /page/: found"]


@pytest.mark.parametrize(
    ("path", "environ", "expected"),
    [
        ("/page/", {"HTTP_RANGE": "bytes=0-1"}, ["GET /page/: did not find: range"]),
        ("/page/", {"REQUEST_METHOD": "POST"}, ["POST /page/: did not find: method"]),
        ("/page/", {"REMOTE_USER": "x"}, ["GET /page/: did not find: authorization"]),
        ("/admin/", {}, ["GET /admin/: did not find: ignored path"]),
        ("/refused/cookie/", {}, ["did not find: nothing is stored", "did not store: set-cookie"]),
        ("/refused/gone/", {}, ["did not find: nothing is stored", "did not store: status 410"]),
        ("/refused/expired/", {}, ["did not find: nothing is stored", "did not store: expired"]),
    ],
)
def test_what_is_not_found_or_not_stored_says_why(client, lines, path, environ, expected):
    client.get(path, **environ)
    found = of(lines, "dumper.middleware")
    assert len(found) == len(expected)
    assert all(message.endswith(end) for message, end in zip(found, expected, strict=True))


def test_a_path_is_written_in_ascii_on_one_line(client, lines):
    client.get("/any/gr%C3%B6%C3%9Fe%0D%0A%00%1b[31m")
    client.get("/any/%FF")
    dumper.invalidate_paths(["/any/größe\r\nINFO forged", "/any/\x1b"])
    client.get("/any/gr%C3%B6%C3%9Fe")
    found = lines()
    assert ("dumper.middleware", "GET /any/gr%C3%B6%C3%9Fe: stored") in found
    assert all(message.isascii() and message.isprintable() for _, message in found)


def test_an_invalidation_says_what_was_invalidated(lines):
    dumper.invalidate_paths(["/b/größe/", "/a/"])
    assert of(lines, "dumper.invalidation") == ["invalidated 2: path:/a/, path:/b/gr%C3%B6%C3%9Fe/"]
    dumper.invalidate("news")
    assert of(lines, "dumper.invalidation") == ["invalidated 1: tag:news"]
    dumper.clear()
    assert of(lines, "dumper.invalidation") == ["invalidated 1: site"]


def test_an_invalidation_of_many_pages_is_one_short_line(lines):
    dumper.invalidate_paths(f"/any/{number}" for number in range(1000))
    [message] = of(lines, "dumper.invalidation")
    assert message.startswith("invalidated 1000: path:/any/0, ")
    assert len(message) < 1000


def test_registering_says_which_model(lines):
    dumper.register(Group)
    dumper.unregister(Group)
    assert of(lines, "dumper.site") == ["registered: auth.Group", "unregistered: auth.Group"]


def test_a_url_of_another_site_is_a_warning(caplog):
    dumper.invalidate_paths(["https://other.test/größe\n/"])
    [record] = caplog.records
    assert (record.name, record.levelname) == ("dumper.invalidation", "WARNING")
    assert "\n" not in record.getMessage()


def test_nothing_is_logged_above_debug_when_all_is_well(client, caplog):
    caplog.set_level(logging.INFO, logger="dumper")
    for path in ("/page/", "/page/", "/admin/", "/refused/cookie/"):
        client.get(path)
    dumper.invalidate_paths(["/page/"])
    assert [record for record in caplog.records if record.name.startswith("dumper")] == []
