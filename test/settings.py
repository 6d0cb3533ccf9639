"""The demo site's settings, made plain for tests."""

import atexit
import os
import tempfile
from urllib.parse import urlsplit

from test_project.settings import *

DEBUG = False

# The outbox's table is there, but nothing is written into it: test/conftest.py.
INSTALLED_APPS = [*INSTALLED_APPS, "dumper.outbox", "test.app"]
ROOT_URLCONF = "test.urls"

# The pair stands where Django's own cache middleware would: first and last.
MIDDLEWARE = [
    "dumper.middleware.UpdateCacheMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "dumper.middleware.FetchFromCacheMiddleware",
]

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


def postgresql(name):
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": _url.username,
        "PASSWORD": _url.password,
        "HOST": _url.hostname,
        "PORT": _url.port,
    }


def mysql(name):
    import pymysql

    pymysql.install_as_MySQLdb()
    return {**postgresql(name), "ENGINE": "django.db.backends.mysql", "PASSWORD": _url.password or ""}


def sqlite(name):
    # Files: in shared memory, connections of several threads would lock each other out.
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "TEST": {"NAME": f"{_directory.name}/{name}.sqlite3"},
        "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF"},
    }


# TEST_DATABASE=postgresql://user@host:port/name runs the same tests on PostgreSQL, mysql://... on MariaDB.
if TEST_DATABASE := os.environ.get("TEST_DATABASE"):
    _url = urlsplit(TEST_DATABASE)
    _server = mysql if _url.scheme == "mysql" else postgresql
    DATABASES = {"default": _server(_url.path.lstrip("/")), "other": _server("other")}
else:
    _directory = tempfile.TemporaryDirectory(prefix="dumper-")
    atexit.register(_directory.cleanup)
    DATABASES = {"default": sqlite("default"), "other": sqlite("other")}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGGING_CONFIG = None
DEMO_SLOWNESS = 0
