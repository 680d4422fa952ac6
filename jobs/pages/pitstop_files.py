"""The times of a pit stop as a table; video and JSON come from the REST interface."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from detect.errors import MediaprocError
from detect.exports.rows import Cell, plain_cell
from jobs.pitstop.metrics import NAMES, metrics_of
from jobs.pitstop.selectors import pitstop_job
from mediaproc.errors import error_response

_HEADER = ("what", "name", "seconds", "uncertainty_s", "source", "start", "end", "track_id", "label", "cut")


@require_safe
def metrics_csv(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """A row a metric, a zone, a visit and a brand."""
    try:
        metrics = metrics_of(pitstop_job(job_id))
    except MediaprocError as error:
        return error_response(request, error.status, error.code, error.message)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow(_HEADER)
    writer.writerows([plain_cell(row.get(column, "")) for column in _HEADER] for row in _rows(metrics))
    response = HttpResponse(table.getvalue().encode(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{job_id}_metrics.csv"'
    return response


def _rows(metrics: dict[str, Any]) -> Iterator[dict[str, Cell]]:
    for name in NAMES:
        if metrics.get(name) is not None:
            source = metrics["sources"][name]
            measured = metrics["measured"][name] if source == "measured" else {"uncertainty_s": ""}
            yield {
                "what": "metric",
                "name": name,
                "seconds": metrics[name],
                "uncertainty_s": measured["uncertainty_s"],
                "source": source,
            }
    for zone in metrics["zones"]:
        yield {"what": "zone", **{key: zone[key] for key in ("name", "seconds", "uncertainty_s")}}
        for visit in zone["visits"]:
            told = {key: visit[key] for key in ("start", "end", "track_id", "label", "cut")}
            uncertainty = math.hypot(visit["start_uncertainty"], visit["end_uncertainty"])
            length = visit["end"] - visit["start"]
            yield {"what": "visit", "name": zone["name"], "seconds": length, "uncertainty_s": uncertainty, **told}
    for brand in metrics["brands"]:
        yield {"what": "brand", **{key: brand[key] for key in ("name", "seconds", "start", "end")}}
