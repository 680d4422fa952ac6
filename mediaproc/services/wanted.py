"""Which servers the settings leave to us."""

from __future__ import annotations

from django.conf import settings

from mediaproc import env
from mediaproc.services.client import Claim, claim_on


def _claim() -> Claim:
    return claim_on(env.DATA, durable=settings.EMBEDDED_DURABLE)


def ensure_database() -> None:
    """Have Postgres running; with DATABASE_URL set there is nothing to do. Raises ServiceError."""
    if settings.EMBEDDED_DATABASE:
        _claim().ensure("postgres")


def ensure_queue() -> None:
    """Have Valkey running; with REDIS_URL set there is nothing to do. Raises ServiceError."""
    if settings.EMBEDDED_QUEUE:
        _claim().ensure("valkey")


def release() -> None:
    """Give up this process's claim now, instead of at its end."""
    _claim().release()
