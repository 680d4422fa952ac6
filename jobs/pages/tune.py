"""Trying settings: one stage on chosen frames while its sliders move. ``static/js/tune.js`` does the asking."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from detect.checkpoints.outputs import load_stage_output
from detect.config import load_pipeline, merge, resolve
from detect.frame_regions import why_not_by_frame
from detect.persistence import DatabaseCheckpointStore
from detect.stages.base import Stage
from detect.stages.filter_scenes import FilterScenesOutput
from jobs.exports.words import moment
from jobs.models import DetectJob
from jobs.pages.options import option_groups
from jobs.pages.shown import abilities, job_facts, job_name, stage_word
from jobs.selectors import job_branch, job_source

_STRIP = 18


@require_safe
def tune_page(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """``stage`` is the one to try, the first that can be tried otherwise; ``frame`` the one shown first."""
    job = get_object_or_404(DetectJob.objects.select_related("source_asset", "timeline"), id=job_id)
    pipeline = load_pipeline(job.pipeline)
    tunable = [stage for stage in pipeline.stages if not why_not_by_frame(stage)]
    wanted = request.GET.get("stage", "")
    stage = next((one for one in tunable if one.name == wanted), tunable[0])
    frames = _strip(job)
    source = job_source(job)
    snapshot = resolve(pipeline, job.profile_name, merge(job.config_overrides)).snapshot()
    context = {
        "job": job,
        "name": job_name(job),
        "facts": job_facts(job),
        "stages": [{"name": one.name, "word": stage_word(one.name), "here": one is stage} for one in tunable],
        "stage": stage.name,
        "stage_word": stage_word(stage.name),
        "groups": option_groups([stage], snapshot),
        "open_groups": True,
        "sliders": True,
        "frames": frames,
        "first": _first(frames, request.GET.get("frame", "")),
        "width": source.width,
        "height": source.height,
        "setup": _setup(job, stage),
        "here": "jobs",
        **abilities(request),
    }
    return render(request, "jobs/tune.html", context)


def _setup(job: DetectJob, stage: Stage) -> dict[str, Any]:
    """What the script needs to know."""
    return {
        "job": str(job.id),
        "stage": stage.name,
        "address": reverse("detect-replay-stage"),
        "overlays": stage.name == "detect_edges",
        # those that take long are asked about less eagerly
        "pause": 90 if stage.name == "detect_edges" else 300,
        "eager": stage.name in ("detect_edges", "detect_objects"),
    }


def _strip(job: DetectJob) -> list[dict[str, Any]]:
    """Some of the frames that were kept, spread over the video; empty before frames were filtered."""
    branch = job_branch(job)
    node = branch[-1] if branch else None
    if job.timeline is None or node is None or "filter_scenes" not in node.outputs:
        return []
    parts = load_stage_output(DatabaseCheckpointStore(), node, "filter_scenes", FilterScenesOutput)
    kept = [sequence for part in parts for sequence in part.kept]
    count = min(_STRIP, len(kept))
    chosen = {kept[(2 * number + 1) * len(kept) // (2 * count)] for number in range(count)}
    return [
        {"sequence": frame["sequence"], "time": moment(float(frame["timestamp"]))}
        for frame in job.timeline.frames_meta
        if frame["sequence"] in chosen
    ]


def _first(frames: list[dict[str, Any]], wanted: str) -> int | None:
    sequences = [frame["sequence"] for frame in frames]
    middle = sequences[len(sequences) // 3] if sequences else None
    return next((sequence for sequence in sequences if str(sequence) == wanted), middle)
