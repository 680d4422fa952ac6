"""Apps, middleware, templates, language and time."""

from __future__ import annotations

from mediaproc import env
from mediaproc.datafolder import PROJECT_ROOT

DEBUG = env.flag("MEDIAPROC_DEBUG", default=False)

INSTALLED_APPS = [
    "unfold",  # before the admin, whose templates it replaces
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "mediaproc.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "rest_framework_api_key",
    "channels",
    "django_rq",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "django_htmx",
    "import_export",
    "pgtrigger",
    "mediaproc",
    "detect",
    "brands",
    "jobs",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "mediaproc.headers.SecurityHeaders",
    "mediaproc.staticfiles.StaticFiles",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "mediaproc.gate.AccessMiddleware",  # before the CSRF check: it says for whom that is needed
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "mediaproc.urls"
ASGI_APPLICATION = "mediaproc.asgi.application"
APPEND_SLASH = False  # the paths of the interfaces are exact

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PROJECT_ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

UNFOLD = {
    "SITE_TITLE": "mediaproc",
    "SITE_HEADER": "mediaproc",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "/static/favicon.svg"}],
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": ["/static/css/admin.css"],
    "DASHBOARD_CALLBACK": "mediaproc.admin.dashboard.dashboard",
    "SIDEBAR": {"show_search": True, "navigation": "mediaproc.admin.navigation.sidebar"},
    "COLORS": {
        # of the site, so that both look like one
        "primary": {
            "50": "#eef2ff",
            "100": "#dfe6ff",
            "200": "#c5d1ff",
            "300": "#a3b6ff",
            "400": "#86a6ff",
            "500": "#7797ff",
            "600": "#2f5bea",
            "700": "#2450d8",
            "800": "#1f43b0",
            "900": "#1e3a8a",
            "950": "#172554",
        },
    },
}
