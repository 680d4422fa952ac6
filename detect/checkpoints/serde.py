"""One deterministic way to write stage outputs and to take digests of values."""

from __future__ import annotations

import hashlib
import zlib
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()
_sorted_encoder = msgspec.msgpack.Encoder(order="deterministic")
_COMPRESSION_LEVEL = 3


def encode(value: Any) -> bytes:
    """MessagePack bytes of a stage output. Dictionaries keep their order: stages fill them in the order of time."""
    return _encoder.encode(value)


def digest(value: Any) -> str:
    """SHA-256 of a value, hexadecimal: the same for equal values, in whatever order their dictionaries are."""
    return hashlib.sha256(_sorted_encoder.encode(msgspec.to_builtins(value, str_keys=True))).hexdigest()


def digest_bytes(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def pack(body: bytes) -> bytes:
    """Compress encoded bytes for storage."""
    return zlib.compress(body, _COMPRESSION_LEVEL)


def unpack(packed: bytes, kind: type[T]) -> T:
    """Read stored bytes back as ``kind``. Raises ``msgspec.ValidationError`` when they are not one."""
    return msgspec.msgpack.decode(zlib.decompress(packed), type=kind)
