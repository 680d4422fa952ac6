"""What stands between a fresh clone and a command that works."""

from __future__ import annotations

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from mediaproc.services.wanted import ensure_database, ensure_queue

_MIGRATION_LOCK = 0x6D656469  # any number, the same in every process


def prepare(*, queue: bool = False) -> None:
    """Have the database running and up to date, and with ``queue`` the queue too. Raises ServiceError."""
    ensure_database()
    if queue:
        ensure_queue()
    migrate_if_needed()


def migrate_if_needed() -> bool:
    """Apply migrations that are not applied yet; returns whether there were any. One process at a time does it."""
    if not _pending():
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
        try:
            if _pending():
                call_command("migrate", interactive=False, verbosity=0)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])
    return True


def _pending() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
