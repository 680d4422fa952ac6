"""The first page of the admin: jobs by state, what waits for people, what was spent, what is kept."""

from __future__ import annotations

import shutil
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, Sum
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone

from brands.models import KnownBrand
from brands.review.queue import waiting
from detect.models import ModelAnswer
from jobs.choices import JobStatus
from jobs.exports.words import length, money, plural
from jobs.models import AcceptedResult, DetectJob
from jobs.pages.shown import job_name, when
from mediaproc.access import Decision, decide
from mediaproc.principal import principal_of

_LATEST = 5


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What ``templates/admin/index.html`` shows, by what the reader may see."""
    cards = [_review(request), _brands()]
    if request.user.has_perm("detect.view_modelanswer"):
        cards.append(_spending())
    cards += [_results(), _storage()]
    return {
        **context,
        "title": "Overview",
        "states": _states(),
        "cards": cards,
        "failed": _failed(),
    }


def _states() -> list[dict[str, Any]]:
    """Jobs by state, each leading to the list of them."""
    counts = dict(DetectJob.objects.order_by().values_list("status").annotate(Count("id")))
    jobs = reverse("admin:jobs_detectjob_changelist")
    return [
        {"word": status.label, "number": f"{counts.get(status.value, 0):,}", "link": f"{jobs}?status__exact={status}"}
        for status in JobStatus
    ]


def _card(title: str, figure: str, facts: list[str], link: str = "", word: str = "") -> dict[str, Any]:
    return {"title": title, "figure": figure, "facts": facts, "link": link, "word": word}


def _review(request: HttpRequest) -> dict[str, Any]:
    found = waiting()
    may = decide("review", "GET", principal_of(request)) is Decision.ALLOWED
    facts = [f"{plural(found.items, 'candidate')}, {length(found.seconds)} of video"] if found.groups else []
    return _card("Decisions that wait", f"{found.groups:,}", facts, reverse("review") if may else "", "Review them")


def _brands() -> dict[str, Any]:
    brands = KnownBrand.objects.filter(merged_into=None)
    counts = brands.aggregate(every=Count("id"), confirmed=Count("id", filter=Q(confirmed=True)))
    return _card("Brands", f"{counts['every']:,}", [f"{counts['confirmed']:,} of them confirmed"])


def _spending() -> dict[str, Any]:
    """Every answer was paid for once, whoever uses it since."""
    month = _month()
    answers = ModelAnswer.objects.filter(created_at__gte=month).aggregate(usd=Sum("usd"), number=Count("digest"))
    jobs = DetectJob.objects.filter(created_at__gte=month).aggregate(usd=Sum("estimated_cost_usd"))
    facts = [
        plural(answers["number"], "answer") + " of models",
        f"{money(str(jobs['usd'] or 0))} in this month's reports, reused answers counted",
    ]
    spent = money(str(answers["usd"] or 0))
    return _card(f"Spent in {month:%B}", spent, facts, reverse("admin:providers"), "Providers and prices")


def _results() -> dict[str, Any]:
    counts = AcceptedResult.objects.aggregate(
        every=Count("id"),
        chosen=Count("id", filter=~Q(chosen_by="")),
        late=Count("id", filter=Q(recorded_at=None)),
    )
    facts = [f"{counts['chosen']:,} chosen by people"]
    if counts["late"]:
        facts.append(f"{counts['late']:,} still to be brought into totals and review")
    results = reverse("admin:jobs_acceptedresult_changelist")
    return _card("Videos with a result", f"{counts['every']:,}", facts, results, "Accepted results")


def _storage() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        size = cursor.fetchone()[0]
    if settings.STORAGE_BACKEND != "local":
        return _card("Database", filesizeformat(size), ["frames and uploads are in a bucket"])
    disk = shutil.disk_usage(settings.MEDIA_ROOT)
    free = f"{filesizeformat(disk.free)} of {filesizeformat(disk.total)} free on the disk with the frames"
    return _card("Database", filesizeformat(size), [free])


def _failed() -> list[dict[str, Any]]:
    jobs = DetectJob.objects.filter(status=JobStatus.FAILED).select_related("source_asset")
    return [
        {
            "name": job_name(job),
            "link": reverse("admin:jobs_detectjob_change", args=[job.id]),
            "reason": job.error_message,
            "when": when(job.completed_at or job.created_at),
        }
        for job in jobs.defer("known_brands", "config_overrides").order_by("-created_at")[:_LATEST]
    ]


def _month() -> datetime:
    return timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
