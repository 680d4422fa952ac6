"""Postgres: the embedded one, or the one that DATABASE_URL names."""

from __future__ import annotations

from typing import Any

from mediaproc import env

_given = env.database_url("DATABASE_URL")

# fsync and its kin; off only in tests, whose data is thrown away
EMBEDDED_DURABLE = env.flag("MEDIAPROC_DURABLE", default=True)
EMBEDDED_DATABASE = _given is None

_EMBEDDED: dict[str, Any] = {
    "NAME": "mediaproc",
    "USER": "mediaproc",
    "HOST": str(env.DATA.postgres_socket_folder),
}

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **(_given or _EMBEDDED),
        # the backend of Django, which first starts the embedded server where that is the one in use
        "ENGINE": "mediaproc.database",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**(_given or {}).get("OPTIONS", {}), "connect_timeout": 10},
    },
}
