"""What pages say of a job in the same words: its name, its facts, who may do what with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from jobs.choices import JobStatus, RunType
from jobs.exports.words import STAGE_WORDS, length
from jobs.models import AcceptedResult, DetectJob
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
#: Columns of a job that lists do not show and that can be large.
HEAVY = ("known_brands", "config_overrides")


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


def job_row(job: DetectJob) -> dict[str, Any]:
    """A job in a list: its name and facts, how far it is, and its buttons, the likeliest of them apart as ``quick``."""
    actions = actions_for(job)
    quick = next((action for action in actions if action["name"] in ("pause", "resume", "again")), None)
    return {
        "job": job,
        "name": job_name(job),
        "facts": job_facts(job),
        "from": stage_word(job.replay_from_stage).lower() if job.replay_from_stage else "",
        "stage": stage_word(job.current_stage) if job.current_stage else "",
        "open": job.status in OPEN,
        "percent": f"{job.progress:.0%}",
        "quick": quick,
        "actions": [action for action in actions if action is not quick],
    }


def job_word(job: DetectJob) -> str:
    """What a job is among those of its video: ``first run``, ``replay from match brands``."""
    kind = "first run" if job.run_type == RunType.INITIAL else str(job.get_run_type_display())
    return f"{kind} from {stage_word(job.replay_from_stage).lower()}" if job.replay_from_stage else kind


@dataclass(frozen=True)
class AcceptedMark:
    """Which result of a video counts, and since when by whom, in words."""

    job_id: UUID
    words: str


def accepted_mark(asset_id: UUID) -> AcceptedMark | None:
    """The mark of a video's accepted result, for pages that show its jobs; None while it has none."""
    result = AcceptedResult.objects.filter(source_asset_id=asset_id).first()
    return None if result is None else AcceptedMark(result.job_id, accepted_words(result))


def accepted_words(result: AcceptedResult) -> str:
    """``since 21 Nov, 06:14 UTC by ana``; without a name where nobody chose it."""
    by = f" by {person(result.chosen_by)}" if result.chosen_by else ""
    return f"since {when(result.accepted_at)}{by}"


def asker(job: DetectJob) -> str:
    """Who asked for it."""
    return person(job.requested_by)


def person(name: str) -> str:
    """Who did something, as people are called: a person by name, a key or command as it is."""
    return name.removeprefix("user:")


def when(moment: Any) -> str:
    """``21 Nov 2026, 06:14 UTC``; without the year in this one."""
    if moment is None:
        return ""
    year = "" if moment.year == timezone.now().year else f" {moment.year}"
    return f"{moment:%d %b}{year}, {moment:%H:%M} UTC"


def signed(value: float, unit: str) -> str:
    """``+1.2 s``, ``−0.4 s``, ``0.0 s``; a rounded nothing has no sign."""
    text = f"{abs(value):.1f} {unit}"
    return text if float(f"{value:.1f}") == 0 else f"{'+' if value > 0 else '−'}{text}"


def words(name: str) -> str:
    """A name of the program as people read it: ``soccer_broadcast`` as ``soccer broadcast``."""
    return name.replace("_", " ")


def stage_word(stage: str) -> str:
    return STAGE_WORDS.get(stage, words(stage).capitalize())
