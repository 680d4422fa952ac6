"""Which servers the settings leave to us."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from mediaproc import env
from mediaproc.services.client import Claim, claim_on
from mediaproc.services.s3 import ACCESS_KEY


@dataclass(frozen=True)
class S3Access:
    """Where the embedded S3 server is and the one key it knows; it takes signature version 4 and path addressing."""

    endpoint_url: str
    access_key: str
    secret_key: str


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


def ensure_s3() -> S3Access:
    """Have the embedded S3 server running, for those who want to try or test a bucket. Raises ServiceError."""
    address = _claim().ensure("s3")["s3"]
    return S3Access(address, ACCESS_KEY, env.DATA.secret("s3_secret"))


def release() -> None:
    """Give up this process's claim now, instead of at its end."""
    _claim().release()
