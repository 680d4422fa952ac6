"""Choosing the result that counts for a video, and going back to the one before."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST

from detect.errors import MediaprocError
from jobs.models import AcceptedResult, DetectJob
from jobs.pages.actions import way_back
from jobs.pages.shown import HEAVY, job_name, job_word, when
from jobs.results.accepted import result_accept
from mediaproc.principal import principal_of


@require_POST
def accept(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Make a finished job its video's accepted result; leads back to ``next``."""
    job = get_object_or_404(DetectJob.objects.select_related("source_asset").defer(*HEAVY), id=job_id)
    former = AcceptedResult.objects.filter(source_asset_id=job.source_asset_id).values_list("job_id", flat=True).first()
    back = way_back(request)
    try:
        result_accept(job=job, by=principal_of(request).name)
    except MediaprocError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, accepted_message(request, job, former=former, back=back))
    return redirect(back)


def accepted_message(request: HttpRequest, job: DetectJob, *, former: UUID | None, back: str) -> str:
    """What is so now, with a way back to the result that was accepted before."""
    return render_to_string(
        "jobs/_accepted.html",
        {
            "word": job_word(job),
            "when": when(job.created_at),
            "name": job_name(job),
            "former": None if former == job.id else former,
            "back": back,
        },
        request=request,
    )
