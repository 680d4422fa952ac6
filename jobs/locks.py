"""One process works on a job at a time: a lock that ends with the process that holds it, however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection

from detect.errors import ConfigError


@contextmanager
def job_lock(job_id: UUID) -> Iterator[None]:
    """Hold the job. Raises ``ConfigError`` when another process does.

    A session-level advisory lock of Postgres: a killed process leaves nothing behind to clean up.
    """
    number = job_id.int >> 64
    signed = number - (1 << 64) if number >= 1 << 63 else number
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [signed])
        row = cursor.fetchone()
    if not (row and row[0]):
        raise ConfigError(f"job {job_id} is being worked on by another process: wait for it, or stop it first")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [signed])
