"""``GET /detect/jobs/{job_id}/report``: what a finished job found."""

from __future__ import annotations

from typing import get_origin
from uuid import UUID

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from detect.errors import ConflictError
from detect.report import Report, to_json
from jobs.api.jobs import get_job
from jobs.api.schema import errors
from jobs.choices import JobStatus
from jobs.selectors import job_report


def _json_type(kind: object) -> str:
    if kind is str:
        return "string"
    return "array" if get_origin(kind) is list else "object"


_FIELDS = {field.encode_name: _json_type(field.type) for field in msgspec.structs.fields(Report)}
_SHAPE = {
    "type": "object",
    "description": "mediaproc.report/1; docs/report.md says what each figure means.",
    "properties": {name: {"type": kind} for name, kind in _FIELDS.items()},
    "required": list(_FIELDS),
}


class JobReport(APIView):
    """``/detect/jobs/{job_id}/report``."""

    @extend_schema(
        operation_id="get_report",
        summary="The report of a finished job",
        description="Brands with their exposures, figures and evidence, what stayed unresolved, costs and stages: the "
        "same bytes as `report.json`. 409 until the job has completed.",
        tags=["jobs"],
        responses={200: OpenApiResponse(_SHAPE, "The report."), **errors(404, 409)},
    )
    def get(self, request: Request, job_id: UUID) -> HttpResponse:
        job = get_job(job_id)
        if job.status != JobStatus.COMPLETED:
            raise ConflictError(f"job {job.id} is {job.status}: it has no report yet")
        return HttpResponse(to_json(job_report(job)), content_type="application/json")
