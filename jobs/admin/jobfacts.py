"""What the admin shows of a job below its fields, in a fixed number of queries."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import msgspec
from django.db.models import Count, F, Func, JSONField, Q, Sum
from django.urls import reverse

from detect.admin import Section
from detect.models import Checkpoint
from jobs.admin.links import checkpoint_link, job_link
from jobs.choices import EventKind, UnitState
from jobs.exports.words import length, money, percent, plural
from jobs.models import DetectJob, JobEvent
from jobs.pages.options import differences
from jobs.pages.shown import stage_word, when, words
from jobs.selectors import job_known_brands

MOST_EVENTS = 50
_MOST_UNITS = 50
_MOST_NAMES = 12


def job_sections(job: DetectJob) -> list[Section]:
    return [
        Section(
            "Options",
            ("stage", "option", "value"),
            differences(job.config_overrides),
            empty="All as the profile has them.",
        ),
        _known_brands(job),
        _checkpoints(job),
        *_units(job),
        _branches(job),
        _events(job),
    ]


def _known_brands(job: DetectJob) -> Section:
    """A summary of the snapshot: the whole of it has every name there was."""
    title = "Known brands it was made with"
    try:
        known = job_known_brands(job)
    except (msgspec.MsgspecError, zlib.error) as error:
        return Section(title, empty=f"The snapshot cannot be read: {error}")
    names = sorted(brand.name for brand in known.brands)
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    rows = [
        ("brands", f"{len(names):,}", ", ".join(names[:_MOST_NAMES]) + more),
        ("of these confirmed", f"{sum(brand.confirmed for brand in known.brands):,}", ""),
        ("aliases", f"{sum(len(brand.aliases) for brand in known.brands):,}", ""),
        ("logo pictures", f"{sum(len(brand.logos) for brand in known.brands):,}", ""),
        ("texts that are no brands", f"{len(known.rejected):,}", ""),
        ("answers about this video", f"{len(known.cached):,}", ""),
    ]
    note = "They were listed for this job: nothing else is looked for." if known.given else ""
    return Section(title, ("what", "number", "which"), rows, note=note)


def _checkpoints(job: DetectJob) -> Section:
    # only the stage's own figures: a checkpoint carries those of all stages before it
    own = Func(F("stats"), F("stage"), function="jsonb_extract_path", output_field=JSONField())
    nodes = Checkpoint.objects.filter(job_id=job.id).order_by("stage_index", "created_at")
    rows = [
        (
            checkpoint_link(node["id"], stage_word(node["stage"])),
            *_work(node["own"] or {}),
            node["scenario_label"],
            when(node["created_at"]),
        )
        for node in nodes.values("id", "stage", "scenario_label", "created_at", own=own)
    ]
    return Section(
        "Checkpoints",
        ("after", "took", "units", "bookmark", "created"),
        rows,
        empty="No stage has ended yet.",
        link=(reverse("page-tree", args=[job.id]), "Tree of checkpoints"),
    )


def _work(stats: dict[str, Any]) -> tuple[str, str]:
    """How long a stage took, and how many of its units were found stored."""
    if stats.get("skipped"):
        return "skipped", ""
    units, reused = int(stats.get("units", 0)), int(stats.get("reused", 0))
    return length(float(stats.get("seconds", 0.0))), f"{units:,}" + (f", {reused:,} reused" if reused else "")


def _units(job: DetectJob) -> Iterable[Section]:
    """Pieces that workers share; there are none before a worker has begun and after the job has ended well."""
    units = job.units.order_by("stage_index")
    count = {state: Count("id", filter=Q(state=state)) for state in UnitState.values}
    stages = list(
        units.values("stage", "stage_index").annotate(**count, failures=Sum("failures"), losses=Sum("losses"))
    )
    if not stages:
        return
    yield Section(
        "Units",
        ("stage", *UnitState.values, "failed attempts", "lost workers"),
        [
            (stage_word(row["stage"]), *(row[state] for state in UnitState.values), row["failures"], row["losses"])
            for row in stages
        ],
    )
    unfinished = job.units.exclude(state=UnitState.DONE).order_by("stage_index", "chunk")[: _MOST_UNITS + 1]
    rows = [
        (stage_word(unit.stage), unit.chunk, unit.state, unit.attempt, unit.owner, when(unit.not_before), unit.error)
        for unit in unfinished
    ]
    yield Section(
        "Unfinished units",
        ("stage", "chunk", "state", "attempts", "worker", "not before", "error"),
        rows[:_MOST_UNITS],
        note=f"The first {_MOST_UNITS} are shown." if len(rows) > _MOST_UNITS else "",
        empty="All are done.",
    )


def _branches(job: DetectJob) -> Section:
    made = job.branches.order_by("-created_at").values(
        "id", "run_type", "replay_from_stage", "status", "estimated_cost_usd", "created_at"
    )
    rows = [
        (
            job_link(row["id"]),
            f"{row['run_type']} at {stage_word(row['replay_from_stage']).lower()}",
            row["status"],
            money(str(row["estimated_cost_usd"])),
            when(row["created_at"]),
        )
        for row in made
    ]
    return Section("Replays and retries of it", ("job", "kind", "state", "cost", "created"), rows, empty="None.")


def _events(job: DetectJob) -> Section:
    latest = JobEvent.objects.filter(job_id=job.id).order_by("-number")[:MOST_EVENTS]
    rows = [(event.number, f"{event.created_at:%d %b, %H:%M:%S}", _told(event)) for event in latest]
    return Section(
        "Events",
        ("number", "when, UTC", "what"),
        rows,
        note=f"The last {MOST_EVENTS} of {job.last_event:,}." if job.last_event > MOST_EVENTS else "",
        empty="Nothing has been told of it.",
    )


def _told(event: JobEvent) -> str:
    """An event in words."""
    data = event.data
    if event.kind == EventKind.LOG:
        return f"{data['level']}: {data['line']}"
    if event.kind == EventKind.BRAND:
        return f"brand {data['name']}"
    if event.kind == EventKind.STAGE:
        took = "" if data.get("seconds") is None else f" in {length(float(data['seconds']))}"
        return f"{stage_word(data['stage'])} ended{took}, {plural(int(data['units']), 'unit')}"
    stage = f", {words(data['stage'])}" if data.get("stage") else ""
    error = f": {data['error']}" if data.get("error") else ""
    return f"{data['status']} {percent(float(data['progress']))}{stage}{error}"
