"""Django's settings. Every deployment value comes from the environment (`.env.example`)."""

import os
from datetime import timedelta
from pathlib import Path
from tempfile import gettempdir
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from config import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent
env.load_file(BASE_DIR)

SECRET_KEY = env.required("SECRET_KEY", "at least 50 random characters")
DEBUG = env.switch("DEBUG")
DEMO = env.switch("DEMO")

# The address that patients and providers reach: base of every link and of every webhook.
PUBLIC_URL = env.address("PUBLIC_URL", env.required("PUBLIC_URL", "e.g. https://clinic.example"))
ALLOWED_HOSTS = [
    *env.listing("ALLOWED_HOSTS", [urlsplit(PUBLIC_URL).hostname or ""]),
    # The health checks of a container or a proxy ask on the loopback address.
    "localhost",
    "127.0.0.1",
]
CSRF_TRUSTED_ORIGINS = env.listing("CSRF_TRUSTED_ORIGINS", [PUBLIC_URL])

INSTALLED_APPS = [
    "config",
    "reminders",
    "appointments",
    "patients",
    "clinic",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "anymail",
    "axes",
    "csp",
    "django_htmx",
]

MIDDLEWARE = [
    # First, so that whatever is written for a request says where it came from.
    "clinic.origin.middleware",
    "clinic.reader_day.middleware",
    "clinic.reading_once.middleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "clinic.compressing.CompressTexts",
    "csp.middleware.CSPMiddleware",
    # Before everything that reads a body, of which the check against forgeries is the first.
    "clinic.body_limits.BodyLimits",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Every page needs a signed-in staff member unless its view says `login_not_required`.
    "clinic.session_end.SessionEnd",
    "clinic.reader_language.ReaderLanguage",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "reminders.patient_pages.failed_page.for_forms_alone",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            # Every page of staff is translated.
            "builtins": ["django.templatetags.i18n"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]

# --- Stores ---------------------------------------------------------------------------------------

DATABASES = {
    "default": {
        **env.database("DATABASE_URL"),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.redis("REDIS_URL")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}

# --- People ---------------------------------------------------------------------------------------

AUTH_USER_MODEL = "clinic.Staff"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"

# One working day: a tablet left on a counter is signed out by the next morning.
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_NAME = "afterglow_session"
CSRF_COOKIE_NAME = "afterglow_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "reminders.patient_pages.failed_page.unsent"
# What `clinic.body_limits` answers to pages.
TOO_LARGE_VIEW = "reminders.patient_pages.failed_page.too_large"

# How many trusted reverse proxies stand in front; behind one, its headers tell scheme and client.
PROXIES = env.number("PROXIES", 0)

AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=15)
# The sign-in form posts the e-mail address as `username`; by default the field of the model is
# looked for, every try counts for nobody and no account ever rests.
AXES_USERNAME_FORM_FIELD = "username"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "clinic.views.signing_in.locked_out"
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address"]
AXES_IPWARE_PROXY_COUNT = PROXIES

# --- Transport and browser ------------------------------------------------------------------------

HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS and PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF, NONCE],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Static files ---------------------------------------------------------------------------------

STATIC_URL = "/static/"
# The image collects files under hashed names; everywhere else the apps' own folders are served.
STATICFILES_FINDERS = [
    "config.style_sheets.Joined",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
JOINED_SHEETS = Path(env.text("JOINED_SHEETS") or BASE_DIR / ".data" / "sheets")
STATIC_MANIFEST = env.switch("STATIC_MANIFEST")
STATIC_ROOT = BASE_DIR / "staticfiles" if STATIC_MANIFEST else None
WHITENOISE_USE_FINDERS = not STATIC_MANIFEST
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "config.style_sheets.Storage"
        if STATIC_MANIFEST
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# Files that are served by permission only, or not at all; every process must see the same folder.
PRIVATE_ROOT = Path(env.text("PRIVATE_ROOT") or BASE_DIR / ".data" / "private")

# --- Language and time ----------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["config.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- API ------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["clinic.api_parsing.BoundedJSON"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "clinic.api_schema.Schema",
    "EXCEPTION_HANDLER": "clinic.api_errors.handler",
    "NUM_PROXIES": PROXIES,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
REST_KNOX = {
    "TOKEN_TTL": timedelta(hours=12),
    "AUTH_HEADER_PREFIX": "Token",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Afterglow",
    "DESCRIPTION": "Treatment series, visits and the messages around them.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["clinic.api_schema.with_errors"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
# Nothing here is a map, and the search for this library takes three dozen processes whenever a
# process describes the API for the first time.
GDAL_LIBRARY_PATH = os.devnull

# --- Channels -------------------------------------------------------------------------------------

vars().update(env.email("EMAIL_URL"))
EMAIL_TIMEOUT = 15
# An Anymail provider in place of SMTP, such as "postmark", with its settings by Anymail's names.
MAIL_PROVIDER = env.text("MAIL_PROVIDER")
if MAIL_PROVIDER:
    EMAIL_BACKEND = f"anymail.backends.{MAIL_PROVIDER}.EmailBackend"
# What the provider's reports carry as user:password; while it is rotated, also the former one.
MAIL_WEBHOOK_SECRETS = env.listing("MAIL_WEBHOOK_SECRETS", [])
ANYMAIL = env.mapping("MAIL_PROVIDER_SETTINGS")
# Providers of texts and mail with whom an agreement about health data is signed; "smtp" is the
# server of EMAIL_URL.
HEALTH_DATA_AGREEMENTS = env.listing("HEALTH_DATA_AGREEMENTS", [])
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Afterglow <afterglow@localhost>")

# Which provider takes texts: "twilio" or "telnyx".
SMS_PROVIDER = env.choice("SMS_PROVIDER", ("twilio", "telnyx"))
# Where a process notes which letter it writes; must outlive the process.
LAST_WORDS_DIR = env.text("LAST_WORDS_DIR") or str(Path(gettempdir()) / "afterglow-last-words")
# How long a provider may take to know of a text that it did not answer about, before it is asked.
# Two looks, this far apart, must find nothing before a text is sent again: never under a minute
# with a real provider.
UNKNOWN_SETTLES_SECONDS = env.number("UNKNOWN_SETTLES_SECONDS", 60)

TWILIO_ACCOUNT_SID = env.text("TWILIO_ACCOUNT_SID")
TWILIO_AUTH_TOKEN = env.text("TWILIO_AUTH_TOKEN")
# While a token is rotated, webhooks signed with the former one are still believed.
TWILIO_AUTH_TOKEN_PREVIOUS = env.text("TWILIO_AUTH_TOKEN_PREVIOUS")
# A stand-in of the provider's API; empty is the real one.
TWILIO_BASE_URL = env.address("TWILIO_BASE_URL", env.text("TWILIO_BASE_URL"))

TELNYX_API_KEY = env.text("TELNYX_API_KEY")
# Needed for an alphanumeric sender; reports of another profile are then refused.
TELNYX_MESSAGING_PROFILE_ID = env.text("TELNYX_MESSAGING_PROFILE_ID")
# The account's Ed25519 keys (base64) that sign its reports; the former one while it is rotated.
TELNYX_PUBLIC_KEY = env.text("TELNYX_PUBLIC_KEY")
TELNYX_PUBLIC_KEY_PREVIOUS = env.text("TELNYX_PUBLIC_KEY_PREVIOUS")
TELNYX_BASE_URL = env.address("TELNYX_BASE_URL", env.text("TELNYX_BASE_URL"))

# The demo's stand-in, whose received mail and texts /sandbox/ shows; empty means no such page.
SANDBOX_URL = env.address("SANDBOX_URL", env.text("SANDBOX_URL"))

# --- Watching -------------------------------------------------------------------------------------

# What /metrics/ asks of Prometheus as its bearer token; empty means no such page.
METRICS_TOKEN = env.text("METRICS_TOKEN")

# --- Logs -----------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "config.logs.Discreet",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # Django's own handlers would write the line a second time, and unmasked.
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # A doorbell a second is not news.
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "twilio": {"level": "WARNING"},
        "faker": {"level": "WARNING"},
    },
}
