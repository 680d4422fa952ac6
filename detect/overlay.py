"""Boxes to be drawn over a video while it plays: the traces of what a report shows, to be asked for by the window."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from detect.exposures import Span
from detect.sightings import find_presences
from detect.stages.compile_report import (
    CompileReportInput,
    CompileReportOptions,
    build_clock,
    find_duplicates,
    reported_detections,
)
from detect.tracing import Trace, Tracer
from detect.types import KnownBrands, Placement, SourceInfo

_SLOT = 10.0  # seconds of the index that windows are looked up in
_OF_THE_SCENE: frozenset[Placement] = frozenset({"board", "led", "other"})


class DrawnTrack(msgspec.Struct, frozen=True):
    """One place of a brand (or of a candidate, by its text) from ``start`` to ``end``, seconds of the video.

    ``points`` are ``[time, x, y, width, height]``, in the order of time; boxes are shares 0-1 of the upright picture,
    and may reach beyond it. Points before ``seen_from`` and after ``seen_to`` are guesses.
    """

    brand: str
    confirmed: bool
    placement: Placement
    start: float
    end: float
    seen_from: float
    seen_to: float
    points: list[list[float]]


@dataclass(frozen=True)
class _Name:
    """Who a trace belongs to."""

    brand: str
    confirmed: bool
    placement: Placement
    decided: bool


class Overlay:
    """All traces of a result."""

    def __init__(self, traces: Sequence[Trace[_Name]]) -> None:
        self._traces = sorted(traces, key=lambda trace: (trace.start, trace.end, trace.name.brand))
        self._slots: defaultdict[int, list[int]] = defaultdict(list)
        for number, trace in enumerate(self._traces):
            for slot in range(int(trace.start // _SLOT), int(trace.end // _SLOT) + 1):
                self._slots[slot].append(number)

    @property
    def nbytes(self) -> int:
        """Memory it takes, about."""
        listed = sum(map(len, self._slots.values()))
        return 400 * len(self._traces) + 40 * listed + sum(trace.points.nbytes for trace in self._traces)

    def between(self, start: float, end: float) -> tuple[list[DrawnTrack], list[DrawnTrack]]:
        """Tracks of brands, and of undecided candidates, on screen at some time from ``start`` to ``end``.

        Of their points those inside and, on each side, the next one outside.
        """
        brands: list[DrawnTrack] = []
        undecided: list[DrawnTrack] = []
        for trace in self._overlapping(start, end):
            (brands if trace.name.decided else undecided).append(_drawn(trace, start, end))
        return brands, undecided

    def _overlapping(self, start: float, end: float) -> Iterator[Trace[_Name]]:
        slots = range(int(start // _SLOT), int(end // _SLOT) + 1)
        for number in sorted({number for slot in slots for number in self._slots.get(slot, ())}):
            trace = self._traces[number]
            if trace.start <= end and trace.end > start:
                yield trace


def build_overlay(
    data: CompileReportInput, source: SourceInfo, options: CompileReportOptions, known: KnownBrands
) -> Overlay:
    """The traces of what ``compile_report`` reports of ``data``, and of the candidates that it leaves undecided."""
    clock = build_clock(source, data.extract_frames, data.filter_scenes, options.bridge_seconds)
    stands_for = find_duplicates(data.filter_scenes)
    detections = reported_detections(data)
    confirmed = {record.name: record.confirmed for record in known.brands}
    shown: dict[str, list[Span]] = {}
    for presence in find_presences(detections, clock, stands_for, options):
        shown[presence.name] = presence.spans
        sights = (sight for group in presence.sights.values() for sight in group)
        confirmed.setdefault(presence.name, all(sight.detection.confirmed for sight in sights))
    tracer: Tracer[_Name] = Tracer(clock, stands_for, width=source.width, height=source.height)
    for found in detections:
        if found.brand in shown and found.confidence >= options.min_confidence:
            tracer.follow(
                _Name(found.brand, confirmed[found.brand], found.placement, decided=True),
                found.observations,
                in_scene=found.placement in _OF_THE_SCENE,
                # what was recognised on one text or logo; candidates are made of several
                surely=found.source in ("ocr", "logo") and found.rule != "proposed",
                spans=shown[found.brand],
            )
    for candidate in data.escalate_cloud.unresolved:
        if not candidate.brand_like:
            tracer.follow(
                _Name(candidate.text, confirmed=False, placement=candidate.placement, decided=False),
                candidate.observations,
                in_scene=candidate.placement in _OF_THE_SCENE,
                surely=False,
            )
    return Overlay(tracer.traces())


def _drawn(trace: Trace[_Name], start: float, end: float) -> DrawnTrack:
    times = trace.points[:, 0]
    first = max(0, int(np.searchsorted(times, start, side="right")) - 1)
    last = int(np.searchsorted(times, end, side="left")) + 1
    return DrawnTrack(
        brand=trace.name.brand,
        confirmed=trace.name.confirmed,
        placement=trace.name.placement,
        start=trace.start,
        end=trace.end,
        seen_from=trace.seen_from,
        seen_to=trace.seen_to,
        points=trace.points[first:last].tolist(),
    )
