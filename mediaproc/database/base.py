"""Django's Postgres backend, which has the embedded server started before the first connection is made.

Being here, and not in one command after another, it serves commands, workers, tests, scripts and the site alike, and
what never asks the database anything never starts it.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """As its parent; :meth:`get_new_connection` raises ServiceError when the embedded server cannot be started."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        from mediaproc.services.wanted import ensure_database

        ensure_database()
        return super().get_new_connection(conn_params)
