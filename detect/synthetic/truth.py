"""Exact truth about a rendered match: which brand was where in every frame.

A brand counts as present in a frame (``certain``) when at least one of its marks shows at least
:data:`CERTAIN_VISIBLE` of its area, is at least :data:`CERTAIN_TEXT` pixels tall (:data:`CERTAIN_LOGO` for a wordless
logo) and is blurred over no more than :data:`CERTAIN_BLUR` of its height. Below :data:`GONE_VISIBLE` or
:data:`GONE_SIZE` it is absent. What lies between could be argued about: such time is ``uncertain`` and not scored.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from detect.errors import MediaError, StorageError

SCHEMA = "mediaproc.truth/1"
PLACEMENTS = ("board", "led", "jersey", "overlay", "other")
CERTAIN_VISIBLE, GONE_VISIBLE = 0.6, 0.05
"""Visible part of a mark's area, times its opacity."""
CERTAIN_TEXT, CERTAIN_LOGO, GONE_SIZE = 8.0, 26.0, 4.0
"""Height in pixels. Text pressed together by perspective counts as tall as its letters are wide, times 1.5."""
CERTAIN_BLUR = 0.75
"""Length of blur as a part of the height."""

ABSENT, UNCERTAIN, CERTAIN = 0, 1, 2

ROW = np.dtype(
    [
        ("frame", "<i4"), ("brand", "<i2"), ("placement", "u1"),
        ("x1", "<i2"), ("y1", "<i2"), ("x2", "<i2"), ("y2", "<i2"),
        ("visible", "<f4"), ("size", "<f4"), ("blur", "<f4"),
    ]
)  # fmt: skip
"""One mark in one frame: ``xyxy`` pixels cut at the picture's edges, ``visible`` 0-1, ``size``, ``blur`` in pixels."""


class BrandTruth(NamedTuple):
    """A brand that may be seen. ``kind`` is ``text`` or ``logo``."""

    name: str
    kind: str
    aliases: tuple[str, ...]


class Span(NamedTuple):
    """A brand's presence over ``[start, end)`` seconds of presentation time."""

    brand: str
    start: float
    end: float
    certain: bool
    placements: tuple[str, ...]


@dataclass(frozen=True)
class Truth:
    """Everything about the brands of one rendered video.

    ``pts`` are the presentation timestamps of its frames in units of ``time_base``, ``end_pts`` that of the instant
    when the last frame is over. ``rows`` (:data:`ROW`) are ordered by frame. ``cuts`` are the frames that begin a new
    shot, ``dissolves`` those that begin one by a dissolve.
    """

    width: int
    height: int
    time_base: Fraction
    pts: npt.NDArray[np.int64]
    end_pts: int
    brands: tuple[BrandTruth, ...]
    rows: npt.NDArray[np.void]
    distractors: tuple[dict[str, str], ...] = ()
    cuts: tuple[int, ...] = ()
    dissolves: tuple[int, ...] = ()

    @property
    def duration(self) -> float:
        """Seconds from the first frame's time to the end of the last one."""
        return float((self.end_pts - int(self.pts[0])) * self.time_base)

    def time(self, frame: int) -> float:
        """Presentation time of ``frame`` in seconds; the end of the video for the frame after the last."""
        ticks = self.end_pts if frame == len(self.pts) else int(self.pts[frame])
        return float(ticks * self.time_base)

    def boxes(self, frame: int) -> npt.NDArray[np.void]:
        """The marks of one frame."""
        first, last = np.searchsorted(self.rows["frame"], (frame, frame + 1))
        return self.rows[first:last]

    def states(self, brand: str) -> npt.NDArray[np.uint8]:
        """For each frame whether ``brand`` is :data:`ABSENT`, :data:`UNCERTAIN` or :data:`CERTAIN`."""
        number = [known.name for known in self.brands].index(brand)
        rows = self.rows[self.rows["brand"] == number]
        states = np.zeros(len(self.pts), np.uint8)
        np.maximum.at(states, rows["frame"], _row_states(rows, self.brands[number].kind))
        return states

    def spans(self, brand: str) -> Iterator[Span]:
        """Stretches of unchanging presence, in order; placements are those of the marks that made it."""
        number = [known.name for known in self.brands].index(brand)
        states = self.states(brand)
        rows = self.rows[self.rows["brand"] == number]
        kinds = _row_states(rows, self.brands[number].kind)
        edges = np.flatnonzero(np.diff(states)) + 1
        for first, last in zip([0, *edges.tolist()], [*edges.tolist(), len(states)], strict=True):
            if states[first] == ABSENT:
                continue
            inside = (rows["frame"] >= first) & (rows["frame"] < last) & (kinds == states[first])
            placements = tuple(PLACEMENTS[index] for index in np.unique(rows["placement"][inside]))
            yield Span(brand, self.time(first), self.time(last), bool(states[first] == CERTAIN), placements)

    def to_spans(self) -> list[dict[str, Any]]:
        """Spans of all brands as ``{brand, t_start, t_end, note, uncertain?}``: what ``detect.scoring.score`` takes."""
        entries: list[dict[str, Any]] = []
        for known in self.brands:
            for span in self.spans(known.name):
                entry = {
                    "brand": span.brand,
                    "t_start": span.start,
                    "t_end": span.end,
                    "note": ", ".join(span.placements),
                }
                entries.append(entry if span.certain else {**entry, "uncertain": True})
        return entries

    def seconds(self, brand: str) -> float:
        """Certain seconds of ``brand``."""
        return sum(span.end - span.start for span in self.spans(brand) if span.certain)

    def repeated(self, times: int) -> Truth:
        """Truth of the same video played ``times`` times in a row (see ``loop_video``)."""
        length, frames = self.end_pts - int(self.pts[0]), len(self.pts)
        rows = np.tile(self.rows, times)
        rows["frame"] += np.repeat(np.arange(times, dtype=np.int32) * frames, len(self.rows))
        pts = (self.pts[None, :] + np.arange(times, dtype=np.int64)[:, None] * length).ravel()
        starts = [part * frames for part in range(times)]
        cuts = tuple(cut for start in starts for cut in ([start] if start else []) + [start + own for own in self.cuts])
        return Truth(
            self.width, self.height, self.time_base, pts, self.end_pts + (times - 1) * length, self.brands, rows,
            self.distractors, cuts, tuple(start + own for start in starts for own in self.dissolves),
        )  # fmt: skip

    def save(self, path: Path | str) -> None:
        """Writes JSON: spans for people, the frames' boxes packed. Raises :class:`StorageError`."""
        document = {
            "schema": SCHEMA, "width": self.width, "height": self.height,
            "time_base": [self.time_base.numerator, self.time_base.denominator],
            "duration": self.duration, "end_pts": self.end_pts, "cuts": self.cuts, "dissolves": self.dissolves,
            "brands": [known._asdict() for known in self.brands], "distractors": self.distractors,
            "spans": self.to_spans(), "pts": _pack(self.pts.astype("<i8")), "rows": _pack(self.rows),
        }  # fmt: skip
        try:
            Path(path).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise StorageError(f"cannot write the truth to {path}: {error.strerror or error}.") from error

    @classmethod
    def load(cls, path: Path | str) -> Truth:
        """Reads what :meth:`save` wrote. Raises :class:`MediaError` for anything else."""
        try:
            document = json.loads(Path(path).read_text(encoding="utf-8"))
            if document["schema"] != SCHEMA:
                raise MediaError(f"{path} has schema {document['schema']!r}, not {SCHEMA!r}.")
            return cls(
                document["width"], document["height"], Fraction(*document["time_base"]),
                _unpack(document["pts"], np.dtype("<i8")).astype(np.int64), document["end_pts"],
                tuple(BrandTruth(one["name"], one["kind"], tuple(one["aliases"])) for one in document["brands"]),
                _unpack(document["rows"], ROW), tuple(document["distractors"]), tuple(document["cuts"]),
                tuple(document["dissolves"]),
            )  # fmt: skip
        except (OSError, KeyError, TypeError, ValueError, zlib.error) as error:
            raise MediaError(f"cannot read a match's truth from {path}: {error}.") from error


def _row_states(rows: npt.NDArray[np.void], kind: str) -> npt.NDArray[np.uint8]:
    """How certain each mark is."""
    smallest = CERTAIN_LOGO if kind == "logo" else CERTAIN_TEXT
    gone = (rows["visible"] < GONE_VISIBLE) | (rows["size"] < GONE_SIZE)
    certain = (
        (rows["visible"] >= CERTAIN_VISIBLE)
        & (rows["size"] >= smallest)
        & (rows["blur"] <= CERTAIN_BLUR * rows["size"])
    )
    return np.where(gone, ABSENT, np.where(certain, CERTAIN, UNCERTAIN)).astype(np.uint8)


def _pack(array: npt.NDArray[Any]) -> str:
    return base64.b64encode(zlib.compress(array.tobytes(), 6)).decode("ascii")


def _unpack(text: str, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype)
