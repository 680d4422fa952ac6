"""Embedded Postgres, Valkey and S3: there when nothing else is configured, started by whoever needs them first.

How it works is said in docs/operations.md. The functions below are the whole interface:

- :func:`ensure_database` is called by the database backend (mediaproc/postgres) on every new connection, so no command,
  worker, test or script has to think of it;
- :func:`ensure_queue` and :func:`ensure_s3` by what uses those;
- :func:`prepare` by what a person may run first on a fresh data folder.
"""

from __future__ import annotations

from mediaproc.services.errors import ServiceError
from mediaproc.services.prepare import migrate_if_needed, prepare
from mediaproc.services.wanted import S3Access, ensure_database, ensure_queue, ensure_s3, release

__all__ = [
    "S3Access",
    "ServiceError",
    "ensure_database",
    "ensure_queue",
    "ensure_s3",
    "migrate_if_needed",
    "prepare",
    "release",
]
