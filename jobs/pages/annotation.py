"""Batches: the datasets there are, a form for another, and the latest batches."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from detect.errors import MediaprocError
from jobs.annotation.datasets import dataset_create, datasets_all
from jobs.annotation.records import Dataset
from jobs.annotation.selectors import batches
from jobs.exports.words import length
from jobs.pages.annotation_shown import batch_row, counted
from jobs.pages.query import text_of
from jobs.pages.shown import abilities, when
from mediaproc.principal import principal_of
from mediaproc.roots import allowed_roots

_SHOWN_DATASETS = 100
_BATCHES_PER_PAGE = 20
_LONGEST_NAME = 200


@require_http_methods(["GET", "HEAD", "POST"])
def batch_list(request: HttpRequest) -> HttpResponse:
    """Datasets and batches; what was sent, when no dataset can be made of it; the dataset once it is made."""
    if request.method != "POST":
        return render(request, "annotation/list.html", _context(request, QueryDict(), {}))
    name, folder = text_of(request.POST, "name"), text_of(request.POST, "base_path")
    errors = _errors(name, folder)
    if not errors:
        try:
            dataset = dataset_create(name=name, base_path=folder, created_by=principal_of(request).name)
        except MediaprocError as error:
            errors["base_path"] = error.message
        else:
            messages.success(request, f"The dataset {name} is made.")
            return redirect("batch-dataset", dataset.id)
    return render(request, "annotation/list.html", _context(request, request.POST, errors), status=400)


def _errors(name: str, folder: str) -> dict[str, str]:
    """What is wrong with the form, by field."""
    errors = {}
    if not name:
        errors["name"] = "Give it a name."
    if len(name) > _LONGEST_NAME:
        errors["name"] = f"A name has at most {_LONGEST_NAME} letters."
    if not folder:
        errors["base_path"] = "Choose a folder."
    return errors


def _context(request: HttpRequest, data: QueryDict, errors: dict[str, str]) -> dict[str, Any]:
    tag = text_of(request.GET, "tag")
    found = batches(tag=tag)
    total = found.count()
    number, last = page_number(text_of(request.GET, "page"), total, _BATCHES_PER_PAGE)
    first = (number - 1) * _BATCHES_PER_PAGE
    shown = counted(found)[first : first + _BATCHES_PER_PAGE]
    datasets = datasets_all()
    return {
        "data": data,
        "errors": errors,
        "roots": [str(root) for root in allowed_roots()],
        "named_roots": [str(root) for root in settings.ROOTS],
        "datasets": [_dataset_row(dataset) for dataset in _measured()[:_SHOWN_DATASETS]],
        "datasets_left_out": max(0, datasets.count() - _SHOWN_DATASETS),
        "rows": [batch_row(job) for job in shown],
        "total": total,
        "tag": tag,
        "number": number,
        "last": last,
        "newer": page_address(tag=tag, page=number - 1) if number > 1 else "",
        "older": page_address(tag=tag, page=number + 1) if number < last else "",
        "here": "batches",
        **abilities(request),
    }


def _measured() -> Any:
    usable = Q(videos__problem="")
    return (
        datasets_all()
        .order_by("-created_at", "-id")
        .annotate(seconds=Sum("videos__duration", filter=usable), problem_count=Count("videos", filter=~usable))
    )


def _dataset_row(dataset: Any) -> dict[str, Any]:
    assert isinstance(dataset, Dataset)
    row: Any = dataset
    return {
        "dataset": dataset,
        "length": length(row.seconds) if row.seconds else "",
        "scanned": when(dataset.scanned_at),
    }


def page_number(text: str, total: int, size: int) -> tuple[int, int]:
    """Which page is asked for, and which is the last."""
    last = max(1, -(-total // size))
    return min(max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1, last), last


def page_address(**values: Any) -> str:
    """The same page with these values in its address; empty ones are left out."""
    query = QueryDict(mutable=True)
    query.update({name: str(value) for name, value in values.items() if value})
    return f"?{query.urlencode()}"
