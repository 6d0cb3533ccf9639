"""The settings in force are those of Django, and a bad value breaks nothing."""

import re

import pytest
from django.conf import settings as django_settings
from django.test import override_settings
from django.utils.html import escape

from dumper.conf import DEFINITIONS, PREFIX, SAFE, settings
from dumper.converters import nothing

DEFAULTS = {
    "cache_alias": "default",
    "key_prefix": "dumper.cached_path.",
    "path_ignore_regex": re.compile(r"^/admin/"),
    "bypass": nothing,
    "query": "observed",
    "timeout": None,
    "query_timeout": None,
    "statuses": {200: None},
    "honour_no_cache": False,
    "compression": ("zstd", "br", "gzip"),
    "max_body_size": 2_097_152,
    "max_header_size": 16_384,
    "max_url_length": 4096,
    "max_variants": 200,
    "hold_timeout": 600,
    "lease_timeout": 600,
    "near_cache": "checked",
    "near_cache_size": 33_554_432,
    "near_cache_staleness": 1.0,
    "collapse_timeout": 5.0,
    "hit_for_miss": 120,
    "stale_while_revalidate": None,
    "stale_if_error": None,
    "stale_after_change": False,
    "store_timeout": 0.5,
    "retry_delay": 1.0,
    "strict": False,
    "upstreams": {},
    "purge_urls": (),
    "give_up_after": 86_400,
    "cache_status": True,
    "explain": False,
}

GOOD = [
    ("UPSTREAMS", {"edge": {"BACKEND": "x"}}, {"edge": {"BACKEND": "x"}}),
    ("PURGE_URLS", "http://127.0.0.1:3128", ("http://127.0.0.1:3128",)),
    ("PURGE_URLS", ["http://a:1", "http://b:2"], ("http://a:1", "http://b:2")),
    ("PURGE_URLS", "", ()),
    ("PURGE_URLS", None, ()),
    ("GIVE_UP_AFTER", 60, 60),
    ("NEAR_CACHE", "off", "off"),
    ("NEAR_CACHE", "pushed", "pushed"),
    ("NEAR_CACHE_SIZE", 1, 1),
    ("NEAR_CACHE_STALENESS", 0.1, 0.1),
    ("COLLAPSE_TIMEOUT", None, None),
    ("HIT_FOR_MISS", 1, 1),
    ("STALE_WHILE_REVALIDATE", 60, 60),
    ("STALE_IF_ERROR", None, None),
    ("STALE_AFTER_CHANGE", True, True),
    ("CACHE_ALIAS", "pages", "pages"),
    ("KEY_PREFIX", "x", "x"),
    ("KEY_PREFIX", "~" * 100, "~" * 100),
    ("PATH_IGNORE_REGEX", "^/a", re.compile("^/a")),
    ("PATH_IGNORE_REGEX", re.compile("^/A", re.IGNORECASE), re.compile("^/A", re.IGNORECASE)),
    ("PATH_IGNORE_REGEX", None, re.compile(r"(?!)")),
    ("PATH_IGNORE_REGEX", "", re.compile(r"(?!)")),
    ("TIMEOUT", None, None),
    ("TIMEOUT", 60, 60),
    ("TIMEOUT", 0.5, 0.5),
    ("TIMEOUT", 2**31, 2**31),
    ("BYPASS", None, nothing),
    ("BYPASS", len, len),
    ("BYPASS", "django.utils.html.escape", escape),
    ("QUERY", "exact", "exact"),
    ("QUERY", ["page", "a", "page"], ("a", "page")),
    ("QUERY", [], ()),
    ("QUERY_TIMEOUT", 60, 60),
    ("STATUSES", {200: 60, 404: 5, 301: None}, {200: 60, 404: 5, 301: None}),
    ("STATUSES", {}, {}),
    ("HONOUR_NO_CACHE", True, True),
    ("COMPRESSION", ["gzip", "br", "gzip"], ("gzip", "br")),
    ("COMPRESSION", (), ()),
    ("MAX_BODY_SIZE", 1, 1),
    ("MAX_VARIANTS", 2**31, 2**31),
    ("HOLD_TIMEOUT", 1, 1),
    ("LEASE_TIMEOUT", 1, 1),
    ("STORE_TIMEOUT", 0.01, 0.01),
    ("RETRY_DELAY", 0.01, 0.01),
    ("STRICT", True, True),
    ("CACHE_STATUS", False, False),
    ("EXPLAIN", True, True),
    ("EXPLAIN", None, False),
]


async def later(request):
    """What Django would have to wait for."""


MAXIMA = ("BODY_SIZE", "HEADER_SIZE", "URL_LENGTH", "VARIANTS")
NO_SECONDS = [0, -1, True, "60", [], float("nan"), float("inf"), 2**31 + 1, 10**400]
BAD = [
    *(("UPSTREAMS", value) for value in (None, [], "x", {1: {}}, {"": {}}, {"a" * 101: {}})),
    *(("PURGE_URLS", value) for value in (1, {"a": 1}, [1], b"http://a")),
    *(("CACHE_ALIAS", value) for value in ("", None, 1, b"default")),
    *(("KEY_PREFIX", value) for value in ("", None, 1, "a b", "a{b}", "größe", "a\n", "a" * 101, b"a")),
    *(("PATH_IGNORE_REGEX", value) for value in ("(", 1, ["^/a"], {"a": 1}, b"^/a", re.compile(b"a"), "a{9999999999}")),
    *((name, value) for name in ("HOLD_TIMEOUT", "LEASE_TIMEOUT", "STORE_TIMEOUT") for value in [*NO_SECONDS, None]),
    *((name, value) for name in ("TIMEOUT", "QUERY_TIMEOUT", "RETRY_DELAY", "GIVE_UP_AFTER") for value in NO_SECONDS),
    *((name, value) for name in ("STRICT", "CACHE_STATUS", "HONOUR_NO_CACHE") for value in (None, 0, 1, "yes", [])),
    *(("EXPLAIN", value) for value in (0, "yes")),
    *(("BYPASS", value) for value in (1, "no.such.function", "", "dumper", later)),
    *(("QUERY", value) for value in (None, "all", [1], b"a", {"a": 1})),
    *(("STATUSES", value) for value in (None, 200, [200], {"200": None}, {206: None}, {304: 1}, {500: 1}, {200: 0})),
    *(("COMPRESSION", value) for value in (None, "gzip", ["deflate"], [1])),
    *(("NEAR_CACHE", value) for value in (None, True, "on", [])),
    *(("NEAR_CACHE_SIZE", value) for value in (None, 0, -1, True, "1")),
    *((name, value) for name in ("NEAR_CACHE_STALENESS", "HIT_FOR_MISS") for value in [*NO_SECONDS, None]),
    *((name, value) for name in ("COLLAPSE_TIMEOUT", "STALE_WHILE_REVALIDATE") for value in NO_SECONDS),
    *(("STALE_IF_ERROR", value) for value in NO_SECONDS),
    *(("STALE_AFTER_CHANGE", value) for value in (None, 0, "yes")),
    *((f"MAX_{name}", value) for name in MAXIMA for value in (None, 0, -1, 1.5, True, "1", 2**31 + 1)),
]


@pytest.fixture
def without_settings():
    """No DUMPER_* setting at all."""
    with override_settings():
        for name in dir(django_settings):
            if name.startswith(PREFIX):
                delattr(django_settings, name)
        # Deleting sends no signal; this does.
        with override_settings(DUMPER_STRICT=False):
            yield


def test_each_setting_has_its_default(without_settings):
    found = settings()
    assert {name: getattr(found, name) for name in DEFAULTS} == DEFAULTS
    assert found.problems == ()
    assert {name.lower() for name in DEFINITIONS} == DEFAULTS.keys()


@pytest.mark.parametrize(("name", "value", "used"), GOOD)
def test_a_good_value_is_used(name, value, used):
    with override_settings(**{PREFIX + name: value}):
        assert getattr(settings(), name.lower()) == used
        assert settings().problems == ()


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_a_problem_and_has_a_safe_stand_in(name, value):
    with override_settings(**{PREFIX + name: value}):
        [(problem, text)] = settings().problems
        assert problem == PREFIX + name
        assert text.startswith("must be ")
        assert getattr(settings(), name.lower()) == SAFE.get(name, DEFAULTS[name.lower()])


def test_a_pattern_that_cannot_be_read_means_that_every_path_is_ignored():
    with override_settings(DUMPER_PATH_IGNORE_REGEX="("):
        assert settings().path_ignore_regex.search("/any/path/")


def test_a_hook_that_cannot_be_used_means_that_every_request_goes_past_the_store():
    with override_settings(DUMPER_BYPASS="no.such.function"):
        assert settings().bypass(None) == "DUMPER_BYPASS cannot be used"


def test_explain_follows_debug():
    with override_settings(DEBUG=True):
        assert settings().explain
    assert not settings().explain


def test_every_problem_is_listed():
    with override_settings(DUMPER_STRICT=1, DUMPER_TIMEOUT=0, DUMPER_CACHE_ALIAS=""):
        assert {name for name, _ in settings().problems} == {"DUMPER_STRICT", "DUMPER_TIMEOUT", "DUMPER_CACHE_ALIAS"}


def test_settings_are_built_once():
    assert settings() is settings()


def test_override_settings_is_in_force_inside_and_nowhere_else():
    before = settings().strict
    with override_settings(DUMPER_STRICT=not before):
        assert settings().strict is not before
        with override_settings(DUMPER_STRICT=before):
            assert settings().strict is before
        assert settings().strict is not before
    assert settings().strict is before


def test_settings_of_others_do_not_make_them_be_built_again():
    before = settings()
    with override_settings(LANGUAGE_CODE="de"):
        assert settings() is before


def test_settings_cannot_be_changed():
    with pytest.raises(AttributeError):
        settings().strict = True
