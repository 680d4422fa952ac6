"""Stage 5: known brands on text tracks and regions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from detect.candidates import CandidateRules, group_candidates
from detect.context import placement_of
from detect.engines.mark_catalogue import catalogue_digest
from detect.logo_edges import LogoEdges
from detect.logo_search import find_logos
from detect.matching import NameIndex
from detect.page_changes import PageChanges
from detect.placing import Placing
from detect.second_look import SecondLooks
from detect.stages.base import Needs, Options, StageContext, StageOutput, Video
from detect.stages.detect_edges import DetectEdgesOutput
from detect.stages.detect_objects import DetectObjectsOutput
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.stages.run_ocr import RunOcrOutput
from detect.track_matching import TrackMatcher
from detect.types import BrandDetection, Candidate, Sample, TextTrack
from detect.whole_texts import WholeTexts

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
        bool,
        Meta(description="accept a piece of a name, or a weaker reading, where the same source surely shows it"),
    ] = True
    likely_evidence: Annotated[
        float,
        Meta(
            ge=0,
            le=100,
            description="how much better than chance a name must explain an unsure reading, nats; 2.8 a letter at most",
        ),
    ] = 11.0
    second_looks: Annotated[
        int,
        Meta(ge=0, le=20, description="frames on which a text that resembles a known name is read again; 0 for none"),
    ] = 3
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
    video: Video | None = None


class MatchBrandsOutput(StageOutput, frozen=True, kw_only=True):
    """What was recognised, and what may be a brand and was not."""

    detections: list[BrandDetection]
    unresolved: list[Candidate]


class MatchBrands:
    """Match texts to known names, and regions to reference logos."""

    name, version = "match_brands", 9
    scope: Literal["asset"] = "asset"
    uses_known_brands = True
    needs: Needs = "cpu"
    Options, Input, Output = MatchBrandsOptions, MatchBrandsInput, MatchBrandsOutput

    def model_digests(self, options: MatchBrandsOptions, resources: Resources) -> tuple[str, ...]:
        marks = catalogue_digest() if options.catalogue_marks else ""
        reading = resources.ocr_digest if options.second_looks else ""
        return tuple(digest for digest in (marks, reading) if digest)

    def run(self, ctx: StageContext, data: MatchBrandsInput) -> MatchBrandsOutput:
        whole = WholeTexts((track for chunk in data.run_ocr for track in chunk.tracks), ctx.source.width)
        matcher = TrackMatcher(ctx.known_brands, ctx.options, whole)
        detections: list[BrandDetection] = []
        left: list[tuple[TextTrack, TextTrack]] = []
        looks = SecondLooks(ctx, ctx.options.second_looks)
        placing = Placing.of(data.extract_frames, data.filter_scenes, data.run_ocr)
        for extracted, chunk in zip(data.extract_frames, ctx.each(data.run_ocr), strict=True):
            heard = [track for track in placing.settle(chunk.tracks) if not matcher.is_rejected(track)]
            unmatched = [track for track in heard if not _take(matcher.match(track), detections)]
            read_again = self._look_again(matcher, looks, extracted.samples, unmatched, detections)
            detections.extend(matcher.match_joined([track for track, _ in read_again]))
            left.extend(read_again)
        if ctx.options.partial_names:
            sure = {found.brand for found in detections if found.rule not in ("likely", "partial")}
            left = [pair for pair in left if not _take(matcher.match_supported(pair[1], sure), detections)]
            pieces = list(matcher.match_pieces([again for _, again in left], detections))
            detections.extend(found for found, _ in pieces)
            used = {id(track) for _, of in pieces for track in of}
            left = [pair for pair in left if id(pair[1]) not in used]
        by_text = len(detections)
        read = {found.brand for found in detections}
        frames = (data.extract_frames, data.filter_scenes, data.detect_edges, data.detect_objects)
        edges = LogoEdges(ctx, None if data.video is None else data.video.path)
        chunks = zip(data.extract_frames, data.filter_scenes, data.run_ocr, strict=False)
        for (extracted, scenes, chunk), logos in zip(chunks, find_logos(ctx, *frames, read), strict=False):
            changes = PageChanges(extracted, scenes, chunk.tracks)
            detections.extend(edges.timed(list(map(changes.timed, logos)), extracted, scenes))
        unresolved = self._candidates(ctx, data, matcher.names, [track for track, _ in left])
        stats = {
            "detections": len(detections),
            "brands": len({found.brand for found in detections}),
            "by_logo": len(detections) - by_text,
            "second_looks": looks.looks,
            "unresolved": len(unresolved),
            "proposed_brands": sum(candidate.brand_like for candidate in unresolved),
        }
        return MatchBrandsOutput(
            detections=detections,
            unresolved=unresolved,
            stats=dict(stats),
            incomplete=looks.frames_missing or edges.missing,
        )

    @staticmethod
    def _look_again(
        matcher: TrackMatcher,
        looks: SecondLooks,
        samples: list[Sample],
        tracks: list[TextTrack],
        detections: list[BrandDetection],
    ) -> list[tuple[TextTrack, TextTrack]]:
        """The tracks on which a second look finds no brand either: each as it was, and with what was read now."""
        seen = looks.take(samples, filter(matcher.is_worth_a_look, tracks))
        left = []
        for track in tracks:
            again = seen.get(track.track_id)
            if again is None:
                left.append((track, track))
            elif not _take(matcher.match(again), detections):
                looks.was_in_vain(track)
                left.append((track, again))
        return left

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


def _take(found: BrandDetection | None, detections: list[BrandDetection]) -> bool:
    if found is not None:
        detections.append(found)
    return found is not None


def _sample_seconds(chunks: Sequence[ExtractFramesOutput]) -> float:
    """Median time between samples: what one sampled frame stands for."""
    times = [sample.timestamp for chunk in chunks for sample in chunk.samples]
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(times))
    return gaps[len(gaps) // 2] if gaps else 1.0
