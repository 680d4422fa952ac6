"""Files: `data/storage`, or a bucket of any S3 once AWS_S3_BUCKET names one. Static files are served by WhiteNoise."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from mediaproc import env
from mediaproc.datafolder import PROJECT_ROOT

AWS_S3_BUCKET = env.text("AWS_S3_BUCKET")
STORAGE_BACKEND = env.text("STORAGE_BACKEND", "s3" if AWS_S3_BUCKET else "local")

MEDIA_ROOT = env.DATA.storage
MEDIA_URL = ""

if STORAGE_BACKEND not in {"local", "s3"}:
    raise ImproperlyConfigured(f"STORAGE_BACKEND is {STORAGE_BACKEND!r}: use local or s3.")
if STORAGE_BACKEND == "s3" and not AWS_S3_BUCKET:
    raise ImproperlyConfigured("STORAGE_BACKEND is s3: name the bucket in AWS_S3_BUCKET.")

_LOCAL: dict[str, Any] = {
    "BACKEND": "mediaproc.localfiles.LocalFiles",
    "OPTIONS": {"location": str(MEDIA_ROOT)},
}


def bucket_options(bucket: str) -> dict[str, Any]:
    """How django-storages reaches ``bucket``: in ways that MinIO, SeaweedFS, Ceph and AWS all understand.

    One that does not answer is given up soon: whoever asked tries again later, and knows better when.
    """
    from botocore.config import Config  # heavy, and for buckets only

    client = Config(
        signature_version="s3v4",
        s3={"addressing_style": env.text("AWS_S3_ADDRESSING_STYLE", "path")},
        connect_timeout=5,
        read_timeout=10,  # between two pieces of an answer, not for the whole of it
        retries={"mode": "standard", "total_max_attempts": 3},
    )
    return {
        "bucket_name": bucket,
        "region_name": env.text("AWS_S3_REGION", "us-east-1"),
        "endpoint_url": env.text("AWS_S3_ENDPOINT_URL") or None,
        "access_key": env.text("AWS_ACCESS_KEY_ID") or None,
        "secret_key": env.text("AWS_SECRET_ACCESS_KEY") or None,
        "client_config": client,
        "default_acl": None,
        "file_overwrite": True,  # keys are content or job addresses: the same key is the same file
    }


def _bucket() -> dict[str, Any]:
    return {"BACKEND": "mediaproc.bucketfiles.BucketFiles", "OPTIONS": bucket_options(AWS_S3_BUCKET)}


STORAGES = {
    "default": _bucket() if STORAGE_BACKEND == "s3" else _LOCAL,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

STATIC_URL = "/static/"
STATIC_ROOT = env.DATA.static
STATICFILES_DIRS = [PROJECT_ROOT / "static"]
# without a collected copy the files are served from where they lie, so that a fresh clone has its style sheets
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = env.flag("MEDIAPROC_DEBUG", default=False)
