"""Stage 5: known brands on text tracks and regions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from detect.candidates import CandidateRules, group_candidates
from detect.context import placement_of
from detect.engines.mark_catalogue import catalogue_digest
from detect.joining import adjacent_pairs, joined_edges, union
from detect.logo_search import find_logos
from detect.matching import NameIndex, TextMatch, fold, normalize
from detect.placing import Placing
from detect.stages.base import Needs, Options, StageContext, StageOutput
from detect.stages.detect_edges import DetectEdgesOutput
from detect.stages.detect_objects import DetectObjectsOutput
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.stages.run_ocr import RunOcrOutput
from detect.types import BrandDetection, Candidate, Observation, Reading, TextTrack

if TYPE_CHECKING:
    from detect.resources import Resources


class MatchBrandsOptions(Options, frozen=True, kw_only=True):
    """How alike a text and a name must be, and what becomes of texts that are like none."""

    min_similarity: Annotated[
        float, Meta(ge=0.5, le=1, description="similarity of spelling from which a text is taken for a known name")
    ] = 0.8
    min_confidence: Annotated[float, Meta(ge=0, le=1, description="least confidence of a reading that may match")] = 0.6
    short_name_confidence: Annotated[
        float, Meta(ge=0, le=1, description="least confidence for names of up to four letters")
    ] = 0.8
    min_vote_share: Annotated[
        float, Meta(ge=0, le=1, description="share of a track's readings that must speak for the brand")
    ] = 0.25
    partial_names: Annotated[
        bool, Meta(description="accept a piece of a name where the same source shows the whole name elsewhere")
    ] = True
    candidate_letters: Annotated[int, Meta(ge=1, le=20, description="least letters of an unresolved candidate")] = 3
    candidate_confidence: Annotated[
        float, Meta(ge=0, le=1, description="least confidence of an unresolved candidate's reading")
    ] = 0.75
    candidate_seconds: Annotated[
        float, Meta(ge=0, le=600, description="least time on screen of an unresolved candidate, seconds")
    ] = 0.5
    grow_seconds: Annotated[
        float,
        Meta(ge=0, le=600, description="time on screen from which unknown lettering is proposed as a brand, seconds"),
    ] = 2.0
    max_candidates: Annotated[int, Meta(ge=0, le=5000, description="unresolved candidates kept, longest first")] = 200
    logo_confidence: Annotated[
        float, Meta(ge=0, le=1, description="least confidence of a match with a reference picture")
    ] = 0.6
    catalogue_marks: Annotated[
        bool, Meta(description="look for known brands without a reference picture by their mark in the catalogue")
    ] = True


class MatchBrandsInput(msgspec.Struct, frozen=True):
    extract_frames: Sequence[ExtractFramesOutput]
    filter_scenes: Sequence[FilterScenesOutput]
    detect_edges: Sequence[DetectEdgesOutput]
    detect_objects: Sequence[DetectObjectsOutput]
    run_ocr: Sequence[RunOcrOutput]


class MatchBrandsOutput(StageOutput, frozen=True, kw_only=True):
    """What was recognised, and what may be a brand and was not."""

    detections: list[BrandDetection]
    unresolved: list[Candidate]


class MatchBrands:
    """Match texts to known names, and regions to reference logos."""

    name, version = "match_brands", 4
    scope: Literal["asset"] = "asset"
    uses_known_brands = True
    needs: Needs = "cpu"
    Options, Input, Output = MatchBrandsOptions, MatchBrandsInput, MatchBrandsOutput

    def model_digests(self, options: MatchBrandsOptions, resources: Resources) -> tuple[str, ...]:
        return (digest,) if options.catalogue_marks and (digest := catalogue_digest()) else ()

    def run(self, ctx: StageContext, data: MatchBrandsInput) -> MatchBrandsOutput:
        matcher = _TrackMatcher(ctx)
        detections: list[BrandDetection] = []
        left: list[TextTrack] = []
        placing = Placing.of(data.extract_frames, data.filter_scenes, data.run_ocr)
        for chunk in ctx.each(data.run_ocr):
            heard = [track for track in placing.settle(chunk.tracks) if not matcher.is_rejected(track)]
            unmatched = [track for track in heard if not _take(matcher.match(track), detections)]
            detections.extend(matcher.match_joined(unmatched))
            left.extend(unmatched)
        if ctx.options.partial_names:
            whole = {found.brand for found in detections}
            left = [track for track in left if not _take(matcher.match_partial(track, whole), detections)]
        by_text = len(detections)
        read = {found.brand for found in detections}
        frames = (data.extract_frames, data.filter_scenes, data.detect_edges, data.detect_objects)
        detections.extend(find_logos(ctx, *frames, read))
        unresolved = self._candidates(ctx, data, matcher.names, left)
        stats = {
            "detections": len(detections),
            "brands": len({found.brand for found in detections}),
            "by_logo": len(detections) - by_text,
            "unresolved": len(unresolved),
            "proposed_brands": sum(candidate.brand_like for candidate in unresolved),
        }
        return MatchBrandsOutput(detections=detections, unresolved=unresolved, stats=dict(stats))

    @staticmethod
    def _candidates(
        ctx: StageContext, data: MatchBrandsInput, names: NameIndex, left: list[TextTrack]
    ) -> list[Candidate]:
        options: MatchBrandsOptions = ctx.options
        rules = CandidateRules(
            min_letters=options.candidate_letters,
            min_confidence=options.candidate_confidence,
            min_seconds=options.candidate_seconds,
            brand_like_seconds=options.grow_seconds,
            sample_seconds=_sample_seconds(data.extract_frames),
            limit=options.max_candidates,
        )
        placed = [(track, placement_of(track.context)) for track in left]
        return group_candidates(placed, names, rules, grow=not ctx.known_brands.given)


class _TrackMatcher:
    """Matches the readings of tracks to the known brands of one run."""

    def __init__(self, ctx: StageContext) -> None:
        known = ctx.known_brands
        self._options: MatchBrandsOptions = ctx.options
        self.names = NameIndex(known.brands)
        self._confirmed = {brand.name: brand.confirmed for brand in known.brands}
        self._rejected = frozenset([*known.rejected, *map(fold, known.rejected)])
        self._cached = dict(known.cached)

    def is_rejected(self, track: TextTrack) -> bool:
        """Whether people said that what is read here is no brand, however recognition confuses its letters."""
        text = track.readings[0].text
        return normalize(text) in self._rejected or fold(text) in self._rejected

    def match(self, track: TextTrack) -> BrandDetection | None:
        """A detection, or None where no reading is a known name."""
        return self._best(track, allow_partial=False)

    def match_partial(self, track: TextTrack, whole: set[str]) -> BrandDetection | None:
        """A detection by a piece of a name, if its brand is one of those seen whole in this source."""
        found = self._best(track, allow_partial=True)
        return found if found is not None and found.brand in whole else None

    def match_joined(self, tracks: list[TextTrack]) -> Iterator[BrandDetection]:
        """Detections on pairs of unmatched tracks that spell a name together."""
        for first, second, sequences in adjacent_pairs(tracks):
            one, two = first.readings[0], second.readings[0]
            match = self.names.match(
                f"{one.text} {two.text}", min_similarity=self._options.min_similarity, allow_partial=False
            )
            confidence = min(one.confidence, two.confidence)
            if (
                match is None
                or confidence < self._options.min_confidence
                or not _needs_both(match, one, two, self.names)
            ):
                continue
            boxes = {seen.sequence: seen for seen in second.observations}
            observations = [
                Observation(seen.sequence, union(seen.box, boxes[seen.sequence].box), seen.confidence)
                for seen in first.observations
                if seen.sequence in sequences and seen.sequence in boxes
            ]
            found = self._detection(first, match, f"{one.text} {two.text}", confidence, observations)
            appears, vanishes = joined_edges(first, second, sequences)
            yield replace(found, appears=appears, vanishes=vanishes)

    def _best(self, track: TextTrack, *, allow_partial: bool) -> BrandDetection | None:
        weights = [reading.votes * reading.confidence for reading in track.readings]
        share: dict[str, float] = {}
        best: tuple[float, TextMatch, Reading] | None = None
        for reading, weight in zip(track.readings, weights, strict=True):
            match = self._match_reading(reading, allow_partial=allow_partial)
            if match is None:
                continue
            share[match.brand] = share.get(match.brand, 0.0) + weight / sum(weights)
            strength = match.similarity * reading.confidence
            if best is None or strength > best[0]:
                best = (strength, match, reading)
        if best is None or share[best[1].brand] < self._options.min_vote_share:
            return None
        found = self._detection(track, best[1], best[2].text, best[2].confidence, track.observations)
        return replace(found, appears=track.appears, vanishes=track.vanishes)

    def _match_reading(self, reading: Reading, *, allow_partial: bool) -> TextMatch | None:
        cached = self._cached.get(normalize(reading.text))
        if cached is not None:
            return TextMatch(cached, 1.0, "exact")
        match = self.names.match(reading.text, min_similarity=self._options.min_similarity, allow_partial=allow_partial)
        if match is None:
            return None
        short = len(fold(reading.text)) <= 4
        needed = self._options.short_name_confidence if short else self._options.min_confidence
        return match if reading.confidence >= needed else None

    def _detection(
        self, track: TextTrack, match: TextMatch, text: str, confidence: float, observations: list[Observation]
    ) -> BrandDetection:
        return BrandDetection(
            brand=match.brand,
            source="ocr",
            confidence=round(confidence * match.similarity, 4),
            text=text,
            placement=placement_of(track.context),
            observations=observations,
            rule=match.rule,
            confirmed=self._confirmed.get(match.brand, False),
        )


def _needs_both(match: TextMatch, one: Reading, two: Reading, names: NameIndex) -> bool:
    """Whether the pair says more than either half: a match that one half makes alone is that half's."""
    alone = (names.match(half.text, min_similarity=1.0, allow_partial=False) for half in (one, two))
    return match.rule != "inside" and all(found is None for found in alone)


def _take(found: BrandDetection | None, detections: list[BrandDetection]) -> bool:
    if found is not None:
        detections.append(found)
    return found is not None


def _sample_seconds(chunks: Sequence[ExtractFramesOutput]) -> float:
    """Median time between samples: what one sampled frame stands for."""
    times = [sample.timestamp for chunk in chunks for sample in chunk.samples]
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(times))
    return gaps[len(gaps) // 2] if gaps else 1.0
