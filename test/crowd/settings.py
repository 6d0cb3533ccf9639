"""A site of slow pages for a real server; REDIS_URL says where pages are stored."""

import os

from test_project.settings import *  # noqa: F403

DEBUG = False
ROOT_URLCONF = "test.crowd.urls"
LOGGING_CONFIG = None
DUMPER_COLLAPSE_TIMEOUT = float(os.environ["COLLAPSE_TIMEOUT"])
