"""OpenTimelineIO: stretches of a video as markers on a clip of it, for editing programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any
from urllib.parse import quote

#: Colours that the format knows, in the order in which they are given out; white and black are hard to see.
COLOURS = ("RED", "CYAN", "YELLOW", "GREEN", "MAGENTA", "ORANGE", "BLUE", "PINK", "PURPLE")

# Times are known to a millisecond or better: what is this close to a frame is meant to be on it.
_SNAP = Fraction(1, 20)
# Rates are kept as floating point; of a file that tells none, milliseconds are counted.
_NO_RATE = Fraction(1000)


@dataclass(frozen=True)
class Mark:
    """A stretch from ``start`` to ``end`` seconds of the video, counted from its first picture.

    Marks with the same ``colour``, any number, look the same. ``metadata`` is JSON.
    """

    name: str
    start: float
    end: float
    colour: int = 0
    metadata: dict[str, Any] = field(default_factory=dict)


def markers_otio(marks: Sequence[Mark], *, video: str, duration: float, frame_rate: str, steady: bool = True) -> str:
    """A timeline with one clip, the file ``video`` (its name), and its markers, in the order in which they are given.

    Times count frames at ``frame_rate`` (``num/den``); on one that is ``steady`` they lie on frames. Otherwise, and
    between frames, they have fractions.
    """
    clock = _Clock(Fraction(frame_rate) or _NO_RATE, steady=steady and bool(Fraction(frame_rate)))
    whole = clock.span(0.0, duration)
    media = {
        "OTIO_SCHEMA": "ExternalReference.1",
        "available_range": whole,
        "name": video,
        "target_url": quote(video, safe=""),
    }
    clip = {
        "OTIO_SCHEMA": "Clip.1",
        "media_reference": media,
        "markers": [_marker(mark, clock) for mark in marks],
        "name": video,
        "source_range": whole,
    }
    track = {"OTIO_SCHEMA": "Track.1", "children": [clip], "kind": "Video", "name": "Video"}
    timeline = {
        "OTIO_SCHEMA": "Timeline.1",
        "metadata": {"mediaproc": {"frame_rate": frame_rate}},
        "name": video,
        "tracks": {"OTIO_SCHEMA": "Stack.1", "children": [track], "name": "tracks"},
    }
    return json.dumps(timeline, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _marker(mark: Mark, clock: _Clock) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "Marker.2",
        "color": COLOURS[mark.colour % len(COLOURS)],
        "marked_range": clock.span(mark.start, mark.end),
        "metadata": {"mediaproc": mark.metadata},
        "name": mark.name,
    }


@dataclass(frozen=True)
class _Clock:
    rate: Fraction
    steady: bool

    def span(self, start: float, end: float) -> dict[str, Any]:
        first, last = self._frames(start), self._frames(max(start, end))
        return {
            "OTIO_SCHEMA": "TimeRange.1",
            "start_time": self._time(first),
            "duration": self._time(last - first),
        }

    def _frames(self, seconds: float) -> Fraction:
        exact = Fraction(repr(seconds)) * self.rate
        near = Fraction(round(exact))
        return near if self.steady and abs(exact - near) <= _SNAP else exact

    def _time(self, frames: Fraction) -> dict[str, Any]:
        return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(self.rate), "value": float(frames)}
