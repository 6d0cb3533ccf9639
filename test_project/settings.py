"""Settings of the demo site; the environment picks the cache and the places."""

import json
import os
from pathlib import Path

import django

HERE = Path(__file__).resolve().parent

SECRET_KEY = "only-a-demo"
DEBUG = os.environ.get("DEMO_DEBUG", "1") != "0"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver", ".example"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "dumper",
    "test_project.shop",
]

# Caches in front of the demo, as JSON; with an outbox, so that no purge is lost.
if DEMO_UPSTREAMS := os.environ.get("DEMO_UPSTREAMS"):
    DUMPER_UPSTREAMS = json.loads(DEMO_UPSTREAMS)
    INSTALLED_APPS.insert(-1, "dumper.outbox")

MIDDLEWARE = [
    "test_project.timing.TimingMiddleware",
    "dumper.middleware.UpdateCacheMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "dumper.middleware.FetchFromCacheMiddleware",
]

# Nonces came with Django 6.0.
HAS_CSP = django.VERSION >= (6, 0)
if HAS_CSP:
    MIDDLEWARE.insert(2, "django.middleware.csp.ContentSecurityPolicyMiddleware")

DUMPER_PATH_IGNORE_REGEX = r"^/(admin|media)/"

ROOT_URLCONF = "test_project.urls"
WSGI_APPLICATION = "test_project.wsgi.application"
ASGI_APPLICATION = "test_project.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                *(["django.template.context_processors.csp"] if HAS_CSP else []),
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DEMO_DB", HERE / "db.sqlite3"),
        # Who reads first and writes then would fail where another writes in between, instead of waiting.
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Local memory belongs to one process; several processes need a shared Redis.
if REDIS_URL := os.environ.get("REDIS_URL"):
    CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": REDIS_URL,
        }
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    }

STORAGES = {
    "default": {"BACKEND": "test_project.shop.storage.SlowStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_URL = "/static/"
MEDIA_URL = "/media/"
MEDIA_ROOT = os.environ.get("DEMO_MEDIA", HERE / "media")
DEMO_SLOWNESS = float(os.environ.get("DEMO_SLOWNESS", "7"))  # milliseconds

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"console": {"()": "test_project.log.ConsoleFormatter"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "console"},
    },
    "loggers": {
        "dumper.middleware": {"handlers": ["console"], "level": "DEBUG"},
        "dumper.invalidation": {"handlers": ["console"], "level": "DEBUG"},
        "dumper.site": {"handlers": ["console"], "level": "INFO"},
        "test_project.timing": {"handlers": ["console"], "level": "INFO"},
        # The timing line already tells about each request.
        "django.server": {"handlers": ["console"], "level": "WARNING"},
    },
}
