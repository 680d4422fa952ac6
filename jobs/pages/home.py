"""The first page: what is under way, what waits for a decision, what was found; before there is anything, a start."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Case, Count, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from brands.models import Decision, ItemState, ReviewGroup, ReviewItem
from brands.review.queue import Waiting, queue, waiting
from detect.config import DEFAULT_PROFILE, profiles
from detect.errors import MediaprocError
from jobs.choices import ENDED, JobStatus
from jobs.exports.words import length, plural
from jobs.listing import outside_batches
from jobs.models import DetectJob
from jobs.pages.pictures import SitePictures
from jobs.pages.shown import HEAVY, OPEN, abilities, job_name, job_row, person, when
from jobs.results.totals import brands_by_seconds
from jobs.results.updates import results_outdated
from jobs.sample import sample_begin, sample_state
from mediaproc.principal import principal_of
from mediaproc.roles import Role

_OPEN_JOBS, _ENDED_JOBS, _FAILED_JOBS, _BRANDS, _GROUPS, _DECISIONS = 6, 5, 3, 10, 4, 7
_PIPELINE = "brands"


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Everything at a glance, or how to begin."""
    first_run = not DetectJob.objects.exists()
    context = {
        "first_run": first_run,
        **(_beginning() if first_run else _glance(request)),
        "profiles": profiles(_PIPELINE),
        "profile": DEFAULT_PROFILE,
        "here": "home",
        **abilities(request),
    }
    return render(request, "jobs/home.html", context)


@require_POST
def sample(request: HttpRequest) -> HttpResponse:
    """Make the sample match in the background and have it analysed."""
    try:
        if not sample_begin(by=principal_of(request).name):
            messages.info(request, "The sample is being made already.")
    except MediaprocError as error:
        messages.error(request, error.message)
    return redirect("home")


def _beginning() -> dict[str, Any]:
    state = sample_state()
    return {"sample": state, "sample_share": f"{state.share:.3f}", "sample_percent": f"{state.share:.0%}"}


def _glance(request: HttpRequest) -> dict[str, Any]:
    decisions = Decision.objects.annotate(videos=Count("assets")).defer("changes").order_by("-id")
    made = list(decisions[:_DECISIONS])
    return {
        **_jobs(),
        **_decisions_that_wait(),
        "brands": _brands(),
        "activity": [_decided(decision) for decision in made],
        "last_decision": made[0].id if made else 0,
        "reviews": principal_of(request).may(Role.REVIEWER),
    }


def _jobs() -> dict[str, Any]:
    """Those under way, what runs before what waits, and those that ended last."""
    jobs = outside_batches(DetectJob.objects.select_related("source_asset").defer(*HEAVY))
    order = Case(*(When(status=status, then=Value(place)) for place, status in enumerate(_STATES)), default=Value(9))
    under_way = jobs.filter(status__in=OPEN)
    ended = jobs.filter(status__in=ENDED).order_by("-completed_at", "-created_at")
    shown = under_way.order_by(order, "-priority", "created_at")[:_OPEN_JOBS]
    return {
        "open_jobs": [job_row(job) for job in shown],
        "open_count": under_way.count(),
        "ended_jobs": [job_row(job) for job in ended[:_ENDED_JOBS]],
    }


_STATES = (JobStatus.RUNNING, JobStatus.PENDING, JobStatus.PAUSED)


def _decisions_that_wait() -> dict[str, Any]:
    queued = waiting()
    failed = DetectJob.objects.filter(status=JobStatus.FAILED).select_related("source_asset").defer(*HEAVY)
    failures = [
        {"job": job, "name": job_name(job), "reason": job.error_message}
        for job in failed.order_by("-completed_at", "-created_at")[:_FAILED_JOBS]
    ]
    return {
        "review": queued if queued.groups else None,
        "review_words": _queue_words(queued),
        "review_seconds": length(queued.seconds),
        "review_pictures": _pictures(queue()[:_GROUPS]),
        "outdated": len(results_outdated()),
        "failed": failures,
        "failed_count": failed.count() if len(failures) == _FAILED_JOBS else len(failures),
    }


def _queue_words(queued: Waiting) -> str:
    """``12 decisions``, and on how much each is where that is not one."""
    of = "" if queued.items == queued.groups else f" about {plural(queued.items, 'candidate')}"
    return f"{plural(queued.groups, 'decision')}{of}"


def _pictures(groups: QuerySet[ReviewGroup]) -> list[dict[str, Any]]:
    """The longest-seen picture of each group."""
    shown = list(groups)
    opened = ReviewItem.objects.filter(group__in=[group.id for group in shown], state=ItemState.OPEN)
    best = {item.group_id: item for item in opened.order_by("group_id", "-seconds", "id").distinct("group_id")}
    return [
        {
            "text": group.text,
            "seconds": length(group.open_seconds),
            "picture": SitePictures(best[group.id].job_id).crop(best[group.id].sequence, tuple(best[group.id].box), ""),
        }
        for group in shown
        if group.id in best
    ]


def _brands() -> list[dict[str, Any]]:
    totals = brands_by_seconds(limit=_BRANDS)
    longest = max((total.seconds for total in totals), default=0.0) or 1.0
    return [
        {
            "name": total.brand.canonical_name,
            "address": reverse("brand-page", args=[total.brand.id]),
            "confirmed": total.brand.confirmed,
            "seconds": length(total.seconds),
            "videos": plural(total.videos, "video"),
            "width": f"{max(0.5, 100 * total.seconds / longest):.2f}",
            "picture": SitePictures(total.best.job_id).crop(total.best.sequence, tuple(total.best.box), ""),
        }
        for total in totals
    ]


def _decided(decision: Any) -> dict[str, str]:
    """A decision, with the number of ``videos`` it concerns."""
    return {
        "sentence": decision.sentence,
        "by": person(decision.by),
        "when": when(decision.created_at),
        "at": decision.created_at.isoformat(),
        "settled": f"{plural(decision.items, 'candidate')}, {length(decision.seconds)}" if decision.items else "",
        "videos": plural(decision.videos, "video") if decision.videos else "",
    }
