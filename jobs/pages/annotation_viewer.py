"""The viewer of a batch: a video with what was found laid over it and along its time, and its files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from jobs.annotation.outputs import overlay_order
from jobs.annotation.records import AnnotationJob, AnnotationRun, AnnotationVideo, ArtifactFile
from jobs.annotation.selectors import pipelines_of
from jobs.annotation.states import ENDED, BatchState
from jobs.exports.words import length
from jobs.pages.annotation_batch import found_batch
from jobs.pages.annotation_shown import artifact_address, pipeline_word, size_words, state_tag, video_name
from jobs.pages.query import text_of
from jobs.pages.shown import abilities, words
from jobs.pages.video import asset_player

#: Boxes of a larger file are drawn once somebody asks for them.
_HEAVY = 8_000_000
_MOST_PICTURES = 200
_ROLE_WORDS = {"tracks": "People and tracks", "faces": "Faces", "transcript": "Captions"}
#: Kinds that are shown along the time.
_LANES = ("scenes", "speakers", "markers")
#: Kinds of layers by type and role; other JSON is taken for boxes in COCO's form where the manifest lays it over.
_KINDS = {
    ("vtt", "transcript"): "captions",
    ("rttm", "speakers"): "speakers",
    ("json", "scenes"): "scenes",
    ("json", "words"): "words",
    ("json", "markers"): "markers",
    ("json", "report"): "",
    ("json", "timing"): "",
}


@dataclass(frozen=True)
class Layer:
    """A file that the viewer shows over the video or along its time."""

    kind: str
    role: str
    pipeline: str
    label: str
    address: str
    size: str
    is_heavy: bool


@require_safe
def viewer_page(request: HttpRequest, job_id: UUID, position: int) -> HttpResponse:
    """One video of a batch, whatever there is of it; ``?show=PIPELINE`` plays what that one has drawn into."""
    job = found_batch(job_id)
    video = job.videos.select_related("asset").filter(position=position).first()
    if video is None:
        raise Http404(f"The batch has no video {position}.")
    runs = list(video.runs.order_by("position").select_related("detect_job").prefetch_related("artifacts"))
    context = {
        **_head(job, video, runs),
        **_media(job, video, runs, show=text_of(request.GET, "show")),
        "groups": [_group(job, run) for run in runs],
        "pictures": _pictures(job, runs),
        "here": "batches",
        **abilities(request),
    }
    return render(request, "annotation/viewer.html", context)


def _head(job: AnnotationJob, video: AnnotationVideo, runs: Sequence[AnnotationRun]) -> dict[str, Any]:
    path = PurePosixPath(video.path)
    neighbours = job.videos.filter(position__in=(video.position - 1, video.position + 1))
    beside = {other.position - video.position: other for other in neighbours}
    return {
        "job": job,
        "video": video,
        "name": path.name,
        "folder": "" if str(path.parent) == "." else f"{path.parent}/",
        "length": length(video.duration) if video.duration else "",
        "tag": state_tag(video.state, partly=any(run.state == BatchState.SUCCEEDED for run in runs)),
        "open": video.state not in ENDED,
        "failures": [(pipeline_word(run.pipeline), run.error) for run in runs if run.state == BatchState.FAILED],
        "previous": beside.get(-1),
        "next": beside.get(1),
        "count": job.videos.count(),
    }


def _media(job: AnnotationJob, video: AnnotationVideo, runs: Sequence[AnnotationRun], *, show: str) -> dict[str, Any]:
    """What plays, and what is laid over it."""
    asset = video.asset
    drawn = {file.run.pipeline: file for file in _files(runs) if file.type == "video"}
    annotated = drawn.get(show)
    layers = _layers(job, runs)
    setup: dict[str, Any] = {
        "layers": [vars(layer) for layer in layers],
        "pictures": _scene_pictures(job, runs),
        "duration": video.duration or 0.0,
        "shift": 0.0,
    }
    context: dict[str, Any] = {
        "viewer": setup,
        "boxes": [layer for layer in layers if layer.kind == "boxes"],
        "has_transcript": any(layer.kind in ("captions", "words") for layer in layers),
        "has_lanes": any(layer.kind in _LANES for layer in layers),
        "drawn": [(key, pipeline_word(key)) for key in drawn],
        "shown": show if annotated else "",
    }
    if asset is None:
        return context
    setup["duration"] = float(asset.probe.get("duration") or setup["duration"])
    if not asset.probe.get("width"):
        return {**context, "sound": reverse("asset-video", args=[asset.id])}
    player = asset_player(asset)
    if annotated is not None:
        player["setup"] |= {"video": artifact_address(job.id, annotated.path), "start": 0.0, "codec": ""}
        setup["shift"] = float(annotated.meta.get("start", 0.0))
    player["setup"] |= _frames(runs)
    player["captions"] = next((layer.address for layer in layers if layer.kind == "captions"), "")
    return {**context, "player": player}


def _files(runs: Sequence[AnnotationRun]) -> Iterator[ArtifactFile]:
    for run in runs:
        for file in run.artifacts.all():
            file.run = run
            yield file


def _scene_pictures(job: AnnotationJob, runs: Sequence[AnnotationRun]) -> list[dict[str, Any]]:
    return [
        {"scene": file.meta["scene"], "address": artifact_address(job.id, file.path)}
        for file in _files(runs)
        if file.type == "png" and "scene" in file.meta
    ]


def _frames(runs: Sequence[AnnotationRun]) -> dict[str, str]:
    """Sampled frames of a run over the video, which are shown where it cannot be played."""
    sampled = [run.detect_job_id for run in runs if run.detect_job is not None]
    with_frames = [run.detect_job_id for run in runs if run.detect_job is not None and run.detect_job.timeline_id]
    of = next(iter([*with_frames, *sampled]), None)
    if of is None:
        return {"frames": "", "frame": ""}
    return {"frames": reverse("job-frame-times", args=[of]), "frame": reverse("job-frame", args=[of, 0])}


def _layers(job: AnnotationJob, runs: Sequence[AnnotationRun]) -> list[Layer]:
    """In the order in which the manifest lays roles over the video."""
    order = {role: place for place, role in enumerate(overlay_order(pipelines_of(job)))}
    found = []
    for run in runs:
        for file in run.artifacts.all():
            kind = _KINDS.get((file.type, file.role), "boxes" if file.type == "json" and file.role in order else "")
            if kind:
                found.append(_layer(job, run, file, kind))
    return sorted(found, key=lambda layer: order.get(layer.role, len(order)))


def _layer(job: AnnotationJob, run: AnnotationRun, file: ArtifactFile, kind: str) -> Layer:
    return Layer(
        kind=kind,
        role=file.role,
        pipeline=run.pipeline,
        label=_ROLE_WORDS.get(file.role, words(file.role).capitalize()),
        address=artifact_address(job.id, file.path),
        size=size_words(file.size_bytes),
        is_heavy=kind == "boxes" and file.size_bytes > _HEAVY,
    )


def _group(job: AnnotationJob, run: AnnotationRun) -> dict[str, Any]:
    """A pipeline's files, as the table shows them."""
    files = [
        {
            "name": video_name(file.path),
            "type": file.type,
            "role": words(file.role),
            "size": size_words(file.size_bytes),
            "sha256": file.sha256,
            "address": artifact_address(job.id, file.path),
        }
        for file in run.artifacts.all()
    ]
    return {
        "key": run.pipeline,
        "label": pipeline_word(run.pipeline),
        "tag": state_tag(run.state),
        "error": run.error,
        "files": [file for file in files if file["type"] != "png"],
        "pictures": [file for file in files if file["type"] == "png"],
    }


def _pictures(job: AnnotationJob, runs: Sequence[AnnotationRun]) -> list[dict[str, Any]]:
    """Pictures of moments by pipeline, in the order of time."""
    groups = []
    for run in runs:
        found = [file for file in run.artifacts.all() if file.type == "png" and "time" in file.meta]
        found.sort(key=lambda file: (file.meta["time"], file.path))
        if found:
            shown = [_picture(job, file) for file in found[:_MOST_PICTURES]]
            groups.append({"label": pipeline_word(run.pipeline), "shown": shown, "count": len(found)})
    return groups


def _picture(job: AnnotationJob, file: ArtifactFile) -> dict[str, Any]:
    meta = file.meta
    name = f"Scene {meta['scene']}" if "scene" in meta else f"Face {meta['track_id']}" if "track_id" in meta else ""
    return {
        "address": artifact_address(job.id, file.path),
        "time": meta["time"],
        "name": name or video_name(file.path),
        "width": meta.get("width", 160),
        "height": meta.get("height", 90),
    }
