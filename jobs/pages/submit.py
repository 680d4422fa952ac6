"""Asking for an analysis: one form, everything in it checked before anything starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from brands.models import KnownBrand
from brands.services import brands_ensure
from detect.config import DEFAULT_PROFILE, profile_names, profiles, resolve
from detect.errors import MediaprocError
from detect.models import SourceAsset
from detect.registry import load_pipeline
from detect.types import KnownBrandRecord
from jobs.assets.sources import asset_from_root, asset_from_storage
from jobs.exports.words import length
from jobs.pages.brand_text import read_brand_text
from jobs.pages.options import SentOptions, option_groups, read_options
from jobs.pages.query import text_of
from jobs.services import Order, job_submit
from mediaproc.principal import principal_of

_PIPELINE = "brands"
_SHOWN_ASSETS, _SHOWN_BRANDS = 12, 80
_MOST_PRIORITY = 1000
_MOST_TAGS, _LONGEST_TAG = 50, 100
_LATEST_START = timedelta(days=366)
_SOURCES = ("upload", "asset", "root", "storage")


@dataclass
class Asked:
    """What the form asks for, as far as it could be understood; ``errors`` by the name of the field."""

    asset: SourceAsset | None = None
    profile: str = DEFAULT_PROFILE
    brands: list[KnownBrandRecord] | None = None
    tags: list[str] = field(default_factory=list)
    priority: int = 0
    scheduled_for: datetime | None = None
    cost_limit_usd: Decimal | None = None
    call_limit: int | None = None
    options: SentOptions = field(default_factory=SentOptions)
    errors: dict[str, str] = field(default_factory=dict)


@require_http_methods(["GET", "HEAD", "POST"])
def job_submit_page(request: HttpRequest) -> HttpResponse:
    """The form; what was sent, when something in it cannot be used; the job's page once it is made."""
    if request.method != "POST":
        return render(request, "jobs/submit.html", _context(QueryDict(), _start(request.GET)))
    asked = _read(request.POST)
    if not asked.errors and not asked.options.errors:
        try:
            return _submit(request, asked)
        except MediaprocError as error:
            asked.errors["form"] = error.message
    return render(request, "jobs/submit.html", _context(request.POST, asked), status=400)


def _submit(request: HttpRequest, asked: Asked) -> HttpResponse:
    assert asked.asset is not None
    submission = job_submit(
        asset=asked.asset,
        video_path=asked.asset.path,
        profile=asked.profile,
        overrides=asked.options.overrides,
        brands=None if asked.brands is None else brands_ensure(listed=asked.brands),
        pipeline_key=_PIPELINE,
        order=Order(
            requested_by=principal_of(request).name,
            tags=asked.tags,
            priority=asked.priority,
            scheduled_for=asked.scheduled_for,
            cost_limit_usd=asked.cost_limit_usd,
            call_limit=asked.call_limit,
            queued=True,
        ),
    )
    if submission.resumed:
        messages.info(request, "This was asked for already and is not finished: here is its job.")
    return redirect("job-page", submission.job.id)


def _start(query: QueryDict) -> Asked:
    """An empty form, with the video chosen where the address names one."""
    asked = Asked()
    asked.asset = _asset_by_id(text_of(query, "asset"))
    if text_of(query, "profile") in profile_names(_PIPELINE):
        asked.profile = text_of(query, "profile")
    return asked


def _read(data: QueryDict) -> Asked:
    asked = Asked()
    _read_profile(asked, data)
    _read_brands(asked, data)
    _read_order(asked, data)
    _read_start(asked, data)
    _read_asset(asked, data)
    return asked


def _read_profile(asked: Asked, data: QueryDict) -> None:
    if text_of(data, "profile") in profile_names(_PIPELINE):
        asked.profile = text_of(data, "profile")
    else:
        asked.errors["profile"] = "Choose the kind of footage."
    pipeline = load_pipeline(_PIPELINE)
    # fields were filled for the profile that was chosen when the page was made
    basis = text_of(data, "options_for")
    unchanged = resolve(pipeline, basis if basis in profile_names(_PIPELINE) else asked.profile).snapshot()
    asked.options = read_options(pipeline, data, unchanged)


def _read_brands(asked: Asked, data: QueryDict) -> None:
    if data.get("brands_from") != "list":
        return
    try:
        asked.brands = read_brand_text(text_of(data, "brands"))
    except MediaprocError as error:
        asked.errors["brands"] = error.message


def _read_order(asked: Asked, data: QueryDict) -> None:
    tags = [tag.strip() for tag in text_of(data, "tags").split(",") if tag.strip()]
    asked.tags = list(dict.fromkeys(tags))
    if len(asked.tags) > _MOST_TAGS or any(len(tag) > _LONGEST_TAG for tag in asked.tags):
        asked.errors["tags"] = f"At most {_MOST_TAGS} tags of at most {_LONGEST_TAG} letters."
    priority = _whole(text_of(data, "priority") or "0")
    if priority is None or abs(priority) > _MOST_PRIORITY:
        asked.errors["priority"] = f"A whole number from -{_MOST_PRIORITY} to {_MOST_PRIORITY}."
    else:
        asked.priority = priority
    if text_of(data, "cost_limit_usd"):
        asked.cost_limit_usd = _dollars(text_of(data, "cost_limit_usd"))
        if asked.cost_limit_usd is None:
            asked.errors["cost_limit_usd"] = "An amount in US dollars such as 2.50; 0 allows only what is free."
    if text_of(data, "call_limit"):
        calls = _whole(text_of(data, "call_limit"))
        if calls is None or not 0 <= calls < 2**31:
            asked.errors["call_limit"] = "A whole number from 0 on."
        else:
            asked.call_limit = calls


def _read_start(asked: Asked, data: QueryDict) -> None:
    if data.get("start") != "at":
        return
    text = text_of(data, "start_at_utc") or text_of(data, "start_at")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        asked.errors["start_at"] = "Give a day and a time."
        return
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if not timezone.now() < moment < timezone.now() + _LATEST_START:
        asked.errors["start_at"] = "It must lie ahead, within a year."
    else:
        asked.scheduled_for = moment


def _read_asset(asked: Asked, data: QueryDict) -> None:
    source = text_of(data, "source")
    try:
        if source in ("upload", "asset"):
            asked.asset = _asset_by_id(text_of(data, "upload_asset" if source == "upload" else "asset"))
            if asked.asset is None:
                wanted = "Upload a video first." if source == "upload" else "Choose one of the videos."
                asked.errors["video"] = wanted
        elif source == "root" and text_of(data, "path"):
            asked.asset = asset_from_root(text_of(data, "path")).asset
        elif source == "storage" and text_of(data, "storage_key"):
            asked.asset = asset_from_storage(text_of(data, "storage_key")).asset
        else:
            asked.errors["video"] = "Choose a video."
    except MediaprocError as error:
        asked.errors["video"] = error.message


def _asset_by_id(text: str) -> SourceAsset | None:
    try:
        return SourceAsset.objects.filter(id=UUID(text)).first()
    except ValueError:
        return None


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _dollars(text: str) -> Decimal | None:
    try:
        amount = Decimal(text.strip().lstrip("$").replace(",", "."))
    except InvalidOperation:
        return None
    return round(amount, 6) if amount.is_finite() and 0 <= amount < 10**8 else None


def _context(data: QueryDict, asked: Asked) -> dict[str, Any]:
    pipeline = load_pipeline(_PIPELINE)
    usable = profiles(pipeline.key)
    snapshots = {one.name: resolve(pipeline, one).snapshot() for one in usable}
    basis = text_of(data, "options_for") or asked.profile
    snapshot = snapshots.get(basis, snapshots[asked.profile])
    assets = list(SourceAsset.objects.all()[:_SHOWN_ASSETS])
    if asked.asset is not None and asked.asset not in assets:
        assets.insert(0, asked.asset)
    confirmed = KnownBrand.objects.filter(confirmed=True)
    given = text_of(data, "source")
    return {
        "data": data,
        "errors": asked.errors,
        "wrong": bool(asked.errors or asked.options.errors),
        "source": given if given in _SOURCES else ("asset" if asked.asset else "upload"),
        "uploaded": asked.asset if given == "upload" else None,
        "chosen_asset": asked.asset,
        "assets": [asset_facts(asset) for asset in assets],
        "roots": settings.ROOTS,
        "profiles": usable,
        "profile": asked.profile,
        "basis": basis,
        "brand_count": confirmed.count(),
        "known_brands": list(confirmed.values_list("canonical_name", flat=True)[:_SHOWN_BRANDS]),
        "groups": option_groups(pipeline.stages, snapshot, asked.options),
        "options_changed": bool(asked.options.overrides or asked.options.errors),
        "profile_defaults": _profile_defaults(pipeline, snapshots),
        "most_mb": settings.MAX_FILE_SIZE_MB,
        "here": "submit",
        "may_operate": True,  # the page is for operators
    }


def _profile_defaults(pipeline: Any, snapshots: dict[str, Any]) -> dict[str, dict[str, str]]:
    """``{profile: {field: text}}``: what fields show when another profile is chosen."""
    return {
        name: {
            field.field_name: field.default
            for group in option_groups(pipeline.stages, snapshot)
            for field in group.fields
        }
        for name, snapshot in snapshots.items()
    }


def asset_facts(asset: SourceAsset) -> dict[str, Any]:
    """What people know a video by."""
    probe = asset.probe
    facts = [length(float(probe["duration"]))] if probe.get("duration") else []
    if probe.get("width"):
        facts.append(f"{probe['width']} × {probe['height']}")
    return {
        "id": asset.id,
        "name": str(probe.get("name") or asset.path.rpartition("/")[2]),
        "facts": " · ".join(facts),
    }
