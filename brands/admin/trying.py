"""Reference pictures: added, taken away, and tried on frames of videos that were analysed."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from brands.actions import AddLogo, RemoveLogo
from brands.admin.bulk import given_ids
from brands.admin.telling import decide_and_tell, sentence
from brands.logo_pictures import MOST_BYTES, picture_suffix
from brands.logo_trials import LogoTrial, TriedFrame, finished_jobs, logo_try
from brands.models import BrandLogo, KnownBrand
from brands.pages.cards import source_name
from detect.errors import ConfigError, MediaprocError
from mediaproc.words import moment

_MOST_PICTURES = 10


class BrandTrying(ModelAdmin):
    """What is done with the reference pictures of a brand."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        add, remove = require_POST(self.logo_add_view), require_POST(self.logo_remove_view)
        return [
            path("<uuid:brand_id>/pictures/", wrap(add), name="brands_knownbrand_pictures"),
            path("pictures/<int:logo_id>/remove/", wrap(remove), name="brands_knownbrand_unpicture"),
            path("pictures/<int:logo_id>/try/", wrap(self.logo_try_view), name="brands_knownbrand_try"),
            *super().get_urls(),
        ]

    def logo_add_view(self, request: HttpRequest, brand_id: UUID) -> HttpResponse:
        """Gives a brand the uploaded pictures (``pictures``)."""
        brand = get_object_or_404(KnownBrand, id=brand_id)
        files = request.FILES.getlist("pictures")[:_MOST_PICTURES]
        if not files:
            messages.error(request, "Choose a picture first.")
        for file in files:
            try:
                if file.size is None or file.size > MOST_BYTES:
                    raise ConfigError(f"it is larger than {MOST_BYTES >> 20} MB")
                content = file.read()
                suffix = picture_suffix(content)
            except MediaprocError as error:
                messages.error(request, f"{file.name}: {error.message}.")
                continue
            decide_and_tell(request, AddLogo(brand.id, content, suffix))
        return redirect(_pictures_of(brand.id))

    def logo_remove_view(self, request: HttpRequest, logo_id: int) -> HttpResponse:
        """Takes a picture away."""
        logo = get_object_or_404(BrandLogo, id=logo_id)
        decide_and_tell(request, RemoveLogo(logo.id))
        return redirect(_pictures_of(logo.brand_id))

    def logo_try_view(self, request: HttpRequest, logo_id: int) -> HttpResponse:
        """Looks for a picture in a finished job (``?job=``), or in the newest ones, when told to (``?run=1``)."""
        logo = get_object_or_404(BrandLogo.objects.select_related("brand"), id=logo_id)
        jobs = finished_jobs()
        wanted = next(iter(given_ids([request.GET.get("job", "")])), None)
        chosen = [job for job in jobs if job.job_id == wanted] or jobs
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Try a reference picture",
            "logo": logo,
            "jobs": [(job.job_id, source_name(job.asset)) for job in jobs],
            "wanted": wanted,
            "back": _pictures_of(logo.brand_id),
        }
        if request.GET.get("run") and jobs:
            began = time.monotonic()
            try:
                context["trial"] = _shown(logo_try(logo, chosen))
            except MediaprocError as error:
                context["problem"] = sentence(error.message)
            context["took"] = f"{time.monotonic() - began:.1f} s"
        return TemplateResponse(request, "admin/brands/try.html", context)


def _shown(trial: LogoTrial) -> dict[str, Any]:
    sure = [frame for frame in trial.frames if frame.sure]
    return {
        "frames": [_frame(frame) for frame in trial.frames],
        "sure": len(sure),
        "unsure": sum(1 for frame in trial.frames if frame.found and not frame.sure),
        "gone": trial.gone,
        "weak": trial.weak,
        "thresholds": sorted({f"{frame.threshold:.0%}" for frame in trial.frames}),
    }


def _frame(frame: TriedFrame) -> dict[str, Any]:
    """A frame with the boxes that were found, in its own pixels, each with its score."""
    return {
        "address": reverse("job-frame", args=[frame.job.job_id, frame.sequence]),
        "page": f"{reverse('job-page', args=[frame.job.job_id])}#t={frame.seconds:g}",
        "video": source_name(frame.job.asset),
        "at": moment(frame.seconds),
        "width": frame.width,
        "height": frame.height,
        "stroke": max(2, round(frame.width / 320)),
        "boxes": [
            {
                "points": " ".join(f"{x},{y}" for x, y in match.quad),
                "score": f"{match.confidence:.0%}",
                "sure": match.confidence >= frame.threshold,
            }
            for match in frame.found
        ],
        "best": f"{frame.found[0].confidence:.0%}" if frame.found else "",
        "sure": bool(frame.sure),
    }


def _pictures_of(brand: UUID) -> str:
    return f"{reverse('admin:brands_knownbrand_change', args=[brand])}#pictures"
