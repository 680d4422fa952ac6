"""Analysed videos whose texts are made by hand, so that everything from ``match_brands`` on really runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np

from brands.actions import GroupRef
from brands.models import KnownBrand, ReviewGroup
from brands.selectors import known_brands_snapshot
from brands.services import brands_ensure
from detect.checkpoints import serde
from detect.checkpoints.outputs import save_stage_output
from detect.checkpoints.store import CheckpointRecord
from detect.config import resolve
from detect.models import SourceAsset
from detect.persistence import DatabaseCheckpointStore
from detect.registry import load_pipeline
from detect.report import Report, to_json
from detect.stages.base import Image
from detect.stages.detect_edges import DetectEdgesOutput
from detect.stages.detect_objects import DetectObjectsOutput
from detect.stages.extract_frames import encode_jpeg
from detect.stages.filter_scenes import FilterScenesOutput
from detect.stages.run_ocr import RunOcrOutput
from detect.types import Box, KnownBrandRecord, Observation, Reading, TextTrack
from jobs.engine import timeline_frames
from jobs.models import AcceptedResult, DetectJob
from jobs.results.accepted import results_bring_in
from jobs.selectors import job_report
from tests.report.factories import HEIGHT, WIDTH, extracted
from tests.trees.made import a_job, an_asset, run

#: Long enough that unknown lettering is proposed as a brand where no list was given.
LONG = range(8)
SHORT = range(3)


def video(name: str = "match") -> SourceAsset:
    return an_asset(sha256=hashlib.sha256(name.encode()).hexdigest(), path=f"/footage/{name}.mp4")


def known(*names: str) -> list[KnownBrand]:
    """Confirmed brands."""
    return brands_ensure(listed=[KnownBrandRecord(name) for name in names])


def read_job(
    *texts: str,
    asset: SourceAsset | None = None,
    given: Iterable[KnownBrand] | None = None,
    frames: bool = False,
    seen: Iterable[int] = SHORT,
    **fields: Any,
) -> DetectJob:
    """A job that has read ``texts``, one above the other, and knows what is known of brands now, or the ``given``."""
    asset = asset or video()
    snapshot = known_brands_snapshot(asset=asset, only=given)
    job = a_job(asset, known_brands=serde.pack(serde.encode(snapshot)), **fields)
    assert job.timeline is not None
    if frames:
        stored = timeline_frames(job.timeline)
        for sequence in range(10):
            stored.save_jpeg(sequence, encode_jpeg(_drawn(texts), 90))
    pipeline = load_pipeline("brands")
    outputs: list[Any] = [
        extracted(),
        FilterScenesOutput(kept=list(range(10)), stands_for={}, cuts=[]),
        DetectEdgesOutput(regions={}),
        DetectObjectsOutput(regions={}),
        RunOcrOutput(tracks=[_track(number, text, list(seen)) for number, text in enumerate(texts)]),
    ]
    node: CheckpointRecord | None = None
    for stage, output in zip(pipeline.stages, outputs, strict=False):
        node = save_stage_output(
            DatabaseCheckpointStore(),
            stage=stage.name,
            parts=[output],
            timeline_id=job.timeline.id,
            job_id=job.id,
            parent=node,
            snapshot=resolve(pipeline, job.profile_name, {}).snapshot(),
        )
    return job


def analysed(*texts: str, **fields: Any) -> DetectJob:
    """The same, finished and in the review: the accepted result of its video where it is the first."""
    job = run(read_job(*texts, **fields))
    results_bring_in()  # as it follows the commit, which a test does not make
    return job


def accepted(asset: SourceAsset | None = None) -> AcceptedResult:
    return AcceptedResult.objects.get(source_asset=asset or video())


def brands_of(job: DetectJob) -> dict[str, float]:
    """Seconds of each brand in the job's report."""
    return {brand.name: brand.seconds for brand in job_report(job).brands}


def undecided(report: Report) -> list[str]:
    return [one.text for one in report.unresolved]


def report_bytes(job: DetectJob) -> bytes:
    return to_json(job_report(job))


def group(text: str) -> GroupRef:
    """The group that holds a text, as it is now."""
    found = ReviewGroup.objects.filter(items__text=text).distinct().get()
    return GroupRef(found.id, found.revision)


def _drawn(texts: Iterable[str]) -> Image:
    """A frame with each text where its track has it, on a ground of its own."""
    picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for number, text in enumerate(texts):
        box = _box(number)
        ground = np.random.default_rng(len(text) + sum(text.encode())).integers(0, 255, (3, 5, 3), np.uint8)
        size = (box.x2 - box.x1, box.y2 - box.y1)
        picture[box.y1 : box.y2, box.x1 : box.x2] = cv2.resize(ground, size, interpolation=cv2.INTER_NEAREST)
        cv2.putText(picture, text, (box.x1 + 4, box.y2 - 10), cv2.FONT_HERSHEY_SIMPLEX, 1, (255, 255, 255), 2)
    return picture


def _box(number: int) -> Box:
    return Box(100, 40 + 60 * number, 300, 80 + 60 * number)


def _track(number: int, text: str, seen: list[int]) -> TextTrack:
    box = _box(number)
    return TextTrack(
        track_id=number,
        readings=[Reading(text, 0.95, 3, seen[0], box)],
        observations=[Observation(sequence, box, 0.9) for sequence in seen],
        context="board",
    )
