"""Trying a reference picture: whether it is found on some frames of videos that were analysed.

It is looked for as a run does, in the same places, on frames that a run kept; but on a few only, and what is less sure
than a run asks for is told too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage

from brands.logo_pictures import logo_load
from brands.models import BrandAppearance, BrandLogo
from brands.selectors import brand_parts, brand_roots
from detect.checkpoints.outputs import load_stage_output
from detect.checkpoints.store import CheckpointRecord
from detect.engines.logos import LogoMatch, LogoMatcher
from detect.errors import StorageError
from detect.logo_search import searched_boxes
from detect.models import Checkpoint, SourceAsset, Timeline
from detect.persistence import DatabaseCheckpointStore, StorageFrames
from detect.stages.detect_edges import DetectEdgesOutput
from detect.stages.detect_objects import DetectObjectsOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.stages.match_brands import MatchBrandsOptions

FRAMES = 12
_VIDEOS = 3
_LAST_STAGE = "compile_report"


@dataclass(frozen=True)
class Finished:
    """A job that has run to its end, and its video."""

    checkpoint: UUID
    job_id: UUID
    asset: SourceAsset


@dataclass(frozen=True)
class TriedFrame:
    """A frame that was searched: where it is, its size in pixels, and what was found, surest first."""

    job: Finished
    sequence: int
    seconds: float
    width: int
    height: int
    threshold: float
    found: list[LogoMatch]

    @property
    def sure(self) -> list[LogoMatch]:
        """What a run with the job's options would take for the brand."""
        return [match for match in self.found if match.confidence >= self.threshold]


@dataclass(frozen=True)
class LogoTrial:
    """``gone`` counts frames that are no longer stored; a ``weak`` picture is not even found in itself."""

    frames: list[TriedFrame]
    gone: int
    weak: bool


def finished_jobs(*, limit: int = 50) -> list[Finished]:
    """The newest finished job of each video, newest first."""
    ends = Checkpoint.objects.filter(stage=_LAST_STAGE).order_by("-created_at")[: 4 * limit]
    found: dict[UUID, Finished] = {}
    for end in ends.select_related("timeline__source_asset").defer(
        "timeline__frames_meta", "timeline__frames_manifest"
    ):
        found.setdefault(end.timeline.source_asset_id, Finished(end.id, end.job_id, end.timeline.source_asset))
    return list(found.values())[:limit]


def logo_try(logo: BrandLogo, jobs: Sequence[Finished]) -> LogoTrial:
    """Look for a reference picture on about ``FRAMES`` frames of some jobs, the first few of them.

    On frames where the brand was seen, and on others spread over the video. Raises ``StorageError`` where the picture
    itself is gone.
    """
    matcher = LogoMatcher([("", logo_load(logo))])
    jobs = jobs[:_VIDEOS]
    frames: list[TriedFrame] = []
    gone = 0
    for place, job in enumerate(jobs):
        share = FRAMES // len(jobs) + (place < FRAMES % len(jobs))
        for one in _tried(matcher, job, _seen_at(logo, job), share):
            if one is None:
                gone += 1
            else:
                frames.append(one)
    return LogoTrial(sorted(frames, key=_surest_first), gone, weak=bool(matcher.weak))


def _tried(matcher: LogoMatcher, job: Finished, seen: set[int], count: int) -> Iterable[TriedFrame | None]:
    store = DatabaseCheckpointStore()
    node = store.get_checkpoint(job.checkpoint)
    timeline = Timeline.objects.defer("frames_manifest").get(id=node.timeline_id)
    frames = StorageFrames(default_storage, timeline.frames_prefix)
    facts = {row["sequence"]: row for row in timeline.frames_meta}
    threshold = node.config_snapshot.get("match_brands", {}).get(
        "logo_confidence", MatchBrandsOptions().logo_confidence
    )
    for chunk, sequences in _chosen(store, node, facts, seen, count).items():
        edges = load_stage_output(store, node, "detect_edges", DetectEdgesOutput)[chunk]
        objects = load_stage_output(store, node, "detect_objects", DetectObjectsOutput)[chunk]
        for sequence in sequences:
            try:
                image = frames.load(sequence)
            except StorageError:
                yield None
                continue
            found = matcher.find(image, searched_boxes(sequence, edges, objects) or None)
            height, width = image.shape[:2]
            yield TriedFrame(job, sequence, facts[sequence]["timestamp"], width, height, threshold, found)


def _chosen(
    store: DatabaseCheckpointStore, node: CheckpointRecord, facts: dict[int, Any], seen: set[int], count: int
) -> dict[int, list[int]]:
    """Frames to search by the number of their chunk: half where the brand was seen, the others spread; kept ones."""
    where = sorted(seen & set(facts))
    known = [where[place * len(where) // (count // 2)] for place in range(count // 2)] if where else []
    every = sorted(facts)
    rest = count - len(set(known))
    spread = [every[(2 * place + 1) * len(every) // (2 * rest)] for place in range(rest)] if every else []
    scenes = load_stage_output(store, node, "filter_scenes", FilterScenesOutput)
    kept: dict[int, list[int]] = {}
    chosen: dict[int, list[int]] = {}
    for sequence in dict.fromkeys((*known, *spread)):
        chunk = facts[sequence]["chunk_id"]
        if chunk not in kept:
            kept[chunk] = scenes[chunk].kept
        nearest = min(kept[chunk], key=lambda other: abs(other - sequence), default=None)
        if nearest is not None and nearest not in chosen.setdefault(chunk, []):
            chosen[chunk].append(nearest)
    return chosen


def _seen_at(logo: BrandLogo, job: Finished) -> set[int]:
    """Frames of the job that show the brand best, by its own row and by those merged into it."""
    root = brand_roots().get(logo.brand_id, logo.brand_id)
    shown = BrandAppearance.objects.filter(brand_id__in=brand_parts([root])[root], job_id=job.job_id)
    return set(shown.values_list("sequence", flat=True))


def _surest_first(frame: TriedFrame) -> tuple[float, float]:
    return -max((match.confidence for match in frame.found), default=0.0), frame.seconds
