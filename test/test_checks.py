"""Each mistake in the set-up is found, with a hint that mends it; a good set-up has none."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core import checks
from django.test import override_settings

import dumper
from dumper.checks import CHECKS
from test.middleware.stacks import DJANGO, FETCH, LOCALE, UPDATE
from test.servers import ROOT

GZIP = "django.middleware.gzip.GZipMiddleware"
DJANGOS_OWN = "django.middleware.cache.FetchFromCacheMiddleware"
LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
ONE_SERVER = "redis://127.0.0.1:1/0"


class Derived(dumper.middleware.UpdateCacheMiddleware):
    """A site may have a class of its own."""


def factory(get_response):
    """Middleware need not be a class."""
    return get_response


def found() -> list[checks.CheckMessage]:
    return [message for check in CHECKS for message in check(app_configs=None)]


def cache(backend: str, location: object = "", **options) -> dict:
    return {"CACHES": {"default": {"BACKEND": backend, "LOCATION": location, **options}}}


ROWS = [
    ("nothing in MIDDLEWARE", {"MIDDLEWARE": DJANGO}, "E001", f"Put {UPDATE} first and {FETCH} last"),
    ("only the first of the pair", {"MIDDLEWARE": [UPDATE, *DJANGO]}, "E001", f"{FETCH} last"),
    ("only the second", {"MIDDLEWARE": [*DJANGO, FETCH]}, "E001", f"Put {UPDATE} first"),
    ("the first twice", {"MIDDLEWARE": [UPDATE, UPDATE, FETCH]}, "E002", "Keep one UpdateCacheMiddleware"),
    ("the second twice", {"MIDDLEWARE": [UPDATE, FETCH, FETCH]}, "E002", "one FetchFromCacheMiddleware"),
    ("a class of one's own besides", {"MIDDLEWARE": [UPDATE, "test.test_checks.Derived", FETCH]}, "E002", "Keep one"),
    ("the wrong order", {"MIDDLEWARE": [FETCH, *DJANGO, UPDATE]}, "E003", f"Put {UPDATE} first and {FETCH} after it"),
    ("no such alias", {"DUMPER_CACHE_ALIAS": "nowhere"}, "E004", "Define it in CACHES"),
    ("no such backend", cache("no.such.Backend"), "E004", "Define it in CACHES"),
    ("a flag that is none", {"DUMPER_STRICT": 1}, "E005", "The default is"),
    ("a pattern that is none", {"DUMPER_PATH_IGNORE_REGEX": "("}, "E005", "The default is"),
    ("a pattern for bytes", {"DUMPER_PATH_IGNORE_REGEX": b"a"}, "E005", "The default is"),
    ("no time", {"DUMPER_TIMEOUT": 0}, "E005", "The default is"),
    ("no prefix", {"DUMPER_KEY_PREFIX": "a b"}, "E005", "The default is"),
    ("a cache that keeps nothing", cache("django.core.cache.backends.dummy.DummyCache"), "W001", "another backend"),
    ("local memory in production", {**cache(LOCMEM), "DEBUG": False}, "W002", "Use Redis"),
    ("files", cache("django.core.cache.backends.filebased.FileBasedCache", "/nowhere"), "W003", "Use Redis"),
    ("a database", cache("django.core.cache.backends.db.DatabaseCache", "no_table"), "W003", "Use Redis"),
    ("memcached", cache("django.core.cache.backends.memcached.PyMemcacheCache", "127.0.0.1:1"), "W003", "Use Redis"),
    ("Redis with replicas", cache("django.core.cache.backends.redis.RedisCache", [ONE_SERVER] * 2), None, ""),
    ("pushes from nobody", {**cache(LOCMEM), "DEBUG": True, "DUMPER_NEAR_CACHE": "pushed"}, "W014", "Use Redis"),
    ("staleness for no time", {"DUMPER_STALE_AFTER_CHANGE": True}, "W015", "Set DUMPER_STALE_WHILE_REVALIDATE"),
    ("a setting misspelt", {"DUMPER_TIMEOUTS": 1}, "W004", "Did you mean DUMPER_TIMEOUT?"),
    ("a setting of something else", {"DUMPER_XYZ_QQ": 1}, "W004", "the README lists the settings"),
    ("sessions outside", {"MIDDLEWARE": [*DJANGO, UPDATE, FETCH]}, "W005", f"Put {UPDATE} first"),
    ("gzip inside", {"MIDDLEWARE": [UPDATE, GZIP, FETCH]}, None, ""),
    ("gzip outside", {"MIDDLEWARE": [GZIP, UPDATE, FETCH]}, None, ""),
    ("languages too late", {"MIDDLEWARE": [UPDATE, FETCH, LOCALE]}, "W007", "after LocaleMiddleware"),
    ("languages in time", {"MIDDLEWARE": [UPDATE, LOCALE, FETCH]}, None, ""),
    ("two caches", {"MIDDLEWARE": [UPDATE, DJANGOS_OWN, FETCH]}, "E007", "Remove"),
    ("a middleware misspelt", {"MIDDLEWARE": [UPDATE, "no.such.Middleware", FETCH]}, None, ""),
    ("tokens too late", {"MIDDLEWARE": [UPDATE, FETCH, *DJANGO]}, "W006", "after CsrfViewMiddleware"),
    ("side by side", {"MIDDLEWARE": [UPDATE, FETCH, DJANGO[0]]}, None, ""),
    ("any host", {"ALLOWED_HOSTS": ["example.com", "*"]}, "W009", "Name the hosts"),
    ("a hook misspelt", {"DUMPER_BYPASS": "no.such.hook"}, "E005", "default"),
    ("a class of one's own", {"MIDDLEWARE": ["test.test_checks.Derived", FETCH]}, None, ""),
    ("a function among the middleware", {"MIDDLEWARE": [UPDATE, "test.test_checks.factory", FETCH]}, None, ""),
    ("local memory in development", {**cache(LOCMEM), "DEBUG": True}, None, ""),
    ("django-redis", cache("django_redis.cache.RedisCache", ONE_SERVER), None, ""),
    ("Django's own Redis", cache("django.core.cache.backends.redis.RedisCache", ONE_SERVER), None, ""),
    ("every setting", {"DUMPER_TIMEOUT": 60, "DUMPER_STRICT": True, "DUMPER_CACHE_STATUS": False}, None, ""),
]


@pytest.fixture(autouse=True)
def good():
    """A set-up with nothing to complain about."""
    place = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": ONE_SERVER}
    with override_settings(MIDDLEWARE=[UPDATE, *DJANGO, FETCH], CACHES={"default": place}):
        yield


def test_a_good_set_up_has_nothing_to_mend():
    assert found() == []


@pytest.mark.parametrize(("changed", "number", "hint"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_each_mistake_has_its_number_and_its_hint(changed, number, hint):
    with override_settings(**changed):
        messages = found()
    assert [message.id for message in messages] == ([f"dumper.{number}"] if number else [])
    for message in messages:
        assert hint in message.hint
        assert (message.level >= checks.ERROR) == number.startswith("E")


def test_a_problem_names_the_setting_and_its_value():
    with override_settings(DUMPER_STRICT="yes"):
        [message] = found()
    assert message.msg == "DUMPER_STRICT must be True or False, not 'yes'."


def test_a_message_names_what_is_absent():
    with override_settings(MIDDLEWARE=[UPDATE]):
        [message] = found()
    assert message.msg == f"{FETCH} is not in MIDDLEWARE: no page is stored."


def test_a_registered_model_without_paths_is_told_of_until_it_is_unregistered():
    dumper.register(Group)
    try:
        [message] = found()
    finally:
        dumper.unregister(Group)
    assert (message.id, message.obj) == ("dumper.W008", Group)
    assert "dependent_paths()" in message.hint
    assert found() == []


def test_several_mistakes_are_all_found():
    with override_settings(MIDDLEWARE=[], DUMPER_STRICT=1, DUMPER_TIMEOUTS=1, DUMPER_CACHE_ALIAS="nowhere"):
        numbers = sorted(message.id for message in found())
    assert numbers == ["dumper.E001", "dumper.E004", "dumper.E005", "dumper.W004"]


VARNISH = {"BACKEND": "dumper.upstreams.varnish.Varnish", "LOCATION": "http://127.0.0.1:1"}
PURGED_BY_URL = {"BACKEND": "dumper.upstreams.http.Http", "LOCATION": "http://127.0.0.1:1"}


def test_without_the_pair_the_caches_in_front_may_do_the_storing():
    with override_settings(MIDDLEWARE=DJANGO, DUMPER_UPSTREAMS={"edge": VARNISH}):
        assert found() == []
    with override_settings(MIDDLEWARE=[UPDATE, *DJANGO], DUMPER_UPSTREAMS={"edge": VARNISH}):
        assert [message.id for message in found()] == ["dumper.E001"]


@pytest.mark.parametrize(
    ("upstream", "said"),
    [
        (VARNISH | {"OPTIONS": {"control": "Surogate-Contol"}}, "no cache is known to read 'Surogate-Contol'"),
        (PURGED_BY_URL, "no host is known"),
    ],
)
def test_what_is_doubtful_about_an_upstream_is_said(upstream, said):
    with override_settings(DUMPER_UPSTREAMS={"edge": upstream}, ALLOWED_HOSTS=[".example.com"]):
        (message,) = found()
    assert message.id == "dumper.W010"
    assert said in message.msg


def test_where_purges_are_kept_in_memory_is_said_when_it_counts():
    without = [app for app in settings.INSTALLED_APPS if app != "dumper.outbox"]
    for apps, expected in ((settings.INSTALLED_APPS, set()), (without, {"dumper.W013"})):
        with override_settings(INSTALLED_APPS=apps, DUMPER_UPSTREAMS={"edge": VARNISH}):
            messages = checks.run_checks(include_deployment_checks=True)
            assert {message.id for message in messages} & {"dumper.W013"} == expected
            assert "dumper.W013" not in {message.id for message in checks.run_checks()}


def test_the_checks_are_part_of_djangos():
    with override_settings(DUMPER_STRICT=1):
        assert "dumper.E005" in {message.id for message in checks.run_checks()}


@pytest.mark.parametrize("url", [None, ONE_SERVER])
def test_the_demo_has_nothing_to_mend(url):
    environ = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environ |= {"REDIS_URL": url} if url else {}
    command = [sys.executable, "test_project/manage.py", "check", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
