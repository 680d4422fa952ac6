"""The tus 1.0.0 protocol (https://tus.io): its headers, read and written."""

from __future__ import annotations

import base64
import binascii
from email.utils import format_datetime

from jobs.assets.intake import max_bytes
from jobs.uploads.errors import UploadError
from jobs.uploads.records import UploadRecord, expires_at

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,termination"

_LONGEST_METADATA = 4096


def abilities() -> dict[str, str]:
    """What this server can do."""
    return {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Max-Size": str(max_bytes())}


def parse_count(name: str, text: str | None) -> int:
    """A header's whole number of bytes. Raises UploadError."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise UploadError(f"The header {name} must be a whole number of bytes.")
    return int(text)


def parse_metadata(text: str) -> dict[str, str]:
    """``Upload-Metadata``: pairs ``key base64`` parted by commas. Raises UploadError."""
    if len(text) > _LONGEST_METADATA or not (text.isascii() and text.isprintable()):
        raise UploadError(f"The header Upload-Metadata must be ASCII, of at most {_LONGEST_METADATA} characters.")
    pairs: dict[str, str] = {}
    for item in filter(None, (piece.strip() for piece in text.split(","))):
        key, _, value = item.partition(" ")
        try:
            decoded = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            raise UploadError(f"In the header Upload-Metadata the value of '{key}' is not UTF-8 in base64.") from None
        if key in pairs:
            raise UploadError(f"The header Upload-Metadata names '{key}' twice.")
        pairs[key] = decoded
    return pairs


def filename_of(metadata: dict[str, str]) -> str:
    """The file's name, under either key that clients use. Raises UploadError."""
    name = metadata.get("filename") or metadata.get("name")
    if not name:
        raise UploadError("The header Upload-Metadata must name the file: filename and its name in base64.")
    return name


def progress(record: UploadRecord, offset: int) -> dict[str, str]:
    """Where an upload stands."""
    headers = {"Upload-Offset": str(offset), "Upload-Length": str(record.length), "Cache-Control": "no-store"}
    if record.metadata:
        headers["Upload-Metadata"] = record.metadata
    if record.state == "receiving":
        headers["Upload-Expires"] = format_datetime(expires_at(record), usegmt=True)
    if record.asset_id is not None:
        headers["X-Asset-Id"] = str(record.asset_id)
    return headers
