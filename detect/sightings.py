"""From detections to brand presences: on which samples each brand was seen, and over which stretches of time.

Everything here gives the same result for the same detections in any order, and however their observations are split
over several of them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

from detect.exposures import FoundEdges, SampleClock, Span
from detect.types import Box, BrandDetection, DetectionSource, Edge, Observation

if TYPE_CHECKING:
    from detect.stages.compile_report import CompileReportOptions

_STAYING = frozenset({"board", "led", "overlay"})

SOURCES: tuple[DetectionSource, ...] = get_args(DetectionSource)

StandsFor = Mapping[int, Sequence[int]]
"""A kept sequence to the near-duplicates that were dropped for it."""


@dataclass(frozen=True)
class Sight:
    """A brand in one box of one sample. ``direct`` is False on a near-duplicate that its kept frame stands for.

    ``first`` and ``last`` tell that the detection was seen on no sample before, on none after.
    """

    index: int
    sequence: int
    direct: bool
    box: Box
    confidence: float
    detection: BrandDetection
    first: bool = False
    last: bool = False

    @property
    def order(self) -> tuple[object, ...]:
        """Sorts sights the same way for any order of detections."""
        detection = self.detection
        return (
            self.index,
            not self.direct,
            self.box.to_xywh(),
            -self.confidence,
            -detection.confidence,
            SOURCES.index(detection.source),
            detection.text,
            detection.rule,
            detection.model,
        )


Sights = Mapping[int, Sequence[Sight]]
"""Sights by the sample they lie on."""


@dataclass(frozen=True)
class BrandPresence:
    """One brand's sights inside the separate stretches of time over which it counts as on screen."""

    name: str
    sights: Sights
    spans: list[Span]

    @cached_property
    def indexes(self) -> set[int]:
        """Samples on which it was on screen, bridged ones included."""
        return {index for span in self.spans for index in span.indexes}

    @cached_property
    def seconds(self) -> float:
        return math.fsum(span.seconds for span in self.spans)


def find_presences(
    detections: Iterable[BrandDetection], clock: SampleClock, stands_for: StandsFor, options: CompileReportOptions
) -> list[BrandPresence]:
    """Brands that were on screen long, often and surely enough, by name.

    Raises ``ValueError`` for an observation on a sequence that was never sampled.
    """
    found: defaultdict[str, list[Sight]] = defaultdict(list)
    for detection in detections:
        if detection.confidence >= options.min_confidence:
            found[detection.brand].extend(_sights(detection, clock, stands_for))
    presences = (_presence(name, found[name], clock, options) for name in sorted(found))
    return [presence for presence in presences if presence.spans]


def samples_shown(observations: Iterable[Observation], clock: SampleClock, stands_for: StandsFor) -> set[int]:
    """Samples that show the observations, near-duplicates included. Raises ``ValueError`` as above."""
    return {index for seen in observations for _, index in shown_on(seen.sequence, clock, stands_for)}


def _presence(name: str, found: Iterable[Sight], clock: SampleClock, options: CompileReportOptions) -> BrandPresence:
    sights: defaultdict[int, list[Sight]] = defaultdict(list)
    for sight in sorted(found, key=lambda sight: sight.order):
        sights[sight.index].append(sight)
    edges = found_edges(sights)
    spans = [
        span
        for span in clock.spans(clock.bridge(sights.keys(), options.bridge_seconds, edges), edges)
        if span.seconds >= options.min_seconds
        and sum(index in sights for index in span.indexes) >= options.min_observations
    ]
    return BrandPresence(
        name, {index: sights[index] for span in spans for index in span.indexes if index in sights}, spans
    )


def _sights(detection: BrandDetection, clock: SampleClock, stands_for: StandsFor) -> Iterator[Sight]:
    shown = [
        (index, sequence, seen)
        for seen in detection.observations
        for sequence, index in shown_on(seen.sequence, clock, stands_for)
    ]
    first, last = min((index for index, *_ in shown), default=0), max((index for index, *_ in shown), default=0)
    for index, sequence, seen in shown:
        yield Sight(
            index,
            sequence,
            sequence == seen.sequence,
            seen.box,
            seen.confidence,
            detection,
            first=index == first,
            last=index == last,
        )


def found_edges(sights: Sights) -> FoundEdges:
    """When a brand came before and went after each sample, as far as what was seen there began and ended with it.

    The earliest beginning and the latest end count: a brand is there while any of its places is.
    """
    starts: dict[int, Edge] = {}
    ends: dict[int, Edge] = {}
    for index, group in sights.items():
        began = [sight.detection.appears for sight in group if sight.first and sight.detection.appears is not None]
        ended = [sight.detection.vanishes for sight in group if sight.last and sight.detection.vanishes is not None]
        if began:
            starts[index] = min(began, key=lambda edge: (edge.time, edge.uncertainty))
        if ended:
            ends[index] = max(ended, key=lambda edge: (edge.time, -edge.uncertainty))
    return FoundEdges(
        starts,
        ends,
        before={index for index in starts if all(_is_known(sight, "appears") for sight in sights[index])},
        behind={index for index in ends if all(_is_known(sight, "vanishes") for sight in sights[index])},
    )


def _is_known(sight: Sight, side: Literal["appears", "vanishes"]) -> bool:
    """Whether it was found when what was seen here came, or went, before or after this sample.

    Not of what people wear, or may wear: they turn away for a moment, and move too fast to be followed.
    """
    if sight.detection.placement not in _STAYING:
        return False
    if side == "appears":
        return sight.first and sight.detection.appears is not None
    return sight.last and sight.detection.vanishes is not None


def shown_on(sequence: int, clock: SampleClock, stands_for: StandsFor) -> Iterator[tuple[int, int]]:
    """``(sequence, sample)`` of a frame and of the near-duplicates it stands for."""
    for shown in (sequence, *stands_for.get(sequence, ())):
        index = clock.index(shown)
        if index is None:
            raise ValueError(f"an observation lies on frame {shown}, which was never sampled")
        yield shown, index
