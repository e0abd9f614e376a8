"""Settings come from the environment; whatever is missing fails with a helpful sentence.

`make run` and the tests start their own services and fill these variables (`config/services.py`). In production the
same variables point at the municipality's own; `docs/operations.md` lists them.
"""

import os
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config import logs, production

BASE_DIR = Path(__file__).resolve().parent.parent


def env(name: str, default: str | None = None) -> str:
    """The variable's value; without one and without a default, a sentence saying what to set."""
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"Set the environment variable {name} (docs/operations.md says to what).")
    return value


def env_list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in env(name, default).split(",") if part.strip()]


def env_bool(name: str, default: bool = False) -> bool:
    return env(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


DEBUG = env_bool("DEBUG")
SECRET_KEY = env("SECRET_KEY")
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")
SITE_URL = env("SITE_URL", "http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", SITE_URL)

INSTALLED_APPS = [
    "accounts",  # before admin, so that our sign-in templates win
    "dkfds",
    "config.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",  # allauth's list of passkeys says when each was used
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "crispy_forms",
    "csp",
    "django_prometheus",
    "audit",
    "mailouts",
    "participation",
    "budgets",
]
if env_bool("DEMO"):
    INSTALLED_APPS.append("demo")

MIDDLEWARE = [
    "config.health.HealthMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",  # also for what those below answer themselves
    "participation.page_cache.PageCacheMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SessionLifeMiddleware",
    "config.uploads.BodyLimitMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.SecondFactorMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.site",
            ],
        },
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = ["dkfds"]
CRISPY_TEMPLATE_PACK = "dkfds"

DATABASES = {
    "default": dj_database_url.parse(env("DATABASE_URL"), conn_max_age=0)
    | {"ATOMIC_REQUESTS": False, "CONN_HEALTH_CHECKS": True},
}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database (15 or newer).")
DATABASES["default"].setdefault("OPTIONS", {})
if env_bool("DATABASE_POOL"):
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": int(env("DATABASE_POOL_SIZE", "8"))}
# The application's role: everything but changing or emptying the audit table. Granted after each migrate (audit/grants.py).
DATABASE_APP_ROLE = env("DATABASE_APP_ROLE", "")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "serializer": "config.cache.SignedSerializer",
            "socket_connect_timeout": 1,
            "socket_timeout": 1,
        },  # pages don't wait for a cache that hangs
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 60 * 60 * 8
SESSION_EXPIRE_AT_BROWSER_CLOSE = True  # the next one at a library's computer is nobody
SESSION_LONGEST = 60 * 60 * 12  # after that everybody signs in again, however busy: accounts/middleware.py
HTTPS = SITE_URL.startswith("https://")  # all but a portal on one's own machine
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# The browser takes __Host- cookies from this host alone: no sister site of the municipality's domain can plant one.
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 300, "socket_connect_timeout": 3}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ROUTES = {
    "mailouts.send_letters": {"queue": "mailouts"},
    "mailouts.make_prints": {"queue": "mailouts"},
}
CELERY_TIMEZONE = "Europe/Copenhagen"
CELERY_BEAT_SCHEDULE = {  # jobs look back instead of assuming that they ran last time
    "move by the clock": {"task": "participation.move_by_the_clock", "schedule": 60},
    "tell of phases": {"task": "participation.tell_of_phases", "schedule": 60},
    "remind of overdue": {"task": "participation.remind_of_overdue", "schedule": 3600},
    "delete expired drafts": {"task": "participation.delete_expired_drafts", "schedule": 3600},
    "forget expired invitations": {"task": "participation.forget_expired_invitations", "schedule": 3600},
    # Letters have a queue and workers of their own, so that no notice waits behind 40,000 of them.
    "send letters": {
        "task": "mailouts.send_letters",
        "schedule": 15,
        "options": {"queue": "mailouts", "expires": 15},
    },
    "send notices": {"task": "mailouts.send_post", "schedule": 60},
    "build lists of letters": {"task": "mailouts.build_lists", "schedule": 60},
    "print letters": {
        "task": "mailouts.make_prints",
        "schedule": 30,
        "options": {"queue": "mailouts", "expires": 30},
    },
    "delete old letters": {"task": "mailouts.delete_old_content", "schedule": 3600},
    "sweep files": {"task": "participation.sweep_files", "schedule": 3600},
    "remove names": {"task": "participation.remove_names", "schedule": 3600},
    "open votes": {"task": "budgets.open_rounds", "schedule": 60},
    "make voting codes": {"task": "budgets.make_codes", "schedule": 60},
    "seal votes": {"task": "budgets.seal_rounds", "schedule": 60},
    "count turnout": {"task": "budgets.count_turnout", "schedule": 60},
    "count rounds": {"task": "budgets.count_rounds", "schedule": 60},
    "compare counts": {"task": "budgets.compare_counts", "schedule": 60},
    "remind of unfinished votes": {"task": "budgets.remind_unfinished", "schedule": 3600},
    "anonymise rolls": {"task": "budgets.anonymise_rolls", "schedule": 3600},
    "begin carrying out": {"task": "budgets.begin_carrying_out", "schedule": 3600},
    "remind of quiet projects": {"task": "budgets.remind_of_quiet_projects", "schedule": 3600},
    "forget contacts of ended projects": {
        "task": "budgets.forget_contacts",
        "schedule": crontab(hour=3, minute=40),
    },
    "purge personal data": {
        "task": "accounts.tasks.purge_personal_data",
        "schedule": crontab(hour=3, minute=20),
    },
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "accounts.backends.RoleBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator", "NumericPasswordValidator")
] + [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    }
]
PASSWORD_RESET_TIMEOUT = 60 * 60 * 24  # the link by which staff choose a password
CSRF_FAILURE_VIEW = "dkfds.errors.csrf_failure"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/min-side/"

# Staff sign in with e-mail, password and a second factor, or through the municipality's own OpenID Connect.
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]  # sign-up itself is closed: see accounts/adapters.py
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = SITE_URL.partition(":")[0]
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_FORMS = {"reset_password": "accounts.forms.StaffResetPasswordForm"}
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "10/m/user",
    "manage_email": "10/m/user",
    "broker_login": "30/m/ip",
    "export": "10/h/user",
}
ALLAUTH_TRUSTED_PROXY_COUNT = int(env("PROXY_COUNT", "1" if env_bool("BEHIND_PROXY") else "0"))
MFA_ADAPTER = "accounts.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1
MFA_TOTP_ISSUER = env("PORTAL_NAME", "Øjenhøjde")
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = SITE_URL.startswith("http://")
MFA_RECOVERY_CODES_SHOW_ONCE = True

# Keys. Each is a comma-separated list, newest first; the oldest may be dropped when nothing uses it any more.
PERSON_KEY_SECRETS = env_list("PERSON_KEY_SECRETS")  # "version:secret"
FIELD_KEYS = env_list("FIELD_KEYS")  # Fernet keys of encrypted columns
BALLOT_KEY = env("BALLOT_KEY", "")  # 32 bytes, urlsafe base64; never in the database
CODE_KEY = env("CODE_KEY", "")  # 32 bytes too, another one: voting codes are known again by it

LANGUAGE_CODE = "da"
LANGUAGES = [("da", _("Danish")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Copenhagen"
USE_I18N = USE_TZ = True
FORMAT_MODULE_PATH = ["config.formats"]

STATIC_URL = "static/"
STATIC_ROOT = Path(env("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [path for path in (BASE_DIR / "static", BASE_DIR / "static_built") if path.exists()]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or env_bool("PLAIN_STATIC")
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
if env("S3_BUCKET", ""):
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": env("S3_BUCKET"),
            "endpoint_url": env("S3_ENDPOINT_URL", "") or None,
            "region_name": env("S3_REGION", "") or None,
            "access_key": env("S3_ACCESS_KEY_ID"),
            "secret_key": env("S3_SECRET_ACCESS_KEY"),
            "default_acl": None,  # the bucket's own rule, and that is private
            "file_overwrite": False,
        },
    }
MEDIA_ROOT = Path(env("MEDIA_ROOT", str(BASE_DIR / "media")))

EMAIL_HOST = env("EMAIL_HOST", "localhost")
EMAIL_PORT = int(env("EMAIL_PORT", "25"))
EMAIL_HOST_USER = env("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS")
EMAIL_TIMEOUT = int(env("EMAIL_TIMEOUT", "20"))
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", "deltag@example.dk")

# The municipality this portal belongs to.
MUNICIPALITY = {
    "name": env("MUNICIPALITY_NAME", "Lunde Kommune"),
    "code": env("MUNICIPALITY_CODE", "9999"),
    "portal": env("PORTAL_NAME", "Øjenhøjde"),
    "phone": env("MUNICIPALITY_PHONE", "00 00 00 00"),
    "email": env("MUNICIPALITY_EMAIL", "deltag@example.dk"),
    "address": env("MUNICIPALITY_ADDRESS", ""),
}

# Municipal councils sit for four years from 1 January after the election (Kommunal- og Regionalvalgloven § 6).
COUNCIL_TERM_ENDS = date.fromisoformat(env("COUNCIL_TERM_ENDS", "2029-12-31"))
# Up to and from which amount (kroner) a process is proposed as small or large.
SIZE_SMALL_UP_TO = int(env("SIZE_SMALL_UP_TO", "250000"))
SIZE_LARGE_FROM = int(env("SIZE_LARGE_FROM", "5000000"))
# Duties without a date of their own: days to look at a contribution, to confirm a correction, to report back.
DUTY_DAYS = {
    **{"moderate": 2, "confirm_correction": 2, "approve": 5, "report_back": 30},
    **{"plan_project": 30, "confirm_told": 5, "approve_accounts": 10},
}


# Citizens sign in through any OpenID Connect broker for MitID; MITID_ASSURANCE lists the levels that are enough.
MITID_ISSUER = env("MITID_ISSUER", "").rstrip("/")
MITID_CLIENT_ID = env("MITID_CLIENT_ID", "")
MITID_CLIENT_SECRET = env("MITID_CLIENT_SECRET", "")
MITID_SCOPES = env("MITID_SCOPES", "openid mitid ssn").split()
MITID_ASSURANCE = frozenset(env_list("MITID_ASSURANCE", "Substantial,High"))
# The municipality's own sign-in for staff, if any. What proves the second factor is named by the values of amr or acr.
STAFF_OIDC_ISSUER = env("STAFF_OIDC_ISSUER", "").rstrip("/")
STAFF_OIDC_CLIENT_ID = env("STAFF_OIDC_CLIENT_ID", "")
STAFF_OIDC_CLIENT_SECRET = env("STAFF_OIDC_CLIENT_SECRET", "")
STAFF_OIDC_SECOND_FACTOR = frozenset(env_list("STAFF_OIDC_SECOND_FACTOR", "mfa"))

SOCIALACCOUNT_ADAPTER = "accounts.adapters.BrokerAdapter"
SOCIALACCOUNT_STORE_TOKENS = False  # the ID token may hold the CPR number
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_AUTO_SIGNUP = True
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "APPS": [
            {
                "provider_id": provider_id,
                "name": name,
                "client_id": client_id,
                "secret": secret,
                "settings": {
                    "server_url": issuer,
                    "scope": scopes,
                    "oauth_pkce_enabled": True,
                    "fetch_userinfo": True,
                },
            }
            for provider_id, name, issuer, client_id, secret, scopes in (
                ("mitid", "MitID", MITID_ISSUER, MITID_CLIENT_ID, MITID_CLIENT_SECRET, MITID_SCOPES),
                (
                    "medarbejder",
                    env("STAFF_OIDC_NAME", "Kommunens login"),
                    STAFF_OIDC_ISSUER,
                    STAFF_OIDC_CLIENT_ID,
                    STAFF_OIDC_CLIENT_SECRET,
                    ["openid", "profile", "email"],
                ),
            )
            if issuer
        ]
    }
}

# Letters. The gateway is reached through an adapter; SF1601's takes the rest of these variables.
DIGITAL_POST: dict[str, Any] = {
    "adapter": env("DIGITAL_POST_ADAPTER", "mailouts.sf1601.KombiPost"),
    "url": env("DIGITAL_POST_URL", "").rstrip("/"),  # what comes before /service/…
    "sender_cvr": env("DIGITAL_POST_CVR", ""),
    "memo_version": env("DIGITAL_POST_MEMO", "1.2"),  # or 1.1
    "saml_token": env(
        "DIGITAL_POST_SAML_TOKEN", ""
    ),  # a file that holds the assertion, or its http(s) address
    "certificate": env("DIGITAL_POST_CERTIFICATE", ""),  # PEM with certificate and key, for mutual TLS
    "print_type": env(
        "DIGITAL_POST_PRINT_TYPE", ""
    ),  # ForsendelseTypeIdentifikator, as agreed with the printer
    "timeout": float(env("DIGITAL_POST_TIMEOUT", "20")),  # seconds
    "receipt_secret": env(
        "DIGITAL_POST_RECEIPT_SECRET", ""
    ),  # what receipts are signed with; empty: none are taken in
}

MAILOUT_RETRY_SECONDS = float(
    env("MAILOUT_RETRY_SECONDS", "120")
)  # before the second attempt; doubled each time

METRICS_TOKEN = env("METRICS_TOKEN", "")  # whoever has it may read /metrics; empty: nobody

CLOCK_FILE = env("CLOCK_FILE", "")  # demo and tests only: see audit/clock.py

# Nothing personal in logs or error reports: config/logs.py.
LOGGING = logs.configuration(level=env("LOG_LEVEL", "INFO"), structured=not DEBUG)
if env("SENTRY_DSN", ""):
    logs.start_error_reports(env("SENTRY_DSN"), env("RELEASE", ""))

# The map under our own drawing, e.g. https://tiles.example.dk/{z}/{x}/{y}.png. Empty: the districts are drawn on white, and no
# visitor is told to anyone else.
MAP_TILES = {"url": env("MAP_TILES_URL", ""), "attribution": env("MAP_TILES_ATTRIBUTION", "")}
_tiles = urlsplit(MAP_TILES["url"].replace("{s}", "*"))
MAP_TILE_HOSTS = [f"{_tiles.scheme}://{_tiles.netloc}"] if _tiles.netloc else []

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", *MAP_TILE_HOSTS],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if HTTPS:
    SECURE_SSL_REDIRECT = env_bool("SECURE_SSL_REDIRECT", True)
    SECURE_HSTS_SECONDS = 31536000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    if env_bool("BEHIND_PROXY"):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

FORMS_URLFIELD_ASSUME_HTTPS = True

if HTTPS:
    production.refuse_stand_ins(
        demo=env_bool("DEMO"),
        clock_file=CLOCK_FILE,
        issuers={"MITID_ISSUER": MITID_ISSUER, "STAFF_OIDC_ISSUER": STAFF_OIDC_ISSUER},
        post=DIGITAL_POST["url"],
    )
