"""One process at a time: locks of Postgres that end with the process that holds them, however it ends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from django.db import Error, connection, transaction

from detect.errors import ConfigError


@contextmanager
def job_lock(job_id: UUID) -> Iterator[None]:
    """Hold the job. Raises ``ConfigError`` when another process does.

    A session-level advisory lock of Postgres: a killed process leaves nothing behind to clean up.
    """
    number = _lock_number(job_id.hex)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        row = cursor.fetchone()
    if not (row and row[0]):
        raise ConfigError(f"job {job_id} is being worked on by another process: wait for it, or stop it first")
    try:
        yield
    finally:
        # a connection that was lost has let go of it already
        with suppress(Error), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


@contextmanager
def task_lock(task: str) -> Iterator[bool]:
    """Whether the task of this name is ours while the block runs: False where another process is at it.

    It ends with its process, as :func:`job_lock` does.
    """
    number = _lock_number(hashlib.sha256(task.encode()).hexdigest())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        row = cursor.fetchone()
    ours = bool(row and row[0])
    try:
        yield ours
    finally:
        if ours:
            with suppress(Error), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def driven_in_foreground(job_id: UUID) -> bool:
    """Whether a process holds :func:`job_lock`. Within a transaction: nobody takes it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_lock_number(job_id.hex)])
        row = cursor.fetchone()
    return not (row and row[0])


@contextmanager
def request_lock(request_digest: str) -> Iterator[None]:
    """A transaction in which nobody else looks for, or makes, a job for the same request. Waits for its turn."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_lock_number(request_digest)])
        yield


def _lock_number(digits: str) -> int:
    """The first 16 hexadecimal digits as the signed number that Postgres wants."""
    number = int(digits[:16], 16)
    return number - (1 << 64) if number >= 1 << 63 else number
