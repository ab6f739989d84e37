"""The settings of the tests and of mypy, which loads them without any service behind."""

import os

from config.embedded import default_data_dir

for _name, _value in {
    "ENV_FILE": "",
    "SECRET_KEY": "for-tests-and-type-checks-only-0123456789-abcdefghij",
    "PUBLIC_URL": "http://testserver",
    "DATABASE_URL": "postgres://afterglow@/afterglow?host=/nowhere",
    "REDIS_URL": "unix:///nowhere/redis.sock",
    "EMAIL_URL": "smtp://127.0.0.1:1",
    "HEALTH_DATA_AGREEMENTS": "smtp",
    "TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000000",
    "TWILIO_AUTH_TOKEN": "the-token-of-the-tests",
    "JOINED_SHEETS": str(default_data_dir() / "tests" / "sheets"),
}.items():
    os.environ.setdefault(_name, _value)

from config.settings import *  # noqa: E402, F403

# Signing in is tested often; the slow hasher is Django's own and needs no test.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Every test client is an application of its own, and would gather all static files anew before it
# first answers: each is looked for when it is asked for.
WHITENOISE_AUTOREFRESH = True
