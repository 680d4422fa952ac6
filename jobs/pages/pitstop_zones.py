"""The zone editor: polygons over a frame of the video; saving them makes a run that takes the times anew."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from detect.errors import ConfigError, MediaprocError
from detect.stages.track_objects import TrackObjectsOutput
from detect.zones import Zone
from jobs.exports.words import length
from jobs.models import DetectJob
from jobs.pages.pitstop_shown import MEASURE_WORDS, branch_tip, pitstop_name, tracked
from jobs.pages.query import text_of
from jobs.pages.shown import abilities
from jobs.pitstop.selectors import pitstop_jobs, zones_of
from jobs.pitstop.services import pitstop_rezone
from jobs.services import Order
from mediaproc.principal import principal_of

_MOST_PATHS, _POINTS_OF_A_PATH = 40, 60
_LONGEST = 1 << 20
_ANCHORS = {"bottom": "its lower edge (feet, wheels)", "centre": "its middle", "any": "any part of it"}
_DONE_ANEW = ("time_zones", "render_overlays", "encode_video")


@require_http_methods(["GET", "HEAD", "POST"])
def zones_page(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The editor; what was drawn, when it cannot be used; the new run's page once that is made."""
    job = get_object_or_404(pitstop_jobs().defer("timeline__frames_meta", "timeline__frames_manifest"), id=job_id)
    if request.method != "POST":
        return render(request, "pitstop/zones.html", {**_context(job, None, ""), **abilities(request)})
    given: Any = None
    try:
        given = _read(text_of(request.POST, "zones"))
        zones = _zones(given)
        made = pitstop_rezone(
            job=job, zones=zones, order=Order(requested_by=principal_of(request).name, tags=job.tags, queued=True)
        )
    except MediaprocError as error:
        context = {**_context(job, given, error.message), **abilities(request)}
        return render(request, "pitstop/zones.html", context, status=error.status)
    messages.success(request, "The times are taken anew with these zones; the run before stays as it was.")
    return redirect("pitstop-page", made.id)


def _read(text: str) -> Any:
    """What was sent, for the editor to show again. Raises ``ConfigError``."""
    if len(text) > _LONGEST:
        raise ConfigError("These zones are too large: give them fewer points.")
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ConfigError("What was sent are no zones.") from error


def _zones(given: Any) -> tuple[Zone, ...]:
    """Raises ``ConfigError`` that names the zone in which something is wrong."""
    if not isinstance(given, list):
        raise ConfigError("What was sent are no zones.")
    zones = []
    for place, one in enumerate(given):
        try:
            zones.append(msgspec.convert(one, Zone))
        except msgspec.ValidationError as error:
            name = one.get("name") if isinstance(one, dict) else None
            raise ConfigError(f"Zone {name or place + 1}: {_fault(error)}.") from error
    return tuple(zones)


def _fault(error: msgspec.ValidationError) -> str:
    """What people can do something about, in their words; anything else as it is told."""
    told = str(error)
    if "`$.points[" in told:
        return "a point lies outside the picture, whose sides are at 0 and 1"
    if told.startswith("Expected `array`") and told.endswith("`$.points`"):
        return "it needs three points to a hundred"
    return told


def _context(job: DetectJob, given: Any, problem: str) -> dict[str, Any]:
    probe = job.source_asset.probe
    can_be_shown = _can_be_shown(given)
    saved = msgspec.to_builtins(zones_of(job))
    tip = branch_tip(job, "track_objects")
    tracks = None if tip is None else tracked(tip)
    waits = "" if tip else "Zones can be saved once objects have been followed; this run has not got that far."
    width, height = int(probe.get("width") or 16), int(probe.get("height") or 9)
    return {
        "job": job,
        "name": pitstop_name(job),
        "problem": problem and (f"{problem} What was drawn is kept." if can_be_shown else problem),
        "waits": waits,
        "width": width,
        "height": height,
        "paths": [] if tracks is None else _paths(tracks, width, height),
        "measures": MEASURE_WORDS.items(),
        "anchors": _ANCHORS.items(),
        "seconds": "" if tip is None else _seconds(tip.stats),
        "setup": {
            "saved": saved,
            "zones": given if can_be_shown else saved,
            "classes": [] if tracks is None else sorted({track.label for track in tracks.tracks}),
            "waits": waits,
            "frames": reverse("job-frame-times", args=[job.id]),
            "frame": reverse("job-frame", args=[job.id, 0]),  # 0 stands for the sequence
        },
        "here": "pitstop",
    }


def _can_be_shown(given: Any) -> bool:
    try:
        _zones(given)
    except ConfigError:
        return False
    return True


def _seconds(stats: dict[str, Any]) -> str:
    """How long the stages that are done anew took in this run; empty where they have not run."""
    took = sum(float(stats[stage]["seconds"]) for stage in _DONE_ANEW if stage in stats)
    return length(took) if took else ""


def _paths(tracks: TrackObjectsOutput, width: int, height: int) -> list[str]:
    """Where the lower edges' middles of what was followed longest have been, as points of a polyline in shares."""
    longest = sorted(tracks.tracks, key=lambda track: track.start - track.end)[:_MOST_PATHS]
    ids = np.frombuffer(tracks.objects.ids, "<i4")
    boxes = np.frombuffer(tracks.objects.boxes, "<f4").reshape(-1, 4)
    feet = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2 / width, boxes[:, 3] / height], axis=1).clip(0, 1)
    paths = []
    for track in longest:
        own = np.flatnonzero(ids == track.id)
        taken = own[np.linspace(0, len(own) - 1, min(len(own), _POINTS_OF_A_PATH)).round().astype(int)]
        if len(taken) > 1:
            paths.append(" ".join(f"{x:.4f},{y:.4f}" for x, y in feet[taken]))
    return paths
