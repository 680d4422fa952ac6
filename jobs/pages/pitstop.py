"""Pit stops: what was run, and a new video with its facts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from detect.errors import MediaprocError
from detect.models import SourceAsset
from detect.zones import Zone
from jobs.assets.intake import Intake
from jobs.model_files import pitstop_weights
from jobs.models import DetectJob
from jobs.pages.pitstop_shown import pitstop_name, run_rows
from jobs.pages.query import text_of
from jobs.pages.shown import abilities, when
from jobs.pitstop.selectors import pitstop_jobs, zones_of
from jobs.pitstop.services import pitstop_submit
from jobs.services import Order
from mediaproc.principal import principal_of
from mediaproc.roles import Role

_RUNS_PER_PAGE = 25
_OFFERED_ZONES = 10
_LONGEST_TEXT = 200


@dataclass
class Asked:
    """What the form asks for, as far as it could be understood; ``errors`` by the name of the field."""

    asset: SourceAsset | None = None
    series: str = ""
    race: str = ""
    notes: str = ""
    threshold: float | None = None
    zones: tuple[Zone, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)


@require_http_methods(["GET", "HEAD", "POST"])
def pitstop_list(request: HttpRequest) -> HttpResponse:
    """The runs with a form for another; what was sent, when something in it cannot be used; the run once it is made."""
    if request.method != "POST":
        asked = Asked(asset=_asset(text_of(request.GET, "asset")))
        return render(request, "pitstop/list.html", _context(request, QueryDict(), asked))
    asked = _read(request.POST)
    if not asked.errors:
        try:
            return _submit(request, asked)
        except MediaprocError as error:
            asked.errors["form"] = error.message
    return render(request, "pitstop/list.html", _context(request, request.POST, asked), status=400)


def _submit(request: HttpRequest, asked: Asked) -> HttpResponse:
    assert asked.asset is not None
    job = pitstop_submit(
        intake=Intake(asked.asset, made=False),
        filename=str(asked.asset.probe.get("name") or asked.asset.path.rpartition("/")[2]),
        series=asked.series,
        race=asked.race,
        notes=asked.notes,
        zones=asked.zones or None,
        threshold=asked.threshold,
        order=Order(requested_by=principal_of(request).name, queued=True),
    )
    messages.success(request, "The run is made: this page follows it.")
    return redirect("pitstop-page", job.id)


def _read(data: QueryDict) -> Asked:
    asked = Asked(
        asset=_asset(text_of(data, "asset")),
        series=text_of(data, "series").strip(),
        race=text_of(data, "race").strip(),
        notes=text_of(data, "notes").strip(),
    )
    if asked.asset is None:
        asked.errors["video"] = "Upload a video first."
    if max(len(asked.series), len(asked.race)) > _LONGEST_TEXT:
        asked.errors["form"] = f"Series and race have at most {_LONGEST_TEXT} letters."
    if text_of(data, "threshold"):
        asked.threshold = _share(text_of(data, "threshold"))
        if asked.threshold is None:
            asked.errors["threshold"] = "A number from 0.01 to 1, such as 0.5."
    if text_of(data, "zones_from"):
        source = _run(text_of(data, "zones_from"))
        if source is None:
            asked.errors["form"] = "The run whose zones were chosen is not there any more."
        else:
            asked.zones = tuple(zones_of(source))
    return asked


def _context(request: HttpRequest, data: QueryDict, asked: Asked) -> dict[str, Any]:
    search = text_of(request.GET, "search").strip()
    runs = _found(search)
    total = runs.count()
    number, last = _page_number(text_of(request.GET, "page"), total)
    shown = list(runs[(number - 1) * _RUNS_PER_PAGE : number * _RUNS_PER_PAGE])
    may_operate = principal_of(request).may(Role.OPERATOR)
    return {
        "data": data,
        "errors": asked.errors,
        "asset": asked.asset,
        "asset_name": "" if asked.asset is None else asked.asset.probe.get("name") or asked.asset.path,
        "most_mb": settings.MAX_FILE_SIZE_MB,
        "usual_threshold": settings.PITSTOP_YOLO_THRESHOLD,
        "no_weights": _no_weights(),
        "first_run": not search and not total,
        "search": search,
        "rows": run_rows(shown),
        "total": total,
        "number": number,
        "last": last,
        "newer": _page_address(search, number - 1) if number > 1 else "",
        "older": _page_address(search, number + 1) if number < last else "",
        "zoned": _zoned() if may_operate else [],
        "here": "pitstop",
        **abilities(request),
    }


def _found(search: str) -> QuerySet[DetectJob]:
    runs = pitstop_jobs()
    for word in search.split():
        runs = runs.filter(
            Q(pitstop__input_filename__icontains=word)
            | Q(pitstop__series__icontains=word)
            | Q(pitstop__race__icontains=word)
            | Q(pitstop__notes__icontains=word)
            | Q(requested_by__icontains=word)
        )
    return runs.order_by("-created_at", "-id")


def _zoned() -> list[tuple[str, str]]:
    """The latest runs that have zones, whose zones another may have too."""
    runs = pitstop_jobs().filter(config_overrides__time_zones__zones__0__isnull=False)
    latest = runs.order_by("-created_at")[:_OFFERED_ZONES]
    return [(str(run.id), f"{pitstop_name(run)}, {when(run.created_at)}") for run in latest]


def _no_weights() -> str:
    """Where to put weights, while there are none; nothing is fetched for that."""
    try:
        pitstop_weights()
    except MediaprocError as error:
        return f"{error.message[:1].upper()}{error.message[1:]}."
    return ""


def _asset(text: str) -> SourceAsset | None:
    return None if (found := _uuid(text)) is None else SourceAsset.objects.filter(id=found).first()


def _run(text: str) -> DetectJob | None:
    return None if (found := _uuid(text)) is None else pitstop_jobs().filter(id=found).first()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _share(text: str) -> float | None:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) and 0.01 <= number <= 1 else None


def _page_number(text: str, total: int) -> tuple[int, int]:
    last = max(1, -(-total // _RUNS_PER_PAGE))
    return min(max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1, last), last


def _page_address(search: str, number: int) -> str:
    query = QueryDict(mutable=True)
    if search:
        query["search"] = search
    query["page"] = str(number)
    return f"?{query.urlencode()}"
