"""Stage 4: text, read where it is new and followed where it is not."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal

import cv2
import msgspec
import numpy as np
from msgspec import Meta

from detect.between_samples import Between, find_edges, gaps_of
from detect.board_lines import BoardSearch, Line
from detect.context import ShotView, contexts_of, people_only
from detect.engines.ocr import TextLine
from detect.errors import MediaError
from detect.in_order import in_order
from detect.line_search import LineSearch, LineSearcher
from detect.motion import Gray, Quad
from detect.stages.base import Image, Needs, Options, StageContext, StageOutput, Video
from detect.stages.detect_edges import DetectEdgesOutput
from detect.stages.detect_objects import DetectObjectsOutput
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.text_edges import with_ends
from detect.text_following import Follow
from detect.text_tracker import TextTracker
from detect.text_tracks import Frame, Track, Vote, places_of
from detect.track_ends import TrackEnd, track_ends
from detect.types import Box, Observation, Reading, Region, TextTrack

if TYPE_CHECKING:
    from detect.resources import Resources

logger = logging.getLogger(__name__)

_FOLLOW_WIDTH = 1280
_MAX_SHOT_FRAMES = 120


class RunOcrOptions(Options, frozen=True, kw_only=True):
    """At what scale text is looked for, and how surely it must be read and followed."""

    detect_side: Annotated[
        int, Meta(ge=320, le=4096, description="long side of the picture that lines of text are searched in, pixels")
    ] = 1312
    detect_every: Annotated[
        int,
        Meta(
            ge=1,
            le=10,
            description="one picture in so many is searched for lines, and of those between the ones to which texts "
            "cannot be followed from the one before; 1 searches all",
        ),
    ] = 2
    boards_every: Annotated[
        int,
        Meta(
            ge=0,
            le=10,
            description="low boards are enlarged on pictures that are searched in any case and lie at least so many "
            "apart; 0 for never",
        ),
    ] = 3
    low_board: Annotated[
        int, Meta(ge=8, le=400, description="boards lower than this are searched enlarged, pixels")
    ] = 44
    board_height: Annotated[int, Meta(ge=32, le=400, description="height to which low boards are enlarged, pixels")] = (
        64
    )
    max_boards: Annotated[int, Meta(ge=1, le=20, description="boards searched enlarged in one frame, at most")] = 4
    line_threshold: Annotated[
        float, Meta(ge=0.1, le=0.9, description="score from which a place counts as a line of text")
    ] = 0.5
    min_confidence: Annotated[
        float, Meta(ge=0, le=1, description="mean character confidence below which a reading is dropped")
    ] = 0.5
    min_letters: Annotated[int, Meta(ge=1, le=10, description="shorter texts are dropped")] = 2
    follow_similarity: Annotated[
        float, Meta(ge=0.3, le=1, description="correlation with its last sight from which a lost text is found again")
    ] = 0.65
    follow_anchor_similarity: Annotated[
        float, Meta(ge=0.2, le=1, description="correlation with a detected sight that a followed text must keep")
    ] = 0.5
    follow_share: Annotated[
        float,
        Meta(ge=0.1, le=1, description="share of the texts before that must be found in a frame that is not searched"),
    ] = 0.6
    follow_misses: Annotated[
        int, Meta(ge=0, le=20, description="sampled frames a text may be lost before its track ends")
    ] = 2
    follow_reach: Annotated[
        float, Meta(ge=0.2, le=6, description="how far around its expected place a lost text is searched, line heights")
    ] = 1.5
    refine_edges: Annotated[
        bool, Meta(description="search the frames between two samples for when a text came or went")
    ] = True


class RunOcrInput(msgspec.Struct, frozen=True):
    extract_frames: ExtractFramesOutput
    filter_scenes: FilterScenesOutput
    detect_edges: DetectEdgesOutput
    detect_objects: DetectObjectsOutput
    video: Video | None = None


class RunOcrOutput(StageOutput, frozen=True, kw_only=True):
    """The texts of one chunk, each followed through one shot."""

    tracks: list[TextTrack]


class RunOcr:
    """Read text on boards, jerseys and graphics; follow each through its shot."""

    name, version = "run_ocr", 8
    scope: Literal["chunk"] = "chunk"
    uses_known_brands = False
    needs: Needs = "cpu"
    Options, Input, Output = RunOcrOptions, RunOcrInput, RunOcrOutput

    def model_digests(self, options: RunOcrOptions, resources: Resources) -> tuple[str, ...]:
        return (resources.ocr_digest,)

    def run(self, ctx: StageContext, data: RunOcrInput) -> RunOcrOutput:
        tracks: list[TextTrack] = []
        found: list[Track] = []
        lines_read = lines_found = done = 0
        ends: list[TrackEnd] = []
        people, boards = people_only(data.detect_objects.regions), data.detect_edges.regions
        shots = split_shots(data.filter_scenes, data.extract_frames)
        with _searcher(ctx, shots, boards) as searcher:
            for shot in shots:
                reader = _ShotReader(ctx, searcher, shot, done, len(data.filter_scenes.kept))
                done += len(shot)
                tracker = TextTracker(
                    reader.frames,
                    reader.read,
                    _follow(ctx.options),
                    found,
                    reader.detect,
                    threads=ctx.resources.threads,
                )
                found = tracker.run()
                motions = dict(zip(pairwise(shot), tracker.motions, strict=True))
                grays = {frame.sequence: frame.gray for frame in reader.frames}
                view = ShotView(grays, motions, people, boards, reader.scale)
                texts = _finished(found, contexts_of(found, view), reader.scale, len(tracks), ctx.options)
                tracks += [text for text, _ in texts]
                known = (reader.frames, tracker.motions, places_of(track for _, track in texts))
                for text, track in texts:
                    ends += track_ends(text.track_id, track, *known, fixed=text.context == "overlay")
                lines_read += tracker.lines_read
                lines_found += sum(len(frame.lines) for frame in reader.frames)
        told = between_samples(ctx, data, ends)
        if told is not None:
            tracks = with_ends(tracks, told, data.extract_frames, data.filter_scenes, _scale(ctx))
        stats = {
            "frames": done,
            "searched": searcher.count,
            "lines_found": lines_found,
            "lines_read": lines_read,
            "tracks": len(tracks),
            "refined_edges": 0 if told is None else len(told.edges),
        }
        return RunOcrOutput(tracks=tracks, stats=dict(stats), incomplete=told is None)


def between_samples(ctx: StageContext, data: RunOcrInput, ends: Sequence[TrackEnd]) -> Between | None:
    """What the frames between samples tell of when texts came and went; None where they cannot be read."""
    gaps = gaps_of(ends, data.extract_frames, data.filter_scenes)
    if not gaps or not ctx.options.refine_edges:
        return Between()
    if data.video is None:
        return None
    cuts, threads = data.filter_scenes.cuts, ctx.resources.threads
    try:
        return find_edges(data.video.path, gaps, cuts, _scale(ctx), ctx.checkpoint, threads=threads)
    except MediaError as error:
        logger.warning("edges stay as the samples have them: %s", error)
        return None


def _scale(ctx: StageContext) -> float:
    """How large the pictures on which texts are followed are, as a share of the video's."""
    return min(1.0, _FOLLOW_WIDTH / ctx.source.width)


class _ShotReader:
    """Frames of one shot: lines detected at once, single lines read on demand from the full picture."""

    def __init__(self, ctx: StageContext, searcher: LineSearcher, sequences: list[int], done: int, total: int) -> None:
        self._ctx = ctx
        self._searcher = searcher
        self.scale = _scale(ctx)
        self._current: tuple[int, Image] | None = None
        self._done, self._total = done, total
        grays = in_order(
            lambda sequence: _gray(ctx.frames.load(sequence), self.scale), sequences, ctx.resources.threads
        )
        self.frames = [Frame(sequence, gray, lines=[]) for sequence, gray in zip(sequences, grays, strict=True)]

    def read(self, index: int, quads: Sequence[Quad]) -> list[TextLine]:
        """Read quads given in the tracker's pixels from the full-size frame."""
        image = self._image(self.frames[index].sequence)
        return self._ctx.resources.ocr.read(image, [quad / np.float32(self.scale) for quad in quads])

    def _image(self, sequence: int) -> Image:
        if self._current is None or self._current[0] != sequence:
            self._current = (sequence, self._ctx.frames.load(sequence))
        return self._current[1]

    def detect(self, index: int) -> list[Line]:
        """Lines of a frame, in the tracker's pixels."""
        self._ctx.checkpoint()
        sequence = self.frames[index].sequence
        searched = self._searcher.search(sequence)
        self._current = (sequence, searched.image)
        self._ctx.progress(self._done + index + 1, self._total)
        return [(quad * np.float32(self.scale), score) for quad, score in searched.lines]


def _searcher(ctx: StageContext, shots: list[list[int]], boards: dict[int, list[Region]]) -> LineSearcher:
    options: RunOcrOptions = ctx.options
    board = BoardSearch(options.low_board, options.board_height, options.max_boards, options.line_threshold)
    search = LineSearch(options.detect_side, options.line_threshold, options.boards_every, board)
    resources = ctx.resources
    return LineSearcher(resources.ocr, ctx.frames, boards, shots, _follow(options), search, threads=resources.threads)


def split_shots(scenes: FilterScenesOutput, extracted: ExtractFramesOutput) -> list[list[int]]:
    """Kept sequences of a chunk, shot by shot; a very long shot is split so that memory stays bounded."""
    times = {sample.sequence: sample.timestamp for sample in extracted.samples}
    shots: list[list[int]] = []
    shot_number = -1
    for sequence in scenes.kept:
        number = sum(cut <= times[sequence] for cut in scenes.cuts)
        if number != shot_number or len(shots[-1]) >= _MAX_SHOT_FRAMES:
            shots.append([])
            shot_number = number
        shots[-1].append(sequence)
    return shots


def _gray(image: Image, scale: float) -> Gray:
    gray: Gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return gray if scale == 1.0 else cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _follow(options: RunOcrOptions) -> Follow:
    return Follow(
        min_similarity=options.follow_similarity,
        min_anchor_similarity=options.follow_anchor_similarity,
        max_misses=options.follow_misses,
        share=options.follow_share,
        detect_every=options.detect_every,
        reach=options.follow_reach,
    )


def _finished(
    found: Sequence[Track], contexts: Sequence[str], scale: float, first_id: int, options: RunOcrOptions
) -> list[tuple[TextTrack, Track]]:
    """Tracks as the stage's output, numbered from ``first_id`` on; those on which nothing usable was read left out."""
    texts: list[tuple[TextTrack, Track]] = []
    for track, context in zip(found, contexts, strict=True):
        text = _finish(track, scale, first_id + len(texts), context, options)
        if text is not None:
            texts.append((text, track))
    return texts


def _finish(track: Track, scale: float, track_id: int, context: str, options: RunOcrOptions) -> TextTrack | None:
    """A track as the stage's output, in full-size pixels, or None when nothing usable was read on it."""
    readings = [
        Reading(
            text=text,
            confidence=vote.confidence,
            votes=vote.votes,
            sequence=vote.sequence,
            box=_full_box(vote.quad, scale),
            lattice=vote.lattice,
        )
        for text, vote in sorted(track.votes.items(), key=_by_weight)
        if vote.confidence >= options.min_confidence and sum(char.isalnum() for char in text) >= options.min_letters
    ]
    if not readings:
        return None
    observations = [
        Observation(sight.sequence, _full_box(sight.quad, scale), round(sight.confidence, 4)) for sight in track.sights
    ]
    return TextTrack(track_id=track_id, readings=readings, observations=observations, context=context)


def _by_weight(item: tuple[str, Vote]) -> tuple[float, str]:
    return -item[1].votes * item[1].confidence, item[0]


def _full_box(quad: Quad, scale: float) -> Box:
    return Box.from_points([(float(x) / scale, float(y) / scale) for x, y in quad])
