"""Objects of many frames in columns: what a detector or a tracker found, a few bytes an object.

Two hours of video have hundreds of thousands of frames; as columns they take some ten megabytes, not gigabytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]


@dataclass(frozen=True)
class FrameObjects:
    """What was found in one frame.

    ``pts`` is the frame's presentation timestamp in ticks, as in the file. ``boxes`` is ``(n, 4)`` ``xyxy`` in pixels
    of the upright picture, not rounded; ``scores`` ``(n,)`` 0-1; ``kinds`` ``(n,)`` positions in the list of class
    names; ``ids`` ``(n,)`` track ids, empty before tracking.
    """

    pts: int
    boxes: Floats
    scores: Floats
    kinds: Integers
    ids: Integers

    def __len__(self) -> int:
        return len(self.boxes)


class ObjectColumns(msgspec.Struct, frozen=True):
    """Objects of frames that follow each other, as little-endian columns.

    ``pts`` (int64) and ``counts`` (int32) have an entry a frame, also where nothing was found; ``boxes`` (float32, four
    an object), ``scores`` (float32), ``kinds`` (int32) and, after tracking, ``ids`` (int32) an entry an object.
    """

    pts: bytes = b""
    counts: bytes = b""
    boxes: bytes = b""
    scores: bytes = b""
    kinds: bytes = b""
    ids: bytes = b""

    @property
    def times(self) -> npt.NDArray[np.int64]:
        """Presentation timestamps of all frames, in ticks."""
        return np.frombuffer(self.pts, "<i8")

    def __iter__(self) -> Iterator[FrameObjects]:
        return self.frames()

    def frames(self, start: int | None = None, end: int | None = None) -> Iterator[FrameObjects]:
        """Frame by frame, those with ``start <= pts < end`` ticks; None does not bound."""
        times, counts = self.times, np.frombuffer(self.counts, "<i4")
        boxes = np.frombuffer(self.boxes, "<f4").reshape(-1, 4)
        scores, kinds = np.frombuffer(self.scores, "<f4"), np.frombuffer(self.kinds, "<i4")
        ids = np.frombuffer(self.ids, "<i4")
        first = 0 if start is None else int(np.searchsorted(times, start))
        last = len(times) if end is None else int(np.searchsorted(times, end))
        offsets = np.concatenate([[0], np.cumsum(counts)])
        for index in range(first, last):
            own = slice(int(offsets[index]), int(offsets[index + 1]))
            yield FrameObjects(int(times[index]), boxes[own], scores[own], kinds[own], ids[own])


@dataclass
class ColumnsBuilder:
    """Collects frames, in the order of their timestamps, into :class:`ObjectColumns`."""

    _pts: array[int] = field(default_factory=lambda: array("q"))
    _counts: array[int] = field(default_factory=lambda: array("i"))
    _boxes: array[float] = field(default_factory=lambda: array("f"))
    _scores: array[float] = field(default_factory=lambda: array("f"))
    _kinds: array[int] = field(default_factory=lambda: array("i"))
    _ids: array[int] = field(default_factory=lambda: array("i"))

    def __len__(self) -> int:
        return len(self._pts)

    def add(
        self, pts: int, boxes: Floats, scores: Floats, kinds: npt.ArrayLike, ids: Sequence[int] | Integers = ()
    ) -> None:
        """Add a frame; see :class:`FrameObjects` for what the arrays hold."""
        self._pts.append(pts)
        self._counts.append(len(scores))
        self._boxes.frombytes(np.ascontiguousarray(boxes, "<f4").tobytes())
        self._scores.frombytes(np.ascontiguousarray(scores, "<f4").tobytes())
        self._kinds.frombytes(np.ascontiguousarray(kinds, "<i4").tobytes())
        self._ids.frombytes(np.ascontiguousarray(ids, "<i4").tobytes())

    def build(self) -> ObjectColumns:
        columns = (self._pts, self._counts, self._boxes, self._scores, self._kinds, self._ids)
        return ObjectColumns(*(column.tobytes() for column in columns))
