"""Puts one finished job into the empty installation of this environment: a two-hour match with very many exposures.

``python -m bench.jobpage_data``. Prints, as JSON, where its page is, what it holds and a session that may look at it.
Everything follows from its number, so that two fillings are alike; the frames that the page shows first are in storage.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detect.stages.compile_report import CompileReportOutput
    from detect.types import BrandDetection, Candidate, Placement, SourceInfo
    from jobs.models import DetectJob

SECONDS, FPS, BRANDS, EXPOSURES, CANDIDATES = 7200, 2, 40, 5000, 200
WIDTH, HEIGHT = 1280, 720
_LOG_LINES = 300
_PLACEMENTS: tuple[Placement, ...] = ("led", "board", "jersey", "overlay")
_CUT_EVERY = 7  # seconds; a shot of a broadcast is not much longer


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    from mediaproc.roles import Role, give_role

    job, report = _fill()
    reader = User.objects.create_user("bench")
    give_role(reader, Role.OPERATOR)
    client = Client()
    client.force_login(reader)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    exposures = sum(len(brand.exposures) for brand in report.brands)
    told = {"path": f"/jobs/{job.id}", "exposures": exposures, "brands": len(report.brands)}
    print(json.dumps({**told, "cookie": cookie.key, "value": cookie.value}))


def _fill() -> tuple[DetectJob, CompileReportOutput]:
    import msgspec
    from django.utils import timezone

    from detect.checkpoints import serde
    from detect.models import SourceAsset, Timeline
    from detect.types import KnownBrands
    from jobs.choices import EventKind, JobStatus
    from jobs.events import event_append
    from jobs.models import DetectJob

    source = _source()
    asset = SourceAsset.objects.create(sha256=source.sha256, path=source.path, probe=msgspec.to_builtins(source))
    timeline = Timeline.objects.create(
        source_asset=asset,
        source_video=source.path,
        profile_name="soccer_broadcast",
        fps=FPS,
        frames_prefix="timelines/bench",
        frames_meta=[{"sequence": n, "chunk_id": n // 60, "timestamp": n / FPS} for n in range(SECONDS * FPS)],
    )
    job = DetectJob.objects.create(
        source_asset=asset,
        timeline=timeline,
        video_path=source.path,
        known_brands=serde.pack(serde.encode(KnownBrands())),
        request_digest="",
        status=JobStatus.RUNNING,
    )
    report = _run_stages(job, source)
    for number in range(_LOG_LINES):
        event_append(job_id=job.id, kind=EventKind.LOG, data={"level": "info", "line": f"chunk {number} is done"})
    job.status, job.completed_at = JobStatus.COMPLETED, timezone.now()
    job.save()
    _store_frames(job, report)
    return job, report


def _source() -> SourceInfo:
    from detect.types import SourceInfo

    return SourceInfo(
        path="/videos/final.mp4",
        sha256="2b" * 32,
        duration=float(SECONDS),
        width=WIDTH,
        height=HEIGHT,
        frame_rate="25/1",
        variable_frame_rate=False,
        start_time=0.0,
    )


def _run_stages(job: DetectJob, source: SourceInfo) -> CompileReportOutput:
    """What the stages before it found is made up; the report is compiled from it as always."""
    from detect.checkpoints.outputs import save_stage_output
    from detect.config import resolve
    from detect.persistence import DatabaseCheckpointStore
    from detect.registry import load_pipeline
    from detect.resources import Resources
    from detect.stages.base import StageContext
    from detect.stages.compile_report import CompileReport, CompileReportInput, CompileReportOptions
    from detect.types import KnownBrands
    from jobs.engine import timeline_frames

    assert job.timeline is not None
    pipeline, outputs = load_pipeline(job.pipeline), _outputs()
    context = StageContext(
        source=source,
        options=CompileReportOptions(),
        frames=timeline_frames(job.timeline),
        known_brands=KnownBrands(),
        resources=Resources(),
    )
    parts: dict[str, Any] = {name: [outputs[name]] for name in ("extract_frames", "filter_scenes", "detect_objects")}
    parts |= {name: outputs[name] for name in ("match_brands", "escalate_vlm", "escalate_cloud")}
    outputs["compile_report"] = CompileReport().run(context, CompileReportInput(**parts))
    node = None
    for stage in pipeline.stages:
        node = save_stage_output(
            DatabaseCheckpointStore(),
            stage=stage.name,
            parts=[outputs[stage.name]],
            timeline_id=job.timeline.id,
            job_id=job.id,
            parent=node,
            snapshot=resolve(pipeline, job.profile_name, {}).snapshot(),
        )
    report: CompileReportOutput = outputs["compile_report"]
    return report


def _outputs() -> dict[str, Any]:
    from detect.stages.detect_edges import DetectEdgesOutput
    from detect.stages.detect_objects import DetectObjectsOutput
    from detect.stages.escalate_cloud import EscalateCloudOutput
    from detect.stages.escalate_vlm import EscalateVlmOutput
    from detect.stages.extract_frames import ExtractFramesOutput
    from detect.stages.filter_scenes import FilterScenesOutput
    from detect.stages.match_brands import MatchBrandsOutput
    from detect.stages.run_ocr import RunOcrOutput
    from detect.types import FrameSignals, Sample

    frames = range(SECONDS * FPS)
    candidates = [_candidate(number) for number in range(CANDIDATES)]
    return {
        "extract_frames": ExtractFramesOutput(
            samples=[Sample(n, n / FPS, f"{n:064x}", "", n / FPS + 0.04) for n in frames],
            signals=FrameSignals([], [], [], []),
            ended_at=float(SECONDS),
            problems=[],
        ),
        "filter_scenes": FilterScenesOutput(
            kept=list(frames), stands_for={}, cuts=[float(at) for at in range(_CUT_EVERY, SECONDS, _CUT_EVERY)]
        ),
        "detect_edges": DetectEdgesOutput(regions={}),
        "detect_objects": DetectObjectsOutput(regions={}, skipped="no object weights"),
        "run_ocr": RunOcrOutput(tracks=[]),
        "match_brands": MatchBrandsOutput(detections=list(_detections()), unresolved=candidates),
        "escalate_vlm": EscalateVlmOutput(detections=[], unresolved=candidates, calls=[]),
        "escalate_cloud": EscalateCloudOutput(detections=[], unresolved=candidates, calls=[]),
    }


def _detections() -> Iterator[BrandDetection]:
    """As many of each brand, each one exposure: what lies between two is longer than what is bridged."""
    from detect.types import Box, BrandDetection, Observation

    chance = random.Random(7)
    count = EXPOSURES // BRANDS
    slot = SECONDS * FPS // count
    for number in range(BRANDS):
        places = chance.sample(_PLACEMENTS, 1 + number % 2)
        left, top = chance.randrange(0, WIDTH - 200), chance.randrange(200, HEIGHT - 60)
        for place in range(count):
            first = place * slot + chance.randrange(0, slot // 2)
            last = first + min(chance.randrange(1, 30), slot // 2 - 2 * _CUT_EVERY)
            seen = [Observation(n, Box(left, top, left + 160, top + 40), 0.9) for n in range(first, last)]
            yield BrandDetection(
                brand=f"Sponsor number {number + 1}",
                source="ocr",
                confidence=0.9,
                text=f"SPONSOR NUMBER {number + 1}",
                placement=chance.choice(places),
                observations=seen,
                rule="exact",
                confirmed=number % 7 > 0,
            )


def _candidate(number: int) -> Candidate:
    from detect.types import Box, Candidate, Observation, Suggestion

    first, box = number * 60, Box(500, 400, 620, 430)
    return Candidate(
        candidate_id=f"c{number}",
        text=f"LETTERING {number}",
        confidence=0.8,
        placement="board",
        observations=[Observation(first + n, box, 0.8) for n in range(8)],
        crop_sequence=first,
        crop_box=box,
        members=1,
        reason="no known brand is spelled like it",
        suggestions=[Suggestion("Sponsor number 1", 0.7)],
    )


def _store_frames(job: DetectJob, report: CompileReportOutput) -> None:
    """The frames of the pictures that the page opens with: a thumbnail for each brand, the first candidates."""
    import numpy as np

    from detect.stages.extract_frames import encode_jpeg
    from jobs.engine import timeline_frames

    assert job.timeline is not None
    noise = np.random.default_rng(7).integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    jpeg = encode_jpeg(np.ascontiguousarray(noise.repeat(8, axis=0).repeat(8, axis=1)), 85)
    longest = [max(brand.exposures, key=lambda exposure: exposure.seconds) for brand in report.brands]
    shown = [exposure.evidence[0].sequence for exposure in longest] + [item.sequence for item in report.unresolved[:24]]
    frames = timeline_frames(job.timeline)
    for sequence in set(shown):
        frames.save_jpeg(sequence, jpeg)


if __name__ == "__main__":
    main()
