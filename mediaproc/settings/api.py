"""REST framework: closed by default, errors in one shape. The document of the interfaces, and CORS."""

from __future__ import annotations

from typing import Any

from mediaproc import env

REST_FRAMEWORK = {
    # who asks has been found out, and whether they may, before a view is called: mediaproc/gate.py
    "DEFAULT_AUTHENTICATION_CLASSES": ["mediaproc.authentication.PrincipalAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["mediaproc.parsers.JsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "mediaproc.errors.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "mediaproc",
    "DESCRIPTION": "Which brands were on screen in a sports video, when, how large, where and how clearly.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "jobs.api.schema.complete",
    ],
    "ENUM_NAME_OVERRIDES": {
        "JobStatusEnum": "jobs.choices.JobStatus",
        "HealthStatusEnum": ["ok"],
        "PartsStatusEnum": ["ok", "degraded"],
        "CompletedEnum": ["completed"],
        "PartStateEnum": ["ok", "down"],
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # served from here: a page of this site asks nobody else's
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# pages of other origins that may call the interfaces, with a key: cookies are never sent along
CORS_ALLOWED_ORIGINS = env.words("MEDIAPROC_CORS_ORIGINS")
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "last-event-id",
    "range",
    "x-api-key",
]
CORS_EXPOSE_HEADERS = ["accept-ranges", "content-disposition", "content-range", "location"]
