"""A batch's page: how far each pipeline of each video is, what failed, the log, and what may be done with it."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from detect.errors import MediaprocError, NotFoundError
from jobs.annotation.batches import batch_again, batch_cancel, batch_delete
from jobs.annotation.events import logs_tail
from jobs.annotation.records import AnnotationJob, AnnotationRun
from jobs.annotation.selectors import batch_find, queue_position
from jobs.annotation.states import ENDED, BatchState
from jobs.exports.words import length, percent, plural
from jobs.pages.annotation_grid import files_of, grid
from jobs.pages.annotation_shown import pipeline_word, sentence, state_tag
from jobs.pages.options import as_text
from jobs.pages.query import text_of
from jobs.pages.shown import abilities, person, when, words
from jobs.work.presence import workers_present
from mediaproc.principal import principal_of

_MOST_LINES, _MOST_FAILURES = 300, 8
_LINE = re.compile(r"^\[(?P<at>[\d:]+)\] (?P<level>[A-Z]+) +(?P<text>.*)$", re.DOTALL)
_ESTIMATED_FROM = 0.03
_ASKS = {
    "cancel": "Cancel this batch? It ends for good; what is finished is kept.",
    "delete": "Delete this batch with all its files? The videos and the dataset stay.",
}
_WORDS = {"cancel": "Cancel", "again": "Run again", "delete": "Delete"}


@require_safe
def batch_page(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """A batch in any state; the page follows it while it runs."""
    job = found_batch(job_id)
    return render(request, "annotation/batch.html", {**_context(request, job), **abilities(request)})


@require_POST
def act(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Cancel, delete or repeat a batch; asks on a page of its own where the browser did not."""
    job = found_batch(job_id)
    action = text_of(request.POST, "action")
    if action not in _WORDS:
        messages.error(request, "There is no such action.")
        return redirect("batch-page", job.id)
    if action in _ASKS and request.POST.get("confirmed") != "yes":
        context = {"job": job, "asks": _ASKS[action], "action": action, "word": _WORDS[action], "here": "batches"}
        return render(request, "annotation/confirm.html", context)
    try:
        return _done(request, job, action)
    except MediaprocError as error:
        messages.error(request, sentence(error.message))
        return redirect("batch-page", job.id)


def found_batch(job_id: UUID) -> AnnotationJob:
    try:
        return batch_find(job_id)
    except NotFoundError as error:
        raise Http404(error.message) from error


def _done(request: HttpRequest, job: AnnotationJob, action: str) -> HttpResponse:
    if action == "again":
        made = batch_again(job, requested_by=principal_of(request).name)
        messages.success(request, "The batch is made once more: this page follows it; the one before stays.")
        return redirect("batch-page", made.id)
    if action == "delete":
        batch_delete(job)
        messages.success(request, "The batch is deleted.")
        return redirect("batch-list")
    batch_cancel(job)
    messages.success(request, "The batch is cancelled. What was finished is kept.")
    return redirect("batch-page", job.id)


def _context(request: HttpRequest, job: AnnotationJob) -> dict[str, Any]:
    runs = AnnotationRun.objects.filter(video__job=job)
    states = dict(runs.order_by().values_list("state").annotate(Count("id")))
    failed = runs.filter(state=BatchState.FAILED).select_related("video").order_by("video__position", "position")
    failed_count, done = states.get(BatchState.FAILED, 0), states.get(BatchState.SUCCEEDED, 0)
    file_count, file_size = files_of(job)
    return {
        "job": job,
        "tag": state_tag(job.state, partly=bool(done)),
        "partly": bool(done),
        "open": job.state not in ENDED,
        "percent": percent(job.progress),
        "figures": _figures(job, states, file_count, file_size),
        "asker": person(job.requested_by),
        "when": when(job.queued_at),
        "finished": when(job.finished_at),
        "stage": job.current_stage,
        "position": queue_position(job),
        "no_worker": job.state not in ENDED and not workers_present(),
        "failures": failed[:_MOST_FAILURES],
        "failures_left_out": max(0, failed_count - _MOST_FAILURES),
        "failed_words": f"{failed_count:,} of {plural(sum(states.values()), 'run')}",
        "settings": _settings(job),
        "software": sorted(
            (name, version) for name, version in job.configuration.get("software", {}).items() if version
        ),
        "lines": [_line(line) for line in logs_tail(job.id, _MOST_LINES)],
        "file_count": file_count,
        "file_size": file_size,
        "asks": _ASKS,
        "here": "batches",
        **grid(job, page=text_of(request.GET, "page"), show=text_of(request.GET, "show")),
    }


def _figures(job: AnnotationJob, states: dict[str, int], file_count: int, file_size: str) -> list[tuple[str, str, str]]:
    """``(key, name, value)`` of each figure; ``states`` counts the runs in each."""
    ended = sum(count for state, count in states.items() if state in ENDED)
    figures = [
        ("runs", "Done", f"{ended:,} of {sum(states.values()):,}"),
        ("files", "Files", f"{file_count}, {file_size}" if file_count else "–"),
    ]
    if job.started_at is not None:
        spent = max(0.0, ((job.finished_at or timezone.now()) - job.started_at).total_seconds())
        figures.append(("spent", "Ran for" if job.finished_at else "Running for", length(spent)))
        if job.state == BatchState.RUNNING:
            left = spent * (1 - job.progress) / job.progress if job.progress > _ESTIMATED_FROM else None
            figures.append(("left", "Time left", "–" if left is None else f"about {length(left)}"))
    return figures


def _settings(job: AnnotationJob) -> list[dict[str, Any]]:
    """What each pipeline runs with, as people set it."""
    return [
        {
            "label": pipeline_word(key),
            "key": key,
            "version": one.get("version"),
            "params": [(words(name), as_text(value) or "empty") for name, value in one.get("params", {}).items()],
            "models": sorted({digest[:12] for found in one.get("models", {}).values() for digest in found}),
        }
        for key, one in job.configuration.get("pipelines", {}).items()
    ]


def _line(line: str) -> dict[str, str]:
    found = _LINE.match(line)
    if found is None:
        return {"at": "", "level": "info", "text": line}
    return {"at": found["at"], "level": found["level"].lower(), "text": found["text"]}
