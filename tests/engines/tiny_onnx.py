"""ONNX files made by hand: a network that answers every picture with the same numbers.

Enough to test how outputs are understood, without weights and without the ``onnx`` package. The bytes follow the
protocol-buffer wire format of ``onnx.proto``; numbers in the calls below are its field numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

_FLOAT = 1


def constant_network(
    output: npt.NDArray[np.float32],
    *,
    input_shape: Sequence[int | str] = (1, 3, 64, 64),
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """A model whose input ``images`` has ``input_shape`` (names are symbolic) and whose answer is ``output``."""
    tensor = b"".join(_number(1, size) for size in output.shape)
    tensor += _number(2, _FLOAT) + _text(8, "answer") + _bytes(9, output.astype("<f4").tobytes())
    node = _text(1, "answer") + _text(2, "output0") + _text(4, "Identity")
    graph = _bytes(1, node) + _text(2, "tiny") + _bytes(5, tensor)
    graph += _bytes(11, _value("images", input_shape)) + _bytes(12, _value("output0", output.shape))
    model = _number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 13))
    for key, value in (metadata or {}).items():
        model += _bytes(14, _text(1, key) + _text(2, value))
    return model


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    dimensions = b"".join(_bytes(1, _text(2, size) if isinstance(size, str) else _number(1, size)) for size in shape)
    return _text(1, name) + _bytes(2, _bytes(1, _number(1, _FLOAT) + _bytes(2, dimensions)))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())
