"""From brand presences to the brands of a report: exposures, evidence, and what they are worth."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, get_args

from detect.exposures import SampleClock, Span
from detect.prominence import (
    area_share,
    centrality,
    grid_position,
    legibility,
    media_value,
    quality_score,
    size_score,
)
from detect.report import ReportBrand, ReportEvidence, ReportExposure, ReportQuality, crop_path
from detect.sightings import BrandPresence, Sight, Sights, found_edges
from detect.types import KnownBrandRecord, Placement

if TYPE_CHECKING:
    from detect.stages.compile_report import CompileReportOptions

PLACEMENTS: tuple[Placement, ...] = get_args(Placement)
Kind = TypeVar("Kind", bound=Hashable)


@dataclass(frozen=True)
class Scene:
    """What all brands of a report share: the clock, the upright picture's size in pixels, options and known brands."""

    clock: SampleClock
    width: int
    height: int
    options: CompileReportOptions
    known: Mapping[str, KnownBrandRecord]


def build_brands(presences: Sequence[BrandPresence], scene: Scene) -> list[ReportBrand]:
    """The brands of the report, longest first, equal ones by name."""
    crowd = Counter(index for presence in presences for index in presence.indexes)
    total = math.fsum(presence.seconds for presence in presences)
    brands = [_brand(presence, scene, crowd, total) for presence in presences]
    return sorted(brands, key=lambda brand: (-brand.seconds, brand.name))


def _brand(presence: BrandPresence, scene: Scene, crowd: Mapping[int, int], total_seconds: float) -> ReportBrand:
    options, record = scene.options, scene.known.get(presence.name)
    figures = _Figures(presence.sights, scene)
    parts = ReportQuality(
        size=round(size_score(figures.mean_area_share, options.full_size_share), 4),
        position=round(figures.centrality, 4),
        clarity=round(figures.clarity, 4),
        duration=round(min(1.0, _share(presence.seconds, scene.clock.readable_seconds)), 4),
        solus=round(figures.mean(lambda group: 1 / crowd[group[0].index]), 4),
    )
    weights = options.quality_weights()
    quality = round(quality_score({name: getattr(parts, name) for name in weights}, weights), 1)
    seconds = round(presence.seconds, 3)
    exposures = _exposures(presence, scene)
    return ReportBrand(
        name=presence.name,
        brand_id=record.brand_id if record else "",
        confirmed=record.confirmed if record else figures.confirmed,
        seconds=seconds,
        seconds_uncertainty=round(_combined_uncertainty(presence.spans), 3),
        occurrences=len(presence.spans),
        share_of_voice=round(_share(presence.seconds, total_seconds), 4),
        mean_area_share=round(figures.mean_area_share, 6),
        max_area_share=round(figures.max_area_share, 6),
        clarity=parts.clarity,
        quality_score=quality,
        quality=parts,
        media_value=_media_value(seconds, quality, options),
        by_placement=_seconds_by_placement(exposures),
        exposures=exposures,
    )


def _media_value(seconds: float, quality: float, options: CompileReportOptions) -> str | None:
    if not (options.audience and options.cpm):
        return None
    value = media_value(
        seconds=seconds,
        quality=quality,
        audience=options.audience,
        cpm=options.cpm,
        spot_seconds=options.spot_seconds,
    )
    return str(value)


def _exposures(presence: BrandPresence, scene: Scene) -> list[ReportExposure]:
    exposures = [
        _exposure(span, placement, presence.sights, scene)
        for placement, indexes in _indexes_by_placement(presence, scene).items()
        for span in scene.clock.spans(indexes, found_edges(_sights_on(placement, presence.sights)))
    ]
    return sorted(exposures, key=lambda item: (item.start, item.end, PLACEMENTS.index(item.placement)))


def _indexes_by_placement(presence: BrandPresence, scene: Scene) -> dict[Placement, set[int]]:
    """Samples of each placement; together exactly those of the brand.

    A sample that was bridged between two different placements goes to the one seen before it.
    """
    seen: defaultdict[Placement, set[int]] = defaultdict(set)
    for index, group in presence.sights.items():
        for sight in group:
            seen[sight.detection.placement].add(index)
    filled = {
        placement: presence.indexes.intersection(
            scene.clock.bridge(
                seen[placement], scene.options.bridge_seconds, found_edges(_sights_on(placement, presence.sights))
            )
        )
        for placement in PLACEMENTS
        if placement in seen
    }
    for index in sorted(presence.indexes.difference(*filled.values())):
        before = next(placement for placement in filled if index - 1 in filled[placement])
        filled[before].add(index)
    return filled


def _exposure(span: Span, placement: Placement, sights: Sights, scene: Scene) -> ReportExposure:
    on_placement = _sights_on(placement, sights)
    inside = {index: on_placement[index] for index in span.indexes if index in on_placement}
    figures = _Figures(inside, scene)
    return ReportExposure(
        start=round(span.start.time, 3),
        end=round(span.end.time, 3),
        start_uncertainty=round(span.start.uncertainty, 3),
        end_uncertainty=round(span.end.uncertainty, 3),
        placement=placement,
        position=figures.most(lambda group: grid_position(_largest(group).box, scene.width, scene.height)),
        mean_confidence=round(figures.mean(lambda group: _surest(group).detection.confidence), 4),
        source=figures.most(lambda group: _surest(group).detection.source),
        seconds=round(span.seconds, 3),
        observations=len(inside),
        mean_area_share=round(figures.mean_area_share, 6),
        clarity=round(figures.clarity, 4),
        evidence=_evidence(span, inside, scene),
    )


def _sights_on(placement: Placement, sights: Sights) -> Sights:
    found = {
        index: [sight for sight in group if sight.detection.placement == placement] for index, group in sights.items()
    }
    return {index: group for index, group in found.items() if group}


def _evidence(span: Span, sights: Sights, scene: Scene) -> list[ReportEvidence]:
    """The best frame of each of ``evidence_per_exposure`` equal parts of the exposure, best first.

    A near-duplicate, which was not looked at itself, serves only where there is nothing else.
    """
    everything = [sight for group in sights.values() for sight in group]
    parts: defaultdict[int, list[Sight]] = defaultdict(list)
    for sight in [sight for sight in everything if sight.direct] or everything:
        parts[(sight.index - span.first) * scene.options.evidence_per_exposure // len(span.indexes)].append(sight)
    best = sorted((max(group, key=_showing) for group in parts.values()), key=_showing, reverse=True)
    return [
        ReportEvidence(
            time=round(scene.clock.times[sight.index], 3),
            sequence=sight.sequence,
            box=sight.box.to_xywh(),
            text=sight.detection.text,
            confidence=round(sight.confidence, 4),
            crop=crop_path(sight.sequence, sight.box),
            source=sight.detection.source,
            rule=sight.detection.rule,
            model=sight.detection.model,
        )
        for sight in best
    ]


class _Figures:
    """Figures over the samples on which sights lie, each sample weighing as long as it was on screen."""

    def __init__(self, sights: Sights, scene: Scene) -> None:
        self._sights = sights
        weights = {index: scene.clock.seconds_of(index) for index in sights}
        # A still picture's samples may all share one timestamp: they weigh the same then.
        self._weights = weights if any(weights.values()) else dict.fromkeys(weights, 1.0)
        width, height, clear = scene.width, scene.height, scene.options.clear_height_share
        areas = {i: area_share([sight.box for sight in group], width, height) for i, group in sights.items()}
        self.max_area_share = max(areas.values())
        self.mean_area_share = self.mean(lambda group: areas[group[0].index])
        self.centrality = self.mean(lambda group: centrality(_largest(group).box, width, height))
        self.clarity = self.mean(
            lambda group: max(sight.confidence * legibility(sight.box, height, clear) for sight in group)
        )
        self.confirmed = all(sight.detection.confirmed for group in sights.values() for sight in group)

    def mean(self, of: Callable[[Sequence[Sight]], float]) -> float:
        """Time-weighted mean of a figure of the sights on one sample."""
        total = math.fsum(self._weights.values())
        return math.fsum(self._weights[index] * of(group) for index, group in self._sights.items()) / total

    def most(self, of: Callable[[Sequence[Sight]], Kind]) -> Kind:
        """What a property of the sights on one sample was for most of the time; the earliest one of equals."""
        seconds: defaultdict[Kind, float] = defaultdict(float)
        for index in sorted(self._sights):
            seconds[of(self._sights[index])] += self._weights[index]
        return max(seconds, key=lambda kind: round(seconds[kind], 6))


def _share(part: float, whole: float) -> float:
    """0 of nothing: single pictures have no length."""
    return part / whole if whole else 0.0


def _largest(sights: Sequence[Sight]) -> Sight:
    return max(sights, key=lambda sight: sight.box.area)


def _surest(sights: Sequence[Sight]) -> Sight:
    return max(sights, key=lambda sight: sight.detection.confidence)


def _showing(sight: Sight) -> float:
    """How well one sight serves as evidence: sure and large."""
    return round(sight.confidence * math.sqrt(sight.box.area), 6)


def _combined_uncertainty(spans: Sequence[Span]) -> float:
    """Edges are off independently of one another, so their errors add up as squares do."""
    return math.hypot(*(edge.uncertainty for span in spans for edge in (span.start, span.end)))


def _seconds_by_placement(exposures: Sequence[ReportExposure]) -> dict[Placement, float]:
    seconds: defaultdict[Placement, list[float]] = defaultdict(list)
    for exposure in exposures:
        seconds[exposure.placement].append(exposure.seconds)
    return {placement: round(math.fsum(seconds[placement]), 3) for placement in PLACEMENTS if placement in seconds}
