"""Frames of a job and crops of them, cut when they are asked for."""

from __future__ import annotations

from uuid import UUID

import cv2
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from detect.errors import MediaprocError
from detect.exports.crops import cut_crop
from detect.report import Xywh
from detect.stages.extract_frames import encode_jpeg
from jobs.models import DetectJob
from jobs.selectors import job_frames, job_source

_THUMB_WIDTH, _THUMB_QUALITY = 240, 80
_KEEP_SECONDS = 86_400  # the frames of a timeline never change


class SitePictures:
    """Where the pages of a job find its pictures."""

    def __init__(self, job_id: UUID) -> None:
        self._job_id = job_id

    def crop(self, sequence: int, box: Xywh, path: str) -> str:
        return reverse("job-crop", args=[self._job_id, sequence, *box])

    def frame(self, sequence: int) -> str:
        return reverse("job-frame", args=[self._job_id, sequence])


@require_safe
def job_frame(request: HttpRequest, job_id: UUID, sequence: int) -> HttpResponse:  # noqa: ARG001
    """A whole frame, as it is stored."""
    job = get_object_or_404(_jobs(), id=job_id)
    try:
        return _jpeg(job_frames(job).load_jpeg(sequence))
    except MediaprocError as error:
        raise Http404(error.message) from error


@require_safe
def job_thumb(request: HttpRequest, job_id: UUID, sequence: int) -> HttpResponse:  # noqa: ARG001
    """A frame made small, for a row of many."""
    job = get_object_or_404(_jobs(), id=job_id)
    try:
        image = job_frames(job).load(sequence)
    except MediaprocError as error:
        raise Http404(error.message) from error
    height = max(1, round(image.shape[0] * _THUMB_WIDTH / image.shape[1]))
    return _jpeg(encode_jpeg(cv2.resize(image, (_THUMB_WIDTH, height), interpolation=cv2.INTER_AREA), _THUMB_QUALITY))


@require_safe
def job_crop(
    request: HttpRequest,  # noqa: ARG001
    job_id: UUID,
    sequence: int,
    x: int,
    y: int,
    width: int,
    height: int,
) -> HttpResponse:
    """A box of a frame, in pixels of the source picture, with a little around it."""
    job = get_object_or_404(_jobs(), id=job_id)
    source = job_source(job)
    try:
        image = job_frames(job).load(sequence)
        return _jpeg(cut_crop(image, (x, y, width, height), width=source.width, height=source.height))
    except (MediaprocError, ValueError) as error:
        raise Http404(str(error)) from error


def _jobs() -> QuerySet[DetectJob]:
    """Without the lists of frames, which grow with the video: a page asks for many pictures."""
    jobs = DetectJob.objects.select_related("timeline", "source_asset")
    return jobs.defer("timeline__frames_meta", "timeline__frames_manifest", "known_brands")


def _jpeg(body: bytes) -> HttpResponse:
    response = HttpResponse(body, content_type="image/jpeg")
    response.headers["Cache-Control"] = f"private, max-age={_KEEP_SECONDS}"
    return response
