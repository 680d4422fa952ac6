"""Videos that come in: how large, where they wait until they are whole, how much of a bucket is kept at hand."""

from __future__ import annotations

from mediaproc import env
from mediaproc.settings import api

MAX_FILE_SIZE_MB = env.integer("MAX_FILE_SIZE_MB", 5120, least=1, most=10_000_000)
UPLOADS_FOLDER = env.DATA.root / "uploads"
UPLOAD_DAYS = env.integer("MEDIAPROC_UPLOAD_DAYS", 1, least=1, most=365)

# where videos may lie in the bucket, beside those that were uploaded
AWS_S3_INPUT_PREFIX = env.text("AWS_S3_INPUT_PREFIX", "input/").strip("/") + "/"
# and where videos that were made of them lie
AWS_S3_OUTPUT_PREFIX = env.text("AWS_S3_OUTPUT_PREFIX", "output/").strip("/") + "/"

CACHE_FOLDER = env.DATA.root / "cache"
CACHE_GB = env.integer("MEDIAPROC_CACHE_GB", 20, least=1, most=1_000_000)

# headers of the upload protocol, for pages of other origins
CORS_ALLOW_HEADERS = [
    *api.CORS_ALLOW_HEADERS,
    "tus-resumable",
    "upload-length",
    "upload-metadata",
    "upload-offset",
    "x-http-method-override",
]
CORS_EXPOSE_HEADERS = [
    *api.CORS_EXPOSE_HEADERS,
    "tus-extension",
    "tus-max-size",
    "tus-resumable",
    "tus-version",
    "upload-expires",
    "upload-length",
    "upload-metadata",
    "upload-offset",
    "x-asset-id",
]
