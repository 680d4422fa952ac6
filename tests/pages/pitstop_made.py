"""Pit-stop runs in the database with the outputs of every stage made by hand: a car that stops, people around it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
from django.utils import timezone

from detect.checkpoints import serde
from detect.checkpoints.outputs import save_stage_output
from detect.media.probe import probe
from detect.models import SourceAsset, Timeline
from detect.object_columns import ColumnsBuilder
from detect.persistence import DatabaseCheckpointStore
from detect.stages.base import Image
from detect.stages.detect_each_frame import DetectEachFrameOutput
from detect.stages.encode_video import EncodeVideoOutput
from detect.stages.extract_frames import ExtractFramesOutput, encode_jpeg
from detect.stages.render_overlays import RenderOverlaysOutput
from detect.stages.time_zones import TimeZonesOutput
from detect.stages.track_objects import Track, TrackObjectsOutput
from detect.types import FrameSignals, KnownBrands, Sample
from detect.zones import Stop, Visit, Zone, ZoneTime
from jobs.choices import PITSTOP, JobStatus
from jobs.engine import timeline_frames
from jobs.made_files import MadeFiles
from jobs.models import DetectJob, PitstopRun
from tests.media.clips import write_clip

WIDTH, HEIGHT, RATE, SECONDS = 480, 270, 25, 8
STOPPED, LEFT = 2.0, 6.0

ZONES = (
    Zone(name="Fuel side", points=((0.05, 0.3), (0.35, 0.3), (0.35, 0.9), (0.05, 0.9)), measure="fuel"),
    Zone(
        name="Front left",
        points=((0.55, 0.6), (0.8, 0.6), (0.8, 0.95), (0.55, 0.95)),
        classes=("person",),
        measure="front_left_tyre",
    ),
)


def car_at(second: float) -> tuple[float, float, float, float]:
    """The car's box in pixels: it drives in, stands from ``STOPPED`` to ``LEFT``, and drives out."""
    middle = 0.5
    if second < STOPPED:
        middle -= 0.35 * (STOPPED - second)
    if second > LEFT:
        middle += 0.35 * (second - LEFT)
    return ((middle - 0.17) * WIDTH, 0.35 * HEIGHT, (middle + 0.17) * WIDTH, 0.75 * HEIGHT)


def person_at(second: float) -> tuple[float, float, float, float]:
    x = 0.12 + 0.06 * np.sin(second)
    return ((x - 0.03) * WIDTH, 0.4 * HEIGHT, (x + 0.03) * WIDTH, 0.8 * HEIGHT)


def pictures() -> Iterator[Image]:
    """Frames of the stop, BGR."""
    for number in range(SECONDS * RATE):
        second = number / RATE
        picture = np.full((HEIGHT, WIDTH, 3), (92, 96, 98), np.uint8)
        cv2.rectangle(picture, (0, int(0.78 * HEIGHT)), (WIDTH, HEIGHT), (64, 66, 68), -1)
        for (left, top, right, bottom), colour in ((car_at(second), (40, 40, 190)), (person_at(second), (60, 160, 60))):
            cv2.rectangle(picture, (int(left), int(top)), (int(right), int(bottom)), colour, -1)
        yield picture


def pitstop_asset(folder: Path, name: str = "box-17.mp4") -> SourceAsset:
    """The video of the stop in ``folder``, and its row."""
    path = write_clip(folder / name, pictures(), rate=RATE, size=(WIDTH, HEIGHT))
    probed = probe(path)
    asset, _ = SourceAsset.objects.get_or_create(
        sha256=probed.sha256, defaults={"path": str(path), "probe": {**msgspec.to_builtins(probed), "name": name}}
    )
    return asset


def pitstop_run(
    asset: SourceAsset,
    *,
    status: str = JobStatus.COMPLETED,
    zones: Sequence[Zone] = ZONES,
    told: dict[str, Any] | None = None,
    problems: Sequence[str] = (),
    output: bool = True,
    **fields: Any,
) -> DetectJob:
    """A run of any status; a completed one has its frames, times and annotated video. ``told`` goes to its facts."""
    timeline = Timeline.objects.create(
        source_asset=asset,
        source_video=asset.path,
        profile_name="pit_stop",
        fps=2,
        frames_prefix=f"timelines/{uuid.uuid4()}",
    )
    overrides = {"time_zones": {"zones": msgspec.to_builtins(tuple(zones))}} if zones else {}
    values = {
        "pipeline": PITSTOP,
        "profile_name": "pit_stop",
        "video_path": asset.path,
        "known_brands": serde.pack(serde.encode(KnownBrands())),
        "request_digest": uuid.uuid4().hex,
        "requested_by": "user:operator",
        "config_overrides": overrides,
        "status": status,
        "started_at": timezone.now(),
        "completed_at": timezone.now() if status == JobStatus.COMPLETED else None,
        "progress": 1.0 if status == JobStatus.COMPLETED else 0.4,
    }
    job = DetectJob.objects.create(source_asset=asset, timeline=timeline, **{**values, **fields})
    facts = {"input_filename": str(asset.probe["name"]), "input_size_bytes": int(asset.probe["size_bytes"])}
    PitstopRun.objects.create(job=job, **{**facts, **(told or {})})
    if status == JobStatus.COMPLETED:
        _save_stages(job, asset, tuple(zones), list(problems), output=output)
    return job


def _save_stages(
    job: DetectJob, asset: SourceAsset, zones: tuple[Zone, ...], problems: list[str], *, output: bool
) -> None:
    assert job.timeline_id is not None
    files = []
    if output:
        made = MadeFiles(asset.sha256)
        with made.draft(".mp4") as draft:
            draft.write_bytes(Path(asset.path).read_bytes())
            files = [made.keep(draft)]
    found, tracks = _objects()
    base: dict[str, Any] = {
        "time_base": f"1/{RATE}",
        "origin": 0,
        "ended": SECONDS * RATE,
        "class_names": ("person", "car"),
    }
    outputs: dict[str, Any] = {
        "extract_frames": ExtractFramesOutput(
            samples=_samples(job), signals=FrameSignals([], [], [], []), problems=problems
        ),
        "detect_each_frame": DetectEachFrameOutput(objects=found, **base),
        "track_objects": TrackObjectsOutput(objects=found, tracks=tracks, **base),
        "time_zones": msgspec.structs.replace(_times(zones), problems=problems),
        "render_overlays": RenderOverlaysOutput(files=[], frames=SECONDS * RATE),
        "encode_video": EncodeVideoOutput(files=files, frames=SECONDS * RATE),
    }
    node = None
    for stage, value in outputs.items():
        node = save_stage_output(
            DatabaseCheckpointStore(),
            stage=stage,
            parts=[value],
            timeline_id=job.timeline_id,
            job_id=job.id,
            parent=node,
        )


def _samples(job: DetectJob) -> list[Sample]:
    """Every twelfth frame, in storage too."""
    assert job.timeline is not None
    frames, samples = timeline_frames(job.timeline), []
    for number, picture in enumerate(pictures()):
        if number % 12 == 0:
            frames.save_jpeg(number // 12, encode_jpeg(picture, 90))
            samples.append(Sample(number // 12, number / RATE, "0", "0"))
    job.timeline.frames_meta = [
        {"sequence": one.sequence, "chunk_id": 0, "timestamp": one.timestamp, "perceptual_hash": "0"} for one in samples
    ]
    job.timeline.save(update_fields=["frames_meta"])
    return samples


def _objects() -> tuple[Any, list[Track]]:
    builder = ColumnsBuilder()
    for number in range(SECONDS * RATE):
        boxes = np.array([car_at(number / RATE), person_at(number / RATE)], np.float32)
        builder.add(number, boxes, np.array([0.9, 0.8], np.float32), [1, 0], [1, 2])
    end = SECONDS * RATE
    tracks = [
        Track(id=1, label="car", start=0, end=end, sightings=end, confidence=0.9),
        Track(id=2, label="person", start=0, end=end, sightings=end, confidence=0.8),
    ]
    return builder.build(), tracks


def _times(zones: tuple[Zone, ...]) -> TimeZonesOutput:
    stop = Stop(start=STOPPED, end=LEFT, track_id=1, label="car", start_uncertainty=0.02, end_uncertainty=0.02)
    visits = [
        Visit(start=0.0, end=1.5, track_id=2, label="person", start_uncertainty=0.0, end_uncertainty=0.02, cut="start"),
        Visit(start=2.25, end=5.5, track_id=2, label="person", start_uncertainty=0.02, end_uncertainty=0.02),
    ]
    times = [
        ZoneTime(
            name=zone.name,
            measure=zone.measure,
            seconds=4.75 if place == 0 else 0.0,
            uncertainty=0.06 if place == 0 else 0.0,
            visits=visits if place == 0 else [],
        )
        for place, zone in enumerate(zones)
    ]
    return TimeZonesOutput(zones=times, stops=[stop], stop=0, shapes=zones)
