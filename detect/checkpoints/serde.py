"""One deterministic way to write stage outputs and to take digests of values."""

from __future__ import annotations

import hashlib
import zlib
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder(order="deterministic")
_COMPRESSION_LEVEL = 3


def encode(value: Any) -> bytes:
    """MessagePack bytes, the same for equal values."""
    return _encoder.encode(value)


def digest(value: Any) -> str:
    """SHA-256 of :func:`encode`, hexadecimal."""
    return hashlib.sha256(encode(value)).hexdigest()


def digest_bytes(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def pack(body: bytes) -> bytes:
    """Compress encoded bytes for storage."""
    return zlib.compress(body, _COMPRESSION_LEVEL)


def unpack(packed: bytes, kind: type[T]) -> T:
    """Read stored bytes back as ``kind``. Raises ``msgspec.ValidationError`` when they are not one."""
    return msgspec.msgpack.decode(zlib.decompress(packed), type=kind)
