"""Datasets and batches in the database with files made by hand: a square that moves, somebody who speaks of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from detect.formats.coco import coco_annotation, coco_image, coco_keypoints, coco_text
from detect.formats.otio import Mark, markers_otio
from detect.formats.rttm import SpeakerTurn, write_rttm
from detect.formats.webvtt import Cue, write_webvtt
from detect.media.probe import probe
from detect.models import SourceAsset
from detect.stages.base import Image
from jobs.annotation.events import log_line
from jobs.annotation.outputs import output_key
from jobs.annotation.records import (
    AnnotationEvent,
    AnnotationJob,
    AnnotationRun,
    AnnotationVideo,
    ArtifactFile,
    Dataset,
    DatasetVideo,
)
from jobs.annotation.states import ENDED, BatchState
from tests.media.clips import write_clip, write_sound

WIDTH, HEIGHT, RATE, SECONDS = 320, 180, 25, 4
CUES = (Cue(0.2, 1.4, ("A square comes in",), "Speaker 1"), Cue(2.0, 3.5, ("& goes <out> again",), "Speaker 2"))
TURNS = (SpeakerTurn("speaker_1", 0.2, 1.2), SpeakerTurn("speaker_2", 2.0, 1.5))
SCENES = ((0.0, 1.6), (1.6, 4.0))
#: Between these pictures per second of the face's file the player moves its box on.
FACES_RATE = 5


def square_at(second: float) -> tuple[float, float, float, float]:
    """The square in pixels, xyxy: it moves to the right evenly."""
    left = 20 + 50 * second
    return left, 60.0, left + 60, 120.0


def _pictures() -> Iterator[Image]:
    for number in range(SECONDS * RATE):
        picture = np.full((HEIGHT, WIDTH, 3), (80, 84, 88), np.uint8)
        left, top, right, bottom = square_at(number / RATE)
        cv2.rectangle(picture, (round(left), round(top)), (round(right), round(bottom)), (60, 60, 200), -1)
        yield picture


def made_dataset(folder: Path, *, name: str = "Interviews", hard: Iterable[str] = ()) -> Dataset:
    """``talk.mp4``, ``voice.m4a`` (sound alone) and ``broken.mp4`` in ``folder``, as a scan leaves them.

    ``hard`` are names of further videos, which are in the list alone.
    """
    write_clip(folder / "talk.mp4", _pictures(), rate=RATE, size=(WIDTH, HEIGHT), audio=True)
    write_sound(folder / "voice.m4a", 3.0)
    (folder / "broken.mp4").write_bytes(b"no video")
    dataset = Dataset.objects.create(name=name, base_path=str(folder), scanned_at=timezone.now())
    usable = {"talk.mp4": (float(SECONDS), True), "voice.m4a": (3.0, False), **dict.fromkeys(hard, (9.5, True))}
    rows = [
        _row(dataset, folder / path, path, duration=duration, has_pictures=pictures, has_sound=True)
        for path, (duration, pictures) in usable.items()
    ]
    DatasetVideo.objects.bulk_create([*rows, _row(dataset, folder / "broken.mp4", "broken.mp4", problem="no video")])
    return dataset


def _row(dataset: Dataset, file: Path, path: str, **found: Any) -> DatasetVideo:
    status = file.stat() if file.exists() else None
    size, modified = (status.st_size, status.st_mtime_ns) if status else (1234, 1)
    return DatasetVideo(dataset=dataset, path=path, size_bytes=size, modified_ns=modified, **found)


def made_batch(
    dataset: Dataset, states: Mapping[str, Mapping[str, str]], *, state: str, progress: float = 1.0, **fields: Any
) -> AnnotationJob:
    """A batch whose runs are in ``states``, by video and pipeline; those that have succeeded have their files."""
    pipelines = list(dict.fromkeys(key for runs in states.values() for key in runs))
    now = timezone.now()
    job = AnnotationJob.objects.create(
        dataset=dataset,
        configuration={"pipelines": {key: _configured() for key in pipelines}, "software": {"numpy": np.__version__}},
        requested_by="user:operator",
        state=state,
        progress=progress,
        started_at=None if state == BatchState.QUEUED else now,
        finished_at=now if state in ENDED else None,
        **fields,
    )
    for position, (path, runs) in enumerate(states.items()):
        _video(job, position, path, runs)
    lines = [log_line(now, "info", "talk.mp4 · faces: detect_faces done"), log_line(now, "error", "it went <wrong>")]
    AnnotationEvent.objects.bulk_create(
        AnnotationEvent(job=job, number=number, kind="job.log", data={"id": str(job.id), "line": line})
        for number, line in enumerate(lines, 1)
    )
    AnnotationJob.objects.filter(id=job.id).update(last_event=len(lines))
    job.refresh_from_db()
    return job


def _configured() -> dict[str, Any]:
    return {"version": 1, "params": {"fps": 5.0, "name": ""}, "models": {"detect": ["ab" * 32]}}


def _video(job: AnnotationJob, position: int, path: str, runs: Mapping[str, str]) -> None:
    known = DatasetVideo.objects.filter(dataset=job.dataset, path=path).first()
    failed = BatchState.FAILED in runs.values()
    states = set(runs.values())
    video = AnnotationVideo.objects.create(
        job=job,
        position=position,
        path=path,
        folder=f"{position}-{Path(path).name}"[:200],
        duration=known.duration if known else None,
        asset=_asset(Path(job.dataset.base_path, path)),
        state=BatchState.FAILED if failed else states.pop() if len(states) == 1 else BatchState.RUNNING,
    )
    for place, (pipeline, state) in enumerate(runs.items()):
        run = AnnotationRun.objects.create(
            video=video,
            pipeline=pipeline,
            position=place,
            state=state,
            progress=0.4 if state == BatchState.RUNNING else float(state in ENDED),
            error=f"{path}: <b>the file</b> breaks off" if state == BatchState.FAILED else "",
            exported=state in ENDED,
        )
        if state == BatchState.SUCCEEDED:
            for type_, role, name, content, meta in FILES[pipeline]():
                _artifact(run, type_, role, name, content, meta)


def _asset(file: Path) -> SourceAsset | None:
    if not file.exists() or file.name == "broken.mp4":
        return None
    probed = probe(file, sound=True)
    told = {**msgspec.to_builtins(probed), "name": file.name}
    return SourceAsset.objects.get_or_create(sha256=probed.sha256, defaults={"path": str(file), "probe": told})[0]


def _artifact(run: AnnotationRun, type_: str, role: str, name: str, content: bytes, meta: dict[str, Any]) -> None:
    path = f"{run.video.folder}/{run.pipeline}/{name}"
    default_storage.save(output_key(run.video.job_id, path), ContentFile(content))
    digest = hashlib.sha256(content).hexdigest()
    ArtifactFile.objects.create(
        run=run, type=type_, role=role, path=path, sha256=digest, size_bytes=len(content), meta=meta
    )


_File = tuple[str, str, str, bytes, dict[str, Any]]


def _speech() -> Iterator[_File]:
    words = {"schema": "mediaproc.words/1", "segments": []}
    yield "vtt", "transcript", "transcript.vtt", write_webvtt(CUES, notes=["Language: en"]).encode(), {"cues": 2}
    yield "json", "words", "words.json", json.dumps(words).encode(), {}
    yield "rttm", "speakers", "speakers.rttm", write_rttm("talk", TURNS).encode(), {"speakers": 2}


def _faces() -> Iterator[_File]:
    times = [Fraction(number, FACES_RATE) for number in range(SECONDS * FACES_RATE)]
    yield "json", "faces", "faces.json", _coco("face", times, landmarks=True), {"tracks": 1}
    meta = {"track_id": 7, "time": 1.0, "start": 0.0, "end": 3.8, "width": 60, "height": 60}
    yield "png", "thumbnail", "face-0007.png", _png(60, 60), meta


def _people() -> Iterator[_File]:
    times = [Fraction(number, RATE) for number in range(SECONDS * RATE)]
    yield "json", "tracks", "tracks.json", _coco("person", times, landmarks=False), {"tracks": 1}


def _scenes() -> Iterator[_File]:
    scenes = [{"number": number, "start": start, "end": end} for number, (start, end) in enumerate(SCENES, 1)]
    yield "json", "scenes", "scenes.json", json.dumps({"scenes": scenes}).encode(), {"scenes": len(scenes)}
    for scene in scenes:
        meta = {"scene": scene["number"], "time": (scene["start"] + scene["end"]) / 2, "width": 160, "height": 90}
        yield "png", "thumbnail", f"scene-{scene['number']:04d}.png", _png(160, 90), meta


def _brands() -> Iterator[_File]:
    marks = [Mark("Oltra Vesk", 1.0, 2.5, 0, {"brand": "Oltra Vesk"}), Mark("<i>Fenn</i>", 3.0, 3.5, 1)]
    text = markers_otio(marks, video="talk.mp4", duration=float(SECONDS), frame_rate=f"{RATE}/1")
    yield "json", "markers", "markers.otio", text.encode(), {"markers": 2}


FILES = {"speech": _speech, "faces": _faces, "people_tracks": _people, "scenes": _scenes, "brands": _brands}


def _coco(name: str, times: list[Fraction], *, landmarks: bool) -> bytes:
    size = WIDTH, HEIGHT
    images = [coco_image(n, video="talk.mp4", size=size, pts=n, at=at) for n, at in enumerate(times, 1)]
    found = []
    for number, at in enumerate(times, 1):
        left, top, right, bottom = square_at(float(at))
        box = (left, top, right, bottom)
        entry = coco_annotation(number, image=number, category=1, box=box, score=0.9, track=7)
        middle = [((left + right) / 2, (top + bottom) / 2)]
        found.append({**entry, **coco_keypoints(middle, size=size)} if landmarks else entry)
    category = {"id": 1, "name": name, **({"keypoints": ["nose"], "skeleton": []} if landmarks else {})}
    return "".join(coco_text(info={}, categories=[category], images=images, annotations=found)).encode()


def _png(width: int, height: int) -> bytes:
    picture = np.full((height, width, 3), (70, 120, 200), np.uint8)
    return bytes(cv2.imencode(".png", picture)[1].tobytes())
