"""Times of a pit stop that people set over what was measured, in the page."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from detect.errors import ConfigError, MediaprocError
from jobs.pages.pitstop_shown import seconds, uncertain
from jobs.pages.query import text_of
from jobs.pages.shown import person, when
from jobs.pitstop.metrics import WORDS, metrics_set
from jobs.pitstop.selectors import pitstop_jobs
from mediaproc.principal import principal_of


@require_POST
def set_value(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Set the metric ``name`` to ``value`` seconds, or take that back with ``undo``."""
    job = get_object_or_404(pitstop_jobs(), id=job_id)
    name = text_of(request.POST, "name")
    try:
        value = None if request.POST.get("undo") else _seconds(text_of(request.POST, "value"))
        metrics_set(job=job, values={name: value}, by=principal_of(request).name)
    except MediaprocError as error:
        messages.error(request, error.message)
    else:
        word = WORDS[name]
        told = f"{word} is {seconds(value)} now." if value is not None else f"{word} is what was measured again."
        messages.success(request, told)
    return redirect(f"{reverse('pitstop-page', args=[job.id])}#metric-{name}")


def metric_rows(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """Metrics as the page shows them: in use, as measured, and who set what."""
    return [_metric_row(name, word, metrics) for name, word in WORDS.items()]


def _metric_row(name: str, word: str, metrics: dict[str, Any]) -> dict[str, Any]:
    value, measured, by_hand = metrics.get(name), metrics["measured"].get(name), metrics["by_hand"].get(name)
    told = "" if measured is None else f"{seconds(measured['seconds'])} {uncertain(measured['uncertainty_s'])}"
    return {
        "name": name,
        "word": word,
        "is_known": value is not None,
        "value": "–" if value is None else seconds(value),
        "number": "" if value is None else f"{value:.3f}".rstrip("0").rstrip("."),
        "measured": told,
        "detail": f"Measured, {uncertain(measured['uncertainty_s'])}" if measured else "",
        "by_hand": by_hand is not None,
        "by": person(by_hand["set_by"]) if by_hand else "",
        "when": when(by_hand["set_at"]) if by_hand else "",
    }


def _seconds(text: str) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise ConfigError("Give the time in seconds, such as 2.34.")
    return value
