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

_DESCRIPTION = """\
Which brands were on screen in a sports video, when, how large, where and how clearly.

**Coming in.** Send a key as `Authorization: Bearer KEY` or `X-API-Key: KEY`
(`manage.py create_api_key NAME --role operator` prints one), or use a login of the browser. Roles, each with all that
those before it may: viewer, reviewer, curator, operator, administrator. Health alone is open.

**A run.** Register a video (`POST /api/assets`), submit it (`POST /detect/jobs`), follow its events
(`GET /detect/jobs/{job_id}/events`), then look at its checkpoints, replay it from any of them with other options and
compare the two.

**Errors** are `{"detail": …, "code": …}`: a sentence for people and a word for programs; where fields of the request
are to blame, `fields` has the complaints by name. Paths have no trailing slashes. In a query, a parameter without a
value is as good as none; in a body, a value must be of its type.
"""

_TAGS = {
    "videos": "Assets: videos that were uploaded, lie in an allowed folder, or in storage.",
    "uploads": "Large videos in pieces that survive a dropped connection: tus 1.0.0.",
    "jobs": "One analysis of one video: submit, watch, steer, delete.",
    "events": "What happens in a job, numbered without gaps, as a stream or in pages.",
    "detection": "What a job has found, and how it comes out otherwise: checkpoints, replays, comparisons, scenarios.",
    "annotation": "Batches: datasets, pipelines and presets, jobs over many videos, and the files that come out.",
    "pit stop": "A video with a stop in it: followed objects drawn in, and the time of the stop and in zones.",
    "tuning": "One stage on a few frames, while a slider moves.",
    "inference": "Models on the inference server, through this site.",
    "health": "Open to everyone.",
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "mediaproc",
    "DESCRIPTION": _DESCRIPTION,
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    # relative: the document names no host, and holds behind any proxy
    "SERVERS": [{"url": "/", "description": "where this document comes from"}],
    "TAGS": [{"name": name, "description": description} for name, description in _TAGS.items()],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "jobs.api.schema.complete",
    ],
    "ENUM_NAME_OVERRIDES": {
        "JobStatusEnum": "jobs.choices.JobStatus",
        "BatchStateEnum": "jobs.annotation.states.BatchState",
        "HealthStatusEnum": ["ok"],
        "PartsStatusEnum": ["ok", "degraded"],
        "PitstopStatusEnum": ["QUEUED", "PROCESSING", "COMPLETE", "FAILED"],
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
