"""What pages say of a job in the same words: its name, its facts, who may do what with it."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from jobs.choices import JobStatus
from jobs.exports.words import STAGE_WORDS, length
from jobs.models import DetectJob
from mediaproc.principal import principal_of
from mediaproc.roles import Role

#: What may be done to a job in each state, in the order of the buttons; ``jobs/lifecycle.py`` has the last word.
ACTIONS: dict[str, tuple[str, ...]] = {
    JobStatus.PENDING: ("pause", "cancel"),
    JobStatus.RUNNING: ("pause", "cancel"),
    JobStatus.PAUSED: ("resume", "cancel", "delete"),
    JobStatus.COMPLETED: ("retry", "delete"),
    JobStatus.FAILED: ("resume", "cancel", "delete"),
    JobStatus.CANCELLED: ("again", "delete"),
}
ACTION_WORDS = {
    "pause": "Pause",
    "resume": "Resume",
    "cancel": "Cancel",
    "retry": "Retry undecided",
    "again": "Run again",
    "delete": "Delete",
    "now": "Start now",
    "raise": "Priority up",
    "lower": "Priority down",
}
OPEN = (JobStatus.PENDING, JobStatus.RUNNING, JobStatus.PAUSED)


def abilities(request: HttpRequest) -> dict[str, bool]:
    """Which buttons are for the reader; what is sent is checked by ``mediaproc/access.py`` all the same."""
    principal = principal_of(request)
    return {"may_operate": principal.may(Role.OPERATOR), "may_curate": principal.may(Role.CURATOR)}


def actions_for(job: DetectJob) -> list[dict[str, Any]]:
    """Buttons of a job: ``[{name, word, asks}]``; ``asks`` is what has to be answered first, or empty."""
    waits = job.status == JobStatus.PENDING and job.scheduled_for is not None and job.scheduled_for > timezone.now()
    names = (("now",) if waits else ()) + ACTIONS[job.status] + (("raise", "lower") if job.status in OPEN else ())
    return [{"name": name, "word": ACTION_WORDS[name], "asks": question(name, job)} for name in names]


def question(action: str, job: DetectJob) -> str:
    """What somebody is asked before an action that cannot be taken back; empty for others."""
    if action == "delete":
        return f"Delete the job for {job_name(job)}? Its checkpoints and report go; the video stays."
    if action == "cancel":
        return f"Cancel the job for {job_name(job)}? It ends for good; what is finished is kept for reuse."
    return ""


def job_name(job: DetectJob) -> str:
    """The file's name. An upload is stored under its content's digest, and shown by the name it came with."""
    if job.video_path.startswith("storage:"):
        given = str(job.source_asset.probe.get("name", ""))
        if given:
            return given
    return PurePath(job.video_path).name or job.video_path


def job_facts(job: DetectJob) -> list[str]:
    """Length of the video, profile and when it was asked for."""
    duration = job.source_asset.probe.get("duration")
    facts = [] if duration is None else [length(float(duration))]
    return [*facts, words(job.profile_name), when(job.created_at)]


def asker(job: DetectJob) -> str:
    """Who asked for it: a person by name, a key or command as it is."""
    return job.requested_by.removeprefix("user:")


def when(moment: Any) -> str:
    """``21 Nov 2026, 06:14 UTC``; without the year in this one."""
    if moment is None:
        return ""
    year = "" if moment.year == timezone.now().year else f" {moment.year}"
    return f"{moment:%d %b}{year}, {moment:%H:%M} UTC"


def words(name: str) -> str:
    """A name of the program as people read it: ``soccer_broadcast`` as ``soccer broadcast``."""
    return name.replace("_", " ")


def stage_word(stage: str) -> str:
    return STAGE_WORDS.get(stage, words(stage).capitalize())
