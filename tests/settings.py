"""The project's settings, read after the services are there, with what only tests want."""

import os

import dj_database_url

from tests import services

services.prepare()

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES  # noqa: E402

if not services.started_by_a_test():
    owner = dj_database_url.parse(os.environ["MIGRATE_DATABASE_URL"])
    DATABASES["default"] |= {name: owner[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True  # nothing is collected for tests
