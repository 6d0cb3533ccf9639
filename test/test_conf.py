"""The settings in force are those of Django, and a bad value breaks nothing."""

import re

import pytest
from django.conf import settings as django_settings
from django.test import override_settings

from dumper.conf import DEFINITIONS, EVERY_PATH, PREFIX, settings

DEFAULTS = {
    "cache_alias": "default",
    "key_prefix": "dumper.cached_path.",
    "path_ignore_regex": re.compile(r"^/admin/"),
    "timeout": None,
    "hold_timeout": 600,
    "lease_timeout": 600,
    "store_timeout": 0.5,
    "retry_delay": 1.0,
    "strict": False,
    "cache_status": True,
}

GOOD = [
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
    ("HOLD_TIMEOUT", 1, 1),
    ("LEASE_TIMEOUT", 1, 1),
    ("STORE_TIMEOUT", 0.01, 0.01),
    ("RETRY_DELAY", 0.01, 0.01),
    ("STRICT", True, True),
    ("CACHE_STATUS", False, False),
]

NO_SECONDS = [0, -1, True, "60", [], float("nan"), float("inf"), 2**31 + 1, 10**400]
BAD = [
    *(("CACHE_ALIAS", value) for value in ("", None, 1, b"default")),
    *(("KEY_PREFIX", value) for value in ("", None, 1, "a b", "a{b}", "größe", "a\n", "a" * 101, b"a")),
    *(("PATH_IGNORE_REGEX", value) for value in ("(", 1, ["^/a"], {"a": 1}, b"^/a", re.compile(b"a"), "a{9999999999}")),
    *((name, value) for name in ("HOLD_TIMEOUT", "LEASE_TIMEOUT", "STORE_TIMEOUT") for value in [*NO_SECONDS, None]),
    *((name, value) for name in ("TIMEOUT", "RETRY_DELAY") for value in NO_SECONDS),
    *((name, value) for name in ("STRICT", "CACHE_STATUS") for value in (None, 0, 1, "yes", [])),
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
        stand_in = EVERY_PATH if name == "PATH_IGNORE_REGEX" else DEFAULTS[name.lower()]
        assert getattr(settings(), name.lower()) == stand_in


def test_a_pattern_that_cannot_be_read_means_that_every_path_is_ignored():
    with override_settings(DUMPER_PATH_IGNORE_REGEX="("):
        assert settings().path_ignore_regex.search("/any/path/")


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
