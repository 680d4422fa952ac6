"""The list of jobs: filters in the address, counts by state, pages."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from detect.config import profile_names
from detect.errors import ConfigError
from jobs.choices import JobStatus, RunType
from jobs.listing import job_list as jobs_found
from jobs.listing import outside_batches
from jobs.models import DetectJob
from jobs.pages.query import text_of
from jobs.pages.shown import ACTION_WORDS, HEAVY, abilities, job_row, words

_JOBS_PER_PAGE = 25
_ORDERS = {
    "-created_at": "Newest first",
    "created_at": "Oldest first",
    "-priority": "Priority",
    "-brands_found": "Most brands",
    "status": "State",
}
_TEXT_FILTERS = ("search", "brand", "tag", "profile", "run_type")
_BULK = ("pause", "resume", "cancel", "retry", "raise", "lower", "delete")


@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    """All jobs that fit the filters, newest first unless told otherwise; before there is one, how to make it."""
    asked, problem = _asked(request.GET)
    try:
        counts = _counts(asked)
        statuses = asked.get("status", list(JobStatus.values))
        total = sum(counts.get(status, 0) for status in statuses)
        number, last = _page_number(request.GET.get("page", ""), total)
        rows = _rows(asked, number) if total else []
    except ConfigError as error:
        problem, counts, total, number, last, rows = error.message, {}, 0, 1, 1, []
    context = {
        "rows": rows,
        "problem": problem,
        "first_run": not rows and not request.GET,
        "total": total,
        "tabs": _tabs(request.GET, counts),
        "filters": {name: request.GET.get(name, "") for name in (*_TEXT_FILTERS, "from", "to", "ordering")},
        "filtered": any(request.GET.get(name) for name in (*_TEXT_FILTERS, "from", "to")),
        "more_filters": any(request.GET.get(name) for name in ("profile", "run_type", "from", "to", "ordering")),
        "statuses": request.GET.getlist("status"),
        "profiles": [(name, words(name)) for name in profile_names()],
        "run_types": RunType.choices,
        "orders": _ORDERS.items(),
        "bulk": [(name, ACTION_WORDS[name]) for name in _BULK],
        "number": number,
        "last": last,
        "newer": _address(request.GET, page=number - 1) if number > 1 else "",
        "older": _address(request.GET, page=number + 1) if number < last else "",
        "here": "jobs",
        "here_again": request.get_full_path(),
        **abilities(request),
    }
    return render(request, "jobs/list.html", context)


def _asked(query: QueryDict) -> tuple[dict[str, Any], str]:
    """Filters as ``jobs/listing.py`` knows them, and what could not be understood."""
    asked: dict[str, Any] = {name: text_of(query, name) for name in _TEXT_FILTERS if text_of(query, name)}
    if "run_type" in asked:
        asked["run_type"] = [asked["run_type"]]
    statuses = [status for status in query.getlist("status") if status in JobStatus.values]
    if statuses:
        asked["status"] = statuses
    if query.get("ordering") in _ORDERS:
        asked["ordering"] = query["ordering"]
    problem = ""
    for name, bound, days in (("from", "created_after", 0), ("to", "created_before", 1)):
        text = text_of(query, name)
        if not text:
            continue
        try:
            asked[bound] = f"{date.fromisoformat(text) + timedelta(days=days)}T00:00:00Z"
        except (ValueError, OverflowError):
            problem = f"'{text[:20]}' is not a date: give it as 2026-11-21"
    return asked, problem


def _found(asked: dict[str, Any]) -> QuerySet[DetectJob]:
    return outside_batches(jobs_found(asked))


def _counts(asked: dict[str, Any]) -> dict[str, int]:
    """How many jobs of each state fit the other filters."""
    others = {name: value for name, value in asked.items() if name not in ("status", "ordering")}
    return dict(_found(others).order_by().values_list("status").annotate(Count("id")))


def _page_number(text: str, total: int) -> tuple[int, int]:
    last = max(1, -(-total // _JOBS_PER_PAGE))
    return min(max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1, last), last


def _rows(asked: dict[str, Any], number: int) -> list[dict[str, Any]]:
    jobs = _found(asked)
    start = (number - 1) * _JOBS_PER_PAGE
    ids = jobs.values("id")[start : start + _JOBS_PER_PAGE]
    shown = jobs.filter(id__in=ids).select_related("source_asset").defer(*HEAVY)
    return [job_row(job) for job in shown]


def _tabs(query: QueryDict, counts: dict[str, int]) -> list[dict[str, Any]]:
    chosen = query.getlist("status")
    everything = {
        "word": "All",
        "count": sum(counts.values()),
        "address": _address(query, status=None, page=None),
        "here": not chosen,
        "status": "all",
    }
    return [
        everything,
        *(
            {
                "word": status.label.capitalize(),
                "count": counts.get(status, 0),
                "address": _address(query, status=status.value, page=None),
                "here": chosen == [status.value],
                "status": status.value,
            }
            for status in JobStatus
        ),
    ]


def _address(query: QueryDict, **changes: Any) -> str:
    changed = query.copy()
    for name, value in changes.items():
        changed.pop(name, None)
        if value is not None:
            changed[name] = str(value)
    for name in [name for name, values in changed.lists() if not any(values)]:
        del changed[name]
    return f"?{changed.urlencode()}" if changed else "?"
