"""A pit stop's page: how far it is, why it failed, or its video beside its times."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from detect.errors import MediaprocError
from detect.stages.time_zones import TimeZonesOutput
from detect.zones import Visit, ZoneTime
from jobs.choices import JobStatus
from jobs.exports.words import plural
from jobs.models import DetectJob
from jobs.pages.pitstop_lanes import lanes_of
from jobs.pages.pitstop_shown import (
    MEASURE_WORDS,
    ZONE_COLOURS,
    at,
    branch_tip,
    cut_words,
    length_uncertainty,
    pitstop_about,
    pitstop_name,
    seconds,
    stop_of,
    stop_words,
    stops_by_hand,
    times_of,
    tracked,
    uncertain,
    zone_columns,
    zone_times,
)
from jobs.pages.pitstop_values import metric_rows
from jobs.pages.progress import progress_context
from jobs.pages.shown import abilities, actions_for, asker, job_facts, when
from jobs.pages.video import player_context
from jobs.pitstop.metrics import metrics_of
from jobs.pitstop.selectors import output_file, pitstop_jobs, run_of
from jobs.pitstop.services import pitstop_delete
from mediaproc.principal import principal_of
from mediaproc.roles import Role

_SHOWN_VISITS, _FIRST_VISITS = 60, 6
_SHOWN_RUNS, _SHOWN_COLUMNS = 20, 8
#: Deleting is more than for other jobs, and a retry asks models that a pit stop has not.
_ELSEWHERE = ("delete", "retry", "raise", "lower", "again")


@require_safe
def pitstop_page(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """A run that is complete with its times; of another, how far it is and what it waits for, or why it failed."""
    job = get_object_or_404(pitstop_jobs().defer("timeline__frames_meta", "timeline__frames_manifest"), id=job_id)
    context = {**_head(job), **progress_context(job), **abilities(request)}
    context["may_set"] = principal_of(request).may(Role.REVIEWER)
    if job.status != JobStatus.COMPLETED:
        return render(request, "pitstop/running.html", {**context, **_runs(job, None)})
    return render(request, "pitstop/page.html", {**context, **_complete(job)})


@require_POST
def delete(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Remove a run with all that is its own; asks on a page of its own where the browser did not."""
    job = get_object_or_404(pitstop_jobs(), id=job_id)
    if request.POST.get("confirmed") != "yes":
        return render(request, "pitstop/delete.html", {"job": job, "asks": delete_question(job), "here": "pitstop"})
    name = pitstop_name(job)
    try:
        pitstop_delete(job)
    except MediaprocError as error:
        messages.error(request, error.message)
        is_there = pitstop_jobs().filter(id=job_id).exists()
        return redirect("pitstop-page", job_id) if is_there else redirect("pitstop-list")
    messages.success(request, f"{name} is deleted.")
    return redirect("pitstop-list")


def delete_question(job: DetectJob) -> str:
    """What is asked before a run is deleted."""
    begun = " It is stopped first." if job.status in (JobStatus.PENDING, JobStatus.RUNNING) else ""
    replays = DetectJob.objects.filter(parent_job=job).count()
    with_them = f" with {plural(replays, 'run')} that took the times anew from it" if replays else ""
    return f"Delete {pitstop_name(job)}{with_them}? Times and annotated videos go.{begun}"


def _head(job: DetectJob) -> dict[str, Any]:
    return {
        "job": job,
        "name": pitstop_name(job),
        "about": pitstop_about(job),
        "notes": run_of(job).notes,
        "facts": job_facts(job),
        "asker": asker(job),
        "actions": [action for action in actions_for(job) if action["name"] not in _ELSEWHERE],
        "delete_asks": delete_question(job),
        "unfinished": job.status in (JobStatus.PENDING, JobStatus.RUNNING),
        "can_zone": job.timeline_id is not None and branch_tip(job, "track_objects") is not None,
        "here": "pitstop",
    }


def _complete(job: DetectJob) -> dict[str, Any]:
    tip = branch_tip(job, "encode_video")
    assert tip is not None, "a complete job has all its stages"
    times, tracks, output = zone_times(tip), tracked(tip), output_file(job)
    player = player_context(job)["player"]
    player["setup"] |= {"video": reverse("pitstop-output", args=[job.id]), "boxes": "", "start": 0.0, "codec": ""}
    metrics = metrics_of(job)
    stop_metric, *rest = metric_rows(metrics)
    unknown = [metric for metric in rest if not metric["is_known"]]
    return {
        "player": player,
        "output": output,
        "output_size": "" if output is None else f"{output.size_bytes / 1e6:.1f} MB",
        "has_zones": bool(times.zones),
        "stop": _stop(times, stops_by_hand([job]).get(job.id)),
        "stop_metric": stop_metric,
        "metrics": [metric for metric in rest if metric["is_known"]],
        "unknown": unknown,
        "unknown_words": ", ".join(metric["word"].lower() for metric in unknown),
        "brands": [{"name": brand["name"], "seconds": seconds(brand["seconds"])} for brand in metrics["brands"]],
        "zones": [_zone(place, zone) for place, zone in enumerate(times.zones)],
        "lanes": lanes_of(times, tracks, float(job.source_asset.probe.get("duration") or 0.0)),
        "problems": metrics["problems"],
        **_runs(job, times),
    }


def _stop(times: TimeZonesOutput, by_hand: float | None) -> dict[str, str] | None:
    words = stop_words(times, by_hand)
    stop = stop_of(times)
    if words is None or stop is None:
        return words
    return {
        **words,
        "at": f"{stop.start:.3f}",
        "until": f"{stop.end:.3f}",
        "from": at(stop.start),
        "to": at(stop.end),
        "cut": cut_words(stop.cut),
    }


def _zone(place: int, zone: ZoneTime) -> dict[str, Any]:
    visits = [_visit(visit) for visit in zone.visits[:_SHOWN_VISITS]]
    return {
        "name": zone.name,
        "colour": place % ZONE_COLOURS,
        "measure": MEASURE_WORDS[zone.measure] if zone.measure else "",
        "seconds": seconds(zone.seconds),
        "uncertainty": uncertain(zone.uncertainty) if zone.visits else "",
        "more": max(0, len(zone.visits) - _SHOWN_VISITS),
        "visits": visits[:_FIRST_VISITS],
        "later": visits[_FIRST_VISITS:],
    }


def _visit(visit: Visit) -> dict[str, str]:
    return {
        "at": f"{visit.start:.3f}",
        "from": at(visit.start),
        "to": at(visit.end),
        "seconds": f"{seconds(visit.end - visit.start)} {uncertain(length_uncertainty(visit))}",
        "who": f"{visit.label} {visit.track_id}",
        "cut": cut_words(visit.cut),
    }


def _runs(job: DetectJob, own: TimeZonesOutput | None) -> dict[str, Any]:
    """The runs of the same video, newest first, with the seconds of this run's zones and theirs."""
    shown = list(pitstop_jobs().filter(source_asset_id=job.source_asset_id).order_by("-created_at")[:_SHOWN_RUNS])
    times, by_hand = times_of(shown), stops_by_hand(shown)
    mine = own.zones if own else []
    names = list(dict.fromkeys(zone.name for zone in [*mine, *(z for each in times.values() for z in each.zones)]))
    columns = names[:_SHOWN_COLUMNS]
    rows = []
    for run in shown:
        found = times.get(run.id)
        stop = stop_words(found, by_hand.get(run.id))
        rows.append(
            {
                "job": run,
                "this": run.id == job.id,
                "when": when(run.created_at),
                "asker": asker(run),
                "stop": f"{stop['value']} {stop['detail']}" if stop else "",
                "zones": zone_columns(found.zones if found else [], [] if run.id == job.id else mine, columns),
            }
        )
    return {"runs": rows, "run_zones": columns}
