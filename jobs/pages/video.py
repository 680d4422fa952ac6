"""A job's video in its page: the file by ranges, the sampled frames in its place, and what the player is told."""

from __future__ import annotations

from fractions import Fraction
from pathlib import PurePath
from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from detect.errors import MediaprocError
from detect.models import SourceAsset
from jobs.assets.playing import asset_video_file, video_type
from jobs.assets.sources import asset_known
from jobs.frames import job_frame_list
from jobs.models import DetectJob
from mediaproc.errors import error_response
from mediaproc.ranges import ranged_response

_USUAL_RATE = 25.0
_SPEEDS = ("0.25", "0.5", "1", "1.5", "2", "4")


@require_safe
def asset_video(request: HttpRequest, asset_id: UUID) -> HttpResponseBase:
    """The source video of an asset, or the ranges of it that are asked for."""
    try:
        asset = asset_known(asset_id)
        file = asset_video_file(asset)
    except MediaprocError as error:
        return error_response(request, error.status, error.code, error.message)
    response = ranged_response(request, file, content_type=video_type(asset))
    name = str(asset.probe.get("name") or PurePath(asset.path).name)
    response.headers["Content-Disposition"] = content_disposition_header(as_attachment=False, filename=name) or "inline"
    return response


@require_safe
def job_frame_times(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """``{frames: [[sequence, seconds], …]}`` of all sampled frames, in the order of time."""
    try:
        frames = job_frame_list(job_id)
    except MediaprocError as error:
        return error_response(request, error.status, error.code, error.message)
    times = {"frames": [(frame["sequence"], frame["timestamp"]) for frame in frames]}
    response = HttpResponse(msgspec.json.encode(times), content_type="application/json")
    response.headers["Cache-Control"] = "no-store"  # there are none until all were extracted
    return response


def player_context(job: DetectJob) -> dict[str, Any]:
    """What ``templates/jobs/_player.html`` shows; ``source_asset`` of the job is looked at, its video is not."""
    player = asset_player(job.source_asset)
    player["setup"] |= {
        "boxes": reverse("job-boxes", args=[job.id]),
        "frames": reverse("job-frame-times", args=[job.id]),
        "frame": reverse("job-frame", args=[job.id, 0]),  # 0 stands for the sequence
    }
    return {"player": player}


def asset_player(asset: SourceAsset) -> dict[str, Any]:
    """What the player is told of an asset's video alone, without boxes and sampled frames."""
    probe = asset.probe
    return {
        "width": int(probe.get("width") or 16),
        "height": int(probe.get("height") or 9),
        "speeds": _SPEEDS,
        "setup": {
            "video": reverse("asset-video", args=[asset.id]),
            "duration": float(probe.get("duration") or 0.0),
            "start": float(probe.get("start_time") or 0.0),
            "frameRate": _rate(str(probe.get("frame_rate", ""))),
            "codec": str(probe.get("codec", "")),
        },
    }


def _rate(text: str) -> float:
    try:
        rate = float(Fraction(text))
    except (ValueError, ZeroDivisionError):
        return _USUAL_RATE
    return rate if rate > 0 else _USUAL_RATE
