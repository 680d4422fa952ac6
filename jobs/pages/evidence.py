"""Evidence of a report as it is asked for: exposures of a brand in pages, one exposure, undecided candidates, changes.

htmx gets the piece alone, anybody else a page around it: without scripts the same links lead to the same evidence.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from detect.comparison import BrandTotal
from detect.errors import MediaprocError
from detect.report import Report, ReportBrand
from jobs.branches.comparisons import results_compare
from jobs.exports.brand_view import brand_anchor, brand_view
from jobs.exports.evidence_view import exposure_views, unresolved_view
from jobs.exports.words import length, plural
from jobs.models import DetectJob
from jobs.pages.finished import finished_report
from jobs.pages.pictures import SitePictures
from jobs.pages.query import text_of
from jobs.pages.shown import job_name

EXPOSURES_A_PAGE = 30
CANDIDATES_A_PAGE = 12
_MOST_CHANGES = 8


@require_safe
def exposures(request: HttpRequest, job_id: UUID, brand: int) -> HttpResponse:
    """A page of a brand's exposures: page ``page``, or the one that ``at``, the place of an exposure, is on."""
    job, report = finished_report(job_id)
    shown, pictures = _brand(report, brand), SitePictures(job.id)
    number = _number(request, "page", 1)
    if "at" in request.GET:
        number = _number(request, "at", 0) // EXPOSURES_A_PAGE + 1
    page = Paginator(shown.exposures, EXPOSURES_A_PAGE).get_page(number)
    start = page.start_index() - 1
    context = {
        "brand": brand_view(brand, report, pictures, with_exposures=False),
        "exposures": exposure_views(brand, report, pictures, start=start, stop=page.end_index()),
        "anchor": brand_anchor(brand),
        **_paged(page, "exposure"),
    }
    return _piece(request, "report/_exposure_page.html", job, report, context, title=shown.name)


@require_safe
def exposure(request: HttpRequest, job_id: UUID, brand: int, place: int) -> HttpResponse:
    """One exposure with its pictures, by its place among its brand's."""
    job, report = finished_report(job_id)
    shown = _brand(report, brand)
    if place >= len(shown.exposures):
        raise Http404(f"{shown.name} has {plural(len(shown.exposures), 'exposure')}")
    views = exposure_views(brand, report, SitePictures(job.id), start=place, stop=place + 1)
    return _piece(request, "report/_exposure_alone.html", job, report, {"exposure": views[0]}, title=shown.name)


@require_safe
def undecided(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """A page of the candidates that nobody decided."""
    job, report = finished_report(job_id)
    context = undecided_context(job, report, _number(request, "page", 1))
    return _piece(request, "report/_undecided.html", job, report, context, title="Undecided")


@require_safe
def changes(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """What a replay or retry shows otherwise than the job it came from."""
    job = get_object_or_404(DetectJob.objects.select_related("source_asset"), id=job_id)
    if job.parent_job_id is None:
        raise Http404(f"job {job_id} came from no other")
    return _piece(request, "report/_changes.html", job, None, _changes(job), title="What changed")


def undecided_context(job: DetectJob, report: Report, number: int = 1) -> dict[str, Any]:
    """Candidates of one page, with the way to the others."""
    page = Paginator(report.unresolved, CANDIDATES_A_PAGE).get_page(number)
    pictures = SitePictures(job.id)
    return {
        "unresolved": [unresolved_view(item, report, pictures) for item in page.object_list],
        **_paged(page, "candidate"),
    }


def _brand(report: Report, brand: int) -> ReportBrand:
    if brand >= len(report.brands):
        raise Http404(f"the report has {plural(len(report.brands), 'brand')}")
    return report.brands[brand]


def _paged(page: Page[Any], one: str) -> dict[str, Any]:
    return {"pages": page, "shown": f"{page.start_index()}–{page.end_index()} of {plural(page.paginator.count, one)}"}


def _number(request: HttpRequest, name: str, usual: int) -> int:
    text = text_of(request.GET, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else usual


def _changes(job: DetectJob) -> dict[str, Any]:
    assert job.parent_job_id is not None
    try:
        compared = results_compare(job.parent_job_id, job.id)
    except MediaprocError as error:
        return {"problem": error.message}
    shown = compared.shown
    counts = [
        ("gained", len(shown.gained)),
        ("lost", len(shown.lost)),
        ("renamed", len(shown.renamed)),
        ("moved", len(shown.moved)),
    ]
    totals = [total for total in shown.totals if total.difference]
    return {
        "counts": [(word, count) for word, count in counts if count],
        "totals": [_total(total) for total in totals[:_MOST_CHANGES]],
        "more": len(totals) - _MOST_CHANGES,
    }


def _total(total: BrandTotal) -> tuple[str, str, str, str]:
    """``(brand, before, after, difference)``."""
    sign = "+" if total.difference > 0 else "−"
    return (
        total.brand,
        length(total.left_seconds) if total.left_seconds else "not there",
        length(total.right_seconds) if total.right_seconds else "not there",
        f"{sign}{length(abs(total.difference))}",
    )


def _piece(
    request: HttpRequest, template: str, job: DetectJob, report: Report | None, context: dict[str, Any], *, title: str
) -> HttpResponse:
    alone = request.headers.get("HX-Request") != "true"
    context = {**context, "job": job, "report": report}
    if alone:
        context |= {"piece": template, "title": title, "name": job_name(job), "here": "jobs"}
    response = render(request, "report/alone.html" if alone else template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response
