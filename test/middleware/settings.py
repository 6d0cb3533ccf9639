"""The small site for a real server; REDIS_URL says where pages are stored."""

from test_project.settings import *  # noqa: F403

DEBUG = False
ROOT_URLCONF = "test.middleware.urls"
LOGGING_CONFIG = None
