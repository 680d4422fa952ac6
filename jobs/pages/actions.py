"""Buttons: what people do to one job, or to those they have ticked. What may be done is up to the services."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from detect.errors import MediaprocError
from detect.registry import load_pipeline
from jobs.choices import RunType
from jobs.exports.words import plural
from jobs.lifecycle import job_cancel, job_change, job_delete, job_pause, job_reschedule, job_resume
from jobs.models import DetectJob
from jobs.pages.shown import ACTION_WORDS, job_name, question
from jobs.services import Order, job_replay
from mediaproc.principal import principal_of

MOST_AT_ONCE = 500
_LARGEST_PRIORITY = 1000


@require_POST
def job_act(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """One action on one job, named in ``action``; leads back to ``next``, or to a job that was made."""
    job = get_object_or_404(_jobs(), id=job_id)
    return _act(request, [job])


@require_POST
def jobs_act(request: HttpRequest) -> HttpResponse:
    """One action on every job whose id is in ``ids``."""
    ids = [text for text in request.POST.getlist("ids")[:MOST_AT_ONCE] if _is_uuid(text)]
    jobs = list(_jobs().filter(id__in=ids))
    if not jobs:
        messages.warning(request, "No job was chosen: tick some first.")
        return redirect(way_back(request))
    return _act(request, jobs)


def _jobs() -> QuerySet[DetectJob]:
    return DetectJob.objects.select_related("source_asset")


def _act(request: HttpRequest, jobs: list[DetectJob]) -> HttpResponse:
    action = request.POST.get("action", "")
    if action not in ACTION_WORDS:
        messages.error(request, "There is no such action.")
        return redirect(way_back(request))
    asks = question(action, jobs[0])
    if asks and request.POST.get("confirmed") != "yes":
        return _ask(request, action, jobs, asks)
    work = _WORK[action]
    done: list[DetectJob] = []
    made: DetectJob | None = None
    for job in jobs:
        try:
            made = work(job, request) or made
            done.append(job)
        except MediaprocError as error:
            messages.error(request, f"{job_name(job)}: {error.message}")
    if done:
        messages.success(request, _told(action, done))
    if made is not None and len(jobs) == 1:
        return redirect("job-page", made.id)
    return redirect(way_back(request, gone=jobs[0].id if action == "delete" and done else None))


def _ask(request: HttpRequest, action: str, jobs: list[DetectJob], asks: str) -> HttpResponse:
    """The question as a page, for those whose browser did not ask it."""
    if len(jobs) > 1:
        asks = f"{ACTION_WORDS[action]} {plural(len(jobs), 'job')}? This cannot be taken back."
    context = {
        "jobs": jobs,
        "names": [job_name(job) for job in jobs],
        "asks": asks,
        "action": action,
        "word": ACTION_WORDS[action],
        "next": way_back(request),
        "single": len(jobs) == 1,
        "may_operate": True,  # or it would not have been asked
    }
    return render(request, "jobs/confirm.html", context)


def _retry(job: DetectJob, request: HttpRequest) -> DetectJob:
    """Ask the models again about what is undecided."""
    return job_replay(
        parent=job, start_stage="escalate_vlm", overrides={}, run_type=RunType.RETRY, order=_order(job, request)
    )


def _again(job: DetectJob, request: HttpRequest) -> DetectJob:
    """From the first stage on; what is stored is reused."""
    first = load_pipeline(job.pipeline).stages[0].name
    return job_replay(parent=job, start_stage=first, overrides={}, order=_order(job, request))


def _order(job: DetectJob, request: HttpRequest) -> Order:
    return Order(
        requested_by=principal_of(request).name,
        tags=job.tags,
        priority=job.priority,
        cost_limit_usd=job.cost_limit_usd,
        call_limit=job.call_limit,
        queued=True,
    )


def _shift(job: DetectJob, by: int) -> None:
    job_change(job, priority=max(-_LARGEST_PRIORITY, min(_LARGEST_PRIORITY, job.priority + by)))


#: Each does its work and returns the job it made, if any.
_WORK: dict[str, Callable[[DetectJob, HttpRequest], DetectJob | None]] = {
    "pause": lambda job, request: job_pause(job),
    "resume": lambda job, request: job_resume(job),
    "cancel": lambda job, request: job_cancel(job),
    "delete": lambda job, request: job_delete(job),
    "retry": _retry,
    "again": _again,
    "now": lambda job, request: job_reschedule(job, None),
    "raise": lambda job, request: _shift(job, 1),
    "lower": lambda job, request: _shift(job, -1),
}
_TOLD = {
    "pause": ("is paused", "are paused", ": what is being worked on is finished first"),
    "resume": ("goes on", "go on", ""),
    "cancel": ("is cancelled", "are cancelled", ""),
    "delete": ("is deleted", "are deleted", ""),
    "retry": ("is asked about again", "are asked about again", ""),
    "again": ("is run again", "are run again", ""),
    "now": ("starts now", "start now", ""),
    "raise": ("goes earlier", "go earlier", ""),
    "lower": ("goes later", "go later", ""),
}


def _told(action: str, done: list[DetectJob]) -> str:
    one, many, rest = _TOLD[action]
    if len(done) > 1:
        return f"{plural(len(done), 'job')} {many}{rest}."
    priority = f", with priority {done[0].priority}" if action in ("raise", "lower") else ""
    return f"{job_name(done[0])} {one}{priority}{rest}."


def way_back(request: HttpRequest, *, gone: UUID | None = None) -> str:
    """Where the reader came from, as ``next`` tells, if that is on this site and still there; else the list of jobs."""
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    if not safe or (gone is not None and str(gone) in target):
        return reverse("job-list")
    return target


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
