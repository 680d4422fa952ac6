"""What is drawn over a job's video, for the player."""

from __future__ import annotations

import math
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from detect.errors import MediaprocError
from jobs.boxes import job_boxes
from mediaproc.errors import error_response

#: Seconds that are given at once, at most.
LONGEST_WINDOW = 600.0
_USUAL_WINDOW = 30.0


@require_safe
def job_boxes_json(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """``boxes.json?from=S&to=S``: ``{tracks, undecided}``, each as :class:`~detect.overlay.DrawnTrack` has it."""
    window = _window(request.GET.get("from", "0"), request.GET.get("to", ""))
    if window is None:
        sentence = f"from and to are seconds of the video: 0 or more, and at most {LONGEST_WINDOW:g} apart."
        return error_response(request, 400, "invalid", sentence)
    try:
        boxes = job_boxes(job_id, *window)
    except MediaprocError as error:
        return error_response(request, error.status, error.code, error.message)
    response = HttpResponse(msgspec.json.encode(boxes), content_type="application/json")
    response.headers["Cache-Control"] = "no-store"  # a running job finds more
    return response


def _window(start_text: str, end_text: str) -> tuple[float, float] | None:
    """Both in seconds; None for what is no window."""
    try:
        start = float(start_text)
        end = float(end_text) if end_text else start + _USUAL_WINDOW
    except ValueError:
        return None
    sound = math.isfinite(start) and math.isfinite(end) and 0 <= start < end and end - start <= LONGEST_WINDOW
    return (start, end) if sound else None
