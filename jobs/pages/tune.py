"""Trying settings: a stage on chosen frames, as the job has it and with other options, side by side.

The page holds the options of every stage that can be tried, so that a replay or a profile can be made of all that was
changed; ``static/js/tune.js`` asks :func:`try_stage` for the stage that is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from detect.config import resolve
from detect.errors import MediaprocError
from detect.frame_regions import EdgeOverlays, why_not_by_frame
from detect.inference.wire import overlay_fields
from detect.options import Overrides
from detect.registry import Pipeline, load_pipeline
from detect.stages.base import Stage
from detect.tuning import spread
from detect.types import Region
from jobs.branches.trial_frames import FrameTimes, job_brand_frames, job_frame_times, missed_frames
from jobs.branches.trials import FramePair, stage_compare
from jobs.exports.words import moment
from jobs.models import DetectJob
from jobs.pages.options import SentOptions, option_groups, read_options
from jobs.pages.query import text_of
from jobs.pages.shown import abilities, job_facts, job_name, stage_word
from jobs.selectors import job_source

MOST_FRAMES = 12
_STRIP, _FIRST_FRAMES = 18, 4
_NOTES = {
    "run_ocr": "Each frame is read by itself here. A run follows texts through a shot, and may know more or less.",
    "match_brands": "Matches the texts of the whole video anew, and shows these frames of it.",
}
_AT_ONCE = "detect_edges"  # needs no model and so no patience
_NAMED = re.compile(r"(\w+\.\w+)\b[^:]*: (.+)", re.DOTALL)


@require_safe
def tune_page(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """``stage`` is the one shown, ``frames`` (or one ``frame``) those chosen."""
    job = find_job(job_id)
    return render(request, "jobs/tune.html", tune_context(request, job))


@require_POST
def try_stage(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """What a stage finds on ``frames`` with the job's options and with the form's, as JSON.

    ``overlays`` asks for them too; with ``known`` the sender has the job's own side already. What cannot be used is
    told by the option it stands in (``errors``), anything else that goes wrong by ``problem``.
    """
    job = get_object_or_404(DetectJob, id=job_id)
    pipeline = load_pipeline(job.pipeline)
    stage = text_of(request.POST, "stage")
    sent = read_options(pipeline, request.POST, job_snapshot(job, pipeline))
    wrong = {place: told for place, told in sent.errors.items() if place.startswith(f"{stage}.")}
    if wrong:
        return JsonResponse({"errors": wrong, "problem": ""}, status=400)
    try:
        pairs = stage_compare(
            job_id=job.id,
            stage=stage,
            sequences=_numbers(text_of(request.POST, "frames"))[:MOST_FRAMES],
            overrides=sent.overrides.get(stage, {}),
            debug=bool(text_of(request.POST, "overlays")),
        )
    except MediaprocError as error:
        return JsonResponse(_told(error, pipeline), status=error.status)
    changed, known = stage in sent.overrides, bool(text_of(request.POST, "known"))
    return JsonResponse(
        {"frames": {number: _pair(pair, changed=changed, known=known) for number, pair in pairs.items()}}
    )


@require_safe
def tune_frames(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Frames to choose from, as JSON: some ``from`` one second ``to`` another or, with ``brand``, those on which it was
    ``seen=found``, or ``missed``.
    """
    job = find_job(job_id)
    times = job_frame_times(job)
    if times is None:
        return JsonResponse({"frames": []})
    brand = text_of(request.GET, "brand")
    if brand:
        found = job_brand_frames(job).get(brand, [])
        missed = text_of(request.GET, "seen") == "missed"
        chosen = missed_frames(times, found, MOST_FRAMES) if missed else spread(found, MOST_FRAMES)
        return JsonResponse({"frames": _shown(times, chosen)})
    start, end = (_second(text_of(request.GET, name), other) for name, other in (("from", 0.0), ("to", times.end)))
    return JsonResponse({"frames": _shown(times, times.between(start, end, _STRIP))})


def find_job(job_id: UUID) -> DetectJob:
    """The job, without the lists of frames, which grow with the video."""
    jobs = DetectJob.objects.select_related("source_asset", "timeline").defer(
        "timeline__frames_meta", "timeline__frames_manifest", "known_brands"
    )
    return get_object_or_404(jobs, id=job_id)


def job_snapshot(job: DetectJob, pipeline: Pipeline) -> Overrides:
    """Every option as the job has it: what counts as unchanged."""
    return resolve(pipeline, job.profile_name, job.config_overrides).snapshot()


def tune_context(request: HttpRequest, job: DetectJob, sent: SentOptions | None = None) -> dict[str, Any]:
    """What the page shows; ``sent`` is what was in its form."""
    pipeline = load_pipeline(job.pipeline)
    tunable = [stage for stage in pipeline.stages if not why_not_by_frame(stage)]
    stage = _stage(tunable, text_of(request.POST, "stage") or text_of(request.GET, "stage"))
    times = job_frame_times(job)
    strip = times.between(0.0, times.end, _STRIP) if times else []
    chosen = _chosen(request, times) if times else []
    source = job_source(job)
    return {
        "job": job,
        "name": job_name(job),
        "facts": job_facts(job),
        "stages": [{"name": one.name, "word": stage_word(one.name), "here": one is stage} for one in tunable],
        "stage": stage.name,
        "stage_word": stage_word(stage.name),
        "groups": option_groups(tunable, job_snapshot(job, pipeline), sent),
        "notes": _NOTES,
        "sliders": True,
        "strip": _shown(times, sorted({*strip, *chosen})) if times else [],
        "brands": [(brand, len(found)) for brand, found in job_brand_frames(job).items()] if times else [],
        "most_frames": MOST_FRAMES,
        "setup": {
            "try": reverse("page-try", args=[job.id]),
            "frames": reverse("page-tune-frames", args=[job.id]),
            "picture": reverse("job-frame", args=[job.id, 0]),
            "thumb": reverse("job-thumb", args=[job.id, 0]),
            "width": source.width,
            "height": source.height,
            "end": times.end if times else 0,
            "chosen": chosen,
            "most": MOST_FRAMES,
            "strip": _STRIP,
            "stages": {one.name: _stage_setup(one) for one in tunable},
        },
        "here": "jobs",
        **abilities(request),
    }


def _stage(tunable: list[Stage], wanted: str) -> Stage:
    """The first that can be tried where the wanted one cannot."""
    return next((stage for stage in tunable if stage.name == wanted), tunable[0])


def _stage_setup(stage: Stage) -> dict[str, Any]:
    """How it is asked for: one over the whole video for all frames at once, others frame by frame."""
    return {
        "word": stage_word(stage.name),
        "overlays": stage.name == _AT_ONCE,
        "together": stage.scope == "asset",
        "labels": stage.scope == "asset" or stage.name == "run_ocr",
        "pause": 60 if stage.name == _AT_ONCE else 250,
        "abreast": 2 if stage.name == _AT_ONCE else 1,  # models work for one at a time
    }


def _chosen(request: HttpRequest, times: FrameTimes) -> list[int]:
    """The frames that the address names, or a few spread over the video."""
    named = _numbers(f"{text_of(request.GET, 'frames')},{text_of(request.GET, 'frame')}")
    there = [sequence for sequence in dict.fromkeys(named) if sequence in times.seconds]
    return sorted(there[:MOST_FRAMES]) or spread(times.kept, _FIRST_FRAMES)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part.isascii() and part.isdigit() and len(part) < 10]


def _second(text: str, otherwise: float) -> float:
    try:
        return float(text)
    except ValueError:
        return otherwise


def _shown(times: FrameTimes, sequences: Iterable[int]) -> list[dict[str, Any]]:
    return [
        {"sequence": sequence, "second": times.seconds[sequence], "time": moment(times.seconds[sequence])}
        for sequence in sequences
        if sequence in times.seconds
    ]


def _told(error: MediaprocError, pipeline: Pipeline) -> dict[str, Any]:
    """Beside the option that a message begins with, if it does."""
    named = _NAMED.match(error.message)
    if named:
        stage, _, option = named[1].partition(".")
        if any(one.name == stage and option in one.Options.__struct_fields__ for one in pipeline.stages):
            return {"errors": {named[1]: named[2][0].upper() + named[2][1:]}, "problem": ""}
    return {"errors": {}, "problem": error.message}


def _pair(pair: FramePair, *, changed: bool, known: bool) -> dict[str, Any]:
    """``tried`` is None where nothing is changed: it is as ``present``, which in turn is None where it is known."""
    return {
        "present": None if known else _side(pair.present, pair.present_overlays),
        "tried": _side(pair.tried, pair.tried_overlays) if changed else None,
        "lost": pair.lost,
        "gained": pair.gained,
        "skipped": pair.skipped,
    }


def _side(regions: list[Region], overlays: EdgeOverlays | None) -> dict[str, Any]:
    return {
        "regions": [_region(region) for region in regions],
        "overlays": None if overlays is None else overlay_fields(overlays),
    }


def _region(region: Region) -> dict[str, Any]:
    x, y, width, height = region.box.to_xywh()
    corners = region.quad or ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
    return {"corners": corners, "label": region.label, "confidence": region.confidence}
