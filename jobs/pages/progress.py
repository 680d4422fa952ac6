"""How far a job is, as its page shows it until there is a report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Func, IntegerField, Q
from django.utils import timezone

from detect.checkpoints.store import CheckpointRecord
from detect.models import Timeline
from detect.registry import load_pipeline
from jobs.choices import EventKind, JobStatus, UnitState
from jobs.exports.words import length, percent, plural
from jobs.models import DetectJob, JobEvent, WorkUnit
from jobs.pages.log import log_lines
from jobs.pages.shown import stage_word, when, words
from jobs.selectors import job_branch
from jobs.work.presence import workers_present
from jobs.work.units import MOST_FAILURES

_MOST_CELLS = 240
_FEWEST_FRAMES = 3
_QUEUE_WORDS = {"cpu": "a processor", "gpu": "a graphics card", "cloud": "models elsewhere"}
_OWNER = re.compile(r"^(?P<host>.+):(?P<pid>\d+):[^:]*$")


@dataclass(frozen=True)
class Piece:
    """One chunk of the present stage; ``done`` is a share 0-1."""

    number: int
    state: str
    done: str
    title: str


@dataclass(frozen=True)
class StageLine:
    """One stage in the list; ``share`` is a share 0-1 as text, empty where it is not known."""

    name: str
    word: str
    state: str
    state_word: str
    detail: str
    share: str = ""


def progress_context(job: DetectJob) -> dict[str, Any]:
    """Everything below the headline: figures, stages, chunks, workers, brands, reasons to wait, log."""
    units = list(WorkUnit.objects.filter(job=job).order_by("stage_index", "chunk"))
    branch = job_branch(job)
    events = _events(job)
    update = events["update"]
    now = [unit for unit in units if unit.stage_index == len(branch)]
    return {
        "percent": percent(job.progress),
        "figures": _figures(job, update),
        "stages": _stages(job, branch, now),
        "pieces": _pieces(now) if len(now) > 1 else [],
        "pieces_word": stage_word(now[0].stage) if now else "",
        "holders": _holders(now),
        "brands": events["brands"],
        "waits": _waits(job, now),
        "failure": _failure(job, units) if job.status == JobStatus.FAILED else None,
        "lines": log_lines(job.id),
        "frames": _frames(job),
    }


def _events(job: DetectJob) -> dict[str, Any]:
    """The latest update and every brand."""
    stored = JobEvent.objects.filter(job=job)
    update = stored.filter(kind=EventKind.UPDATE).order_by("-number").values_list("data", flat=True).first()
    brands = stored.filter(kind=EventKind.BRAND).order_by("number").values_list("data", flat=True)
    return {"update": update or {}, "brands": list(brands)}


def _figures(job: DetectJob, update: dict[str, Any]) -> list[tuple[str, str, str]]:
    """``(key, name, value)`` of each figure; those of speed only while it runs."""
    running = job.status == JobStatus.RUNNING
    fps, left = (update.get("fps"), update.get("seconds_left")) if running else (None, None)
    figures = [
        ("left", "Time left", length(left) if left else ("–" if running else "")),
        ("fps", "Frames a second", f"{fps:.1f}" if fps else ("–" if running else "")),
        ("brands", "Brands so far", str(update.get("brands_found") or job.brands_found or "–")),
        ("spent", "Running for", _since(job.started_at, job.completed_at) if job.started_at else ""),
    ]
    return [figure for figure in figures if figure[2]]


def _since(start: datetime, end: datetime | None) -> str:
    return length(max(0.0, ((end or timezone.now()) - start).total_seconds()))


def _stages(job: DetectJob, branch: list[CheckpointRecord], now: list[WorkUnit]) -> list[StageLine]:
    done = {node.stage: node for node in branch}
    lines = []
    for index, stage in enumerate(load_pipeline(job.pipeline).stages):
        node = done.get(stage.name)
        if node is not None:
            state, state_word, detail = _done(node, own=node.job_id == job.id)
            lines.append(StageLine(stage.name, stage_word(stage.name), state, state_word, detail))
        elif index == len(branch) and (now or job.current_stage == stage.name):
            lines.append(_present(job, stage.name, now))
        else:
            lines.append(StageLine(stage.name, stage_word(stage.name), "todo", "to come", ""))
    return lines


def _done(node: CheckpointRecord, *, own: bool) -> tuple[str, str, str]:
    stats = node.stats[node.stage]
    if stats.get("skipped"):
        return "skipped", "skipped", str(stats["skipped"])
    hidden = ("units", "reused", "seconds", "skipped", "incomplete")
    figures = [f"{words(name)} {value}" for name, value in stats.items() if name not in hidden]
    detail = ", ".join(figures[:3])
    if not own or (stats["reused"] and stats["reused"] == stats["units"]):
        return "reused", "reused", detail
    if stats.get("incomplete"):
        return "incomplete", "not finished", detail
    return "done", f"done, {float(stats['seconds']):.1f} s", detail


def _present(job: DetectJob, name: str, now: list[WorkUnit]) -> StageLine:
    word = stage_word(name)
    if job.status == JobStatus.FAILED:
        return StageLine(name, word, "failed", "failed", "")
    detail = ""
    share = ""
    if now:
        finished = sum(unit.state == UnitState.DONE for unit in now)
        share = f"{sum(_share(unit) for unit in now) / len(now):.4f}"
        detail = f"{finished} of {plural(len(now), 'chunk')} done" if len(now) > 1 else ""
    if job.status != JobStatus.RUNNING:
        return StageLine(name, word, "paused", str(job.get_status_display()), detail, share)
    return StageLine(name, word, "now", "working", detail, share)


def _share(unit: WorkUnit) -> float:
    if unit.state == UnitState.DONE:
        return 1.0
    return min(1.0, unit.items_done / unit.items_total) if unit.items_total else 0.0


def _pieces(now: list[WorkUnit]) -> list[Piece]:
    """Nothing where a cell each would not be seen any more."""
    if len(now) > _MOST_CELLS:
        return []
    return [
        Piece(
            unit.chunk,
            "reused" if unit.reused else "again" if unit.state == UnitState.READY and unit.failures else unit.state,
            f"{_share(unit):.3f}",
            f"Chunk {unit.chunk}: {_piece_word(unit)}",
        )
        for unit in now
    ]


def _piece_word(unit: WorkUnit) -> str:
    if unit.reused:
        return "reused"
    if unit.state == UnitState.RUNNING:
        return f"{percent(_share(unit))} on {_owner(unit.owner)}"
    if unit.state == UnitState.READY:
        return f"tried again after: {unit.error}" if unit.error else "waits for a worker"
    return str(unit.get_state_display())


def _holders(now: list[WorkUnit]) -> list[dict[str, str]]:
    """Which worker is at which chunk."""
    return [
        {
            "worker": _owner(unit.owner),
            "at": f"{stage_word(unit.stage)}, chunk {unit.chunk}" if len(now) > 1 else stage_word(unit.stage),
            "share": f"{_share(unit):.4f}",
            "items": f"{unit.items_done} of {unit.items_total}" if unit.items_total else "starting",
        }
        for unit in now
        if unit.state == UnitState.RUNNING
    ]


def _owner(owner: str) -> str:
    found = _OWNER.match(owner)
    return f"{found['host']}, process {found['pid']}" if found else owner or "a worker"


def _waits(job: DetectJob, now: list[WorkUnit]) -> list[str]:
    """Why nothing happens, or less than could; empty where all goes well."""
    if job.status not in (JobStatus.PENDING, JobStatus.RUNNING):
        return []
    if job.status == JobStatus.PENDING and job.scheduled_for and job.scheduled_for > timezone.now():
        return [f"It is scheduled for {when(job.scheduled_for)}."]
    if not job.task_id:
        return ["It was given to no worker: its command runs it."] if job.status == JobStatus.PENDING else []
    reasons = [f"Chunk {unit.chunk} was tried {_tries(unit)}: {unit.error}" for unit in now if _troubled(unit)]
    return [*reasons[:3], *_unserved(job, now)]


def _troubled(unit: WorkUnit) -> bool:
    return unit.state == UnitState.READY and bool(unit.error)


def _tries(unit: WorkUnit) -> str:
    if not unit.failures:
        return "and waits until it can go on"
    return f"{unit.failures} of {MOST_FAILURES} times and will be tried again"


def _unserved(job: DetectJob, now: list[WorkUnit]) -> list[str]:
    waiting = {unit.queue for unit in now if unit.state == UnitState.READY}
    if job.status == JobStatus.RUNNING and not waiting:
        return []
    workers = workers_present()
    if not workers:
        return ["No worker is running, or the queue cannot be reached. Start one: manage.py worker"]
    missing = waiting - {queue for worker in workers for queue in worker.queues}
    if missing:
        return [
            f"No worker takes work for {_QUEUE_WORDS.get(queue, queue)} (queue {queue}). "
            f"Start one: manage.py worker --queues {queue}"
            for queue in sorted(missing)
        ]
    if job.status == JobStatus.RUNNING and any(unit.state == UnitState.RUNNING for unit in now):
        return []
    return _behind(job)


def _behind(job: DetectJob) -> list[str]:
    """Jobs whose work is taken first."""
    first = Q(priority__gt=job.priority) | Q(priority=job.priority, created_at__lt=job.created_at)
    ahead = DetectJob.objects.filter(first, status=JobStatus.RUNNING).exclude(id=job.id).count()
    return [f"{plural(ahead, 'job')} before it {'is' if ahead == 1 else 'are'} being worked on."] if ahead else []


def _failure(job: DetectJob, units: list[WorkUnit]) -> dict[str, Any]:
    """Why it failed, where, after how many attempts, and what can be done."""
    failed = [unit for unit in units if unit.state == UnitState.FAILED]
    reason = (failed[0].error if failed else "") or job.error_message or "no reason was stored"
    return {
        "reason": reason,
        "where": [
            f"{stage_word(unit.stage)}, chunk {unit.chunk}, after {plural(unit.failures + unit.losses, 'attempt')}"
            for unit in failed[:5]
        ],
        "advice": _advice(reason),
    }


def _advice(reason: str) -> str:
    lowered = reason.lower()
    if "no such file" in lowered or "cannot be opened" in lowered or "no longer" in lowered:
        return "Put the video back where it was, or submit it again from where it is now; then resume."
    if "weights" in lowered:
        return "Put the weights where the message says, then resume."
    if "disk" in lowered or "space" in lowered or "storage" in lowered:
        return "Make room or bring the storage back, then resume."
    return "Resume gives every chunk its full number of attempts again; what was finished is kept."


def _frames(job: DetectJob) -> list[int]:
    """Two frames to recognise the video by, once frames are there; the list of a long video is left in the database."""
    if job.timeline_id is None:
        return []
    timelines = Timeline.objects.filter(id=job.timeline_id)
    length_of = Func(F("frames_meta"), function="jsonb_array_length", output_field=IntegerField())
    count = timelines.values_list(length_of, flat=True).first() or 0
    if count < _FEWEST_FRAMES:
        return []
    places = [f"frames_meta__{count * part // 3}__sequence" for part in (1, 2)]
    return [int(sequence) for sequence in timelines.values_list(*places)[0]]
