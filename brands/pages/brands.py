"""All brands by what the videos show of them, and one brand with all that is known of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from brands.actions import Action, ConfirmBrands, RejectBrands, Rename, Undo, Unmerge, decide
from brands.catalog import (
    KNOWN_BY,
    State,
    brands_listed,
    brands_matching,
    count_by_state,
    in_state,
    page_of,
    state_of,
)
from brands.history import decisions_about
from brands.logo_pictures import logo_thumbnail
from brands.models import BrandAppearance, BrandLogo, KnownBrand
from brands.pages.cards import brand_choice, settles, source_name
from brands.pages.history import row_of
from brands.review.history import decisions_tell
from brands.review.queue import brands_logos, brands_seen
from brands.selectors import brand_parts, brand_roots
from brands.totals import figures_of, last_seen, videos_with, with_totals
from detect.errors import ConfigError, MediaprocError
from mediaproc.principal import principal_of
from mediaproc.roles import Role
from mediaproc.words import length, plural

_BRANDS_PER_PAGE = 50
_VIDEOS_PER_PAGE = 24
_DECISIONS = 20
_ALL_DECISIONS = 500
_KEEP_SECONDS = 86_400  # a picture's address names one that never changes
_ORDERS = {
    "seconds": ("Seconds on screen", ("-total_seconds", "canonical_name")),
    "videos": ("Videos", ("-total_videos", "-total_seconds")),
    "newest": ("Seen last", ("-last_seen", "canonical_name")),
    "name": ("Name", ("canonical_name", "id")),
}


@dataclass(frozen=True)
class BrandRow:
    """A brand in the list. ``share`` is how long its bar is, percent."""

    brand: KnownBrand
    state: State
    aliases: list[str]
    crop: str
    seconds: str
    share: str
    videos: str
    seen: str


@dataclass(frozen=True)
class VideoRow:
    """What one video shows of a brand; ``under`` is the merged brand that it is shown under, if it is one."""

    name: str
    page: str
    crop: str
    seconds: str
    uncertainty: str
    share: str
    quality: str
    stretches: str
    under: str


@require_safe
def brand_list(request: HttpRequest) -> HttpResponse:
    """Brands that fit the address: ``?state=&search=&order=&page=``; most seconds over all videos first."""
    text = request.GET.get("search", "").replace("\0", "").strip()
    state = State(request.GET["state"]) if request.GET.get("state") in State.values else None
    order = request.GET["order"] if request.GET.get("order") in _ORDERS else "seconds"
    matching = brands_matching(brands_listed(), text)
    counts = count_by_state(matching)
    total = counts[state] if state else _brands_among(counts)
    number, last = _page_number(request.GET.get("page", ""), total, _BRANDS_PER_PAGE)
    wanted = with_totals(in_state(matching, state)).order_by(*_ORDERS[order][1])
    if state is None:
        wanted = wanted.filter(Q(is_rejected=False))
    rows = _rows(page_of(wanted, (number - 1) * _BRANDS_PER_PAGE, number * _BRANDS_PER_PAGE)) if total else []
    context = {
        "here": "brands",
        "rows": rows,
        "total": total,
        "text": text,
        "state": state or "",
        "order": order,
        "orders": [(name, word) for name, (word, _) in _ORDERS.items()],
        "tabs": _tabs(request.GET, counts, state),
        "nothing_yet": not any(counts.values()) and not text,
        "number": number,
        "last": last,
        "newer": _address(request.GET, page=number - 1) if number > 1 else "",
        "older": _address(request.GET, page=number + 1) if number < last else "",
        "may_curate": principal_of(request).may(Role.CURATOR),
    }
    return render(request, "brands/list.html", context)


@require_safe
def brand_page(request: HttpRequest, brand_id: UUID) -> HttpResponse:
    """One brand; a merged one leads to the brand it is."""
    root = brand_roots().get(brand_id)
    if root is not None:
        return redirect("brand-page", root)
    brand = get_object_or_404(brands_listed().prefetch_related("aliases"), id=brand_id)
    reader = principal_of(request)
    parts = brand_parts([brand.id])[brand.id]
    videos = videos_with(parts)
    figures = figures_of(parts)
    number, last = _page_number(request.GET.get("page", ""), videos.count(), _VIDEOS_PER_PAGE)
    told = decisions_tell(decisions_about(parts)[: _ALL_DECISIONS if "decisions" in request.GET else _DECISIONS + 1])
    start = (number - 1) * _VIDEOS_PER_PAGE
    context = {
        "here": "brands",
        "brand": brand,
        "state": state_of(brand),
        "known_by": KNOWN_BY[brand.first_source],
        "crop": _crop(brands_seen([brand.id]).get(brand.id), brand),
        "tiles": [
            ("On screen", length(figures.seconds), f"± {length(figures.uncertainty)}" if figures.seconds else ""),
            ("Videos", f"{figures.videos:,}", plural(figures.sightings, "stretch", "stretches")),
            ("Share of voice", f"{figures.share:.1%}", "of all brands' seconds"),
            ("Quality score", f"{figures.quality:.0f}" if figures.videos else "–", "mean, by seconds"),
        ],
        "seen_last": last_seen(parts),
        "videos": [_video(seen, brand) for seen in videos[start : start + _VIDEOS_PER_PAGE]],
        "merged": KnownBrand.objects.filter(id__in=parts[1:]).prefetch_related("aliases").order_by("canonical_name"),
        "logos": BrandLogo.objects.filter(brand_id__in=parts).order_by("id"),
        "decisions": [row_of(one, reader) for one in (told if "decisions" in request.GET else told[:_DECISIONS])],
        "more_decisions": len(told) > _DECISIONS and "decisions" not in request.GET,
        "number": number,
        "last": last,
        "newer": _address(request.GET, page=number - 1) if number > 1 else "",
        "older": _address(request.GET, page=number + 1) if number < last else "",
        "may_curate": reader.may(Role.CURATOR),
    }
    return render(request, "brands/page.html", context)


@require_POST
def brand_decide(request: HttpRequest, brand_id: UUID) -> HttpResponse:
    """Make the decision of a form (``action``, with what it is about behind a colon), and show the brand again."""
    try:
        decision = decide(_action(request.POST, brand_id), by=principal_of(request))
    except (MediaprocError, PermissionDenied) as error:
        messages.error(request, f"{_capital(str(error))}.")
    else:
        settled = f" Settles {settles(decision.seconds, decision.assets.count())}." if decision.items else ""
        messages.success(request, f"{_capital(decision.sentence)}.{settled}")
    there = brand_roots().get(brand_id, brand_id)
    return redirect("brand-page", there) if KnownBrand.objects.filter(id=there).exists() else redirect("brand-list")


@require_safe
def brand_logo(request: HttpRequest, logo_id: int) -> HttpResponse:  # noqa: ARG001
    """A reference picture, made small."""
    logo = get_object_or_404(BrandLogo, id=logo_id)
    try:
        response = HttpResponse(logo_thumbnail(logo), content_type="image/png")
    except MediaprocError as error:
        raise Http404(error.message) from error
    response.headers["Cache-Control"] = f"private, max-age={_KEEP_SECONDS}"
    return response


def _action(form: QueryDict, brand: UUID) -> Action:
    name, _, about = form.get("action", "").partition(":")
    make = _ACTIONS.get(name)
    if make is None:
        raise ConfigError(f"there is no decision {name!r}")
    try:
        return make(form, brand, about)
    except ValueError as error:
        raise ConfigError(f"{about!r} is no id") from error


_ACTIONS: dict[str, Callable[[QueryDict, UUID, str], Action]] = {
    "rename": lambda form, brand, about: Rename(brand, form.get("name", "").replace("\0", "")),
    "confirm": lambda form, brand, about: ConfirmBrands((brand,)),
    "reject": lambda form, brand, about: RejectBrands((brand,)),
    "unmerge": lambda form, brand, about: Unmerge(UUID(about)),
    "undo": lambda form, brand, about: Undo(_number(about)),
}


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ConfigError(f"{text!r} is no number")
    return int(text)


def _rows(brands: list[Any]) -> list[BrandRow]:
    ids = [brand.id for brand in brands]
    seen, logos = brands_seen(ids), brands_logos(ids)
    longest = max((brand.total_seconds for brand in brands), default=0.0) or 1.0
    return [
        BrandRow(
            brand=brand,
            state=state_of(brand),
            aliases=brand.alias_texts,
            crop=brand_choice(brand, seen.get(brand.id), logo=logos.get(brand.id)).crop,
            seconds=length(brand.total_seconds) if brand.total_videos else "",
            share=f"{100 * brand.total_seconds / longest:.2f}",
            videos=plural(brand.total_videos, "video"),
            seen=f"{brand.last_seen:%d %b %Y}" if brand.last_seen else "",
        )
        for brand in brands
    ]


def _video(seen: BrandAppearance, brand: KnownBrand) -> VideoRow:
    return VideoRow(
        name=source_name(seen.source_asset),
        page=reverse("job-page", args=[seen.job_id]),
        crop=_crop(seen, brand),
        seconds=length(seen.seconds),
        uncertainty=f"± {length(seen.seconds_uncertainty)}",
        share=f"{seen.share_of_voice:.0%}",
        quality=f"{seen.quality_score:.0f}",
        stretches=plural(seen.occurrences, "stretch", "stretches"),
        under="" if seen.brand_id == brand.id else seen.brand.canonical_name,
    )


def _crop(seen: BrandAppearance | None, brand: KnownBrand) -> str:
    return brand_choice(brand, seen).crop


def _tabs(query: QueryDict, counts: dict[State, int], state: State | None) -> list[dict[str, Any]]:
    everything = {"word": "All", "count": _brands_among(counts), "state": None}
    tabs = [everything, *({"word": one.label.capitalize(), "count": counts[one], "state": one} for one in State)]
    for tab in tabs:
        tab.update(here=tab["state"] == state, address=_address(query, state=tab["state"], page=None))
    return tabs


def _brands_among(counts: dict[State, int]) -> int:
    """What is a brand of its own, as far as anybody knows."""
    return counts[State.CONFIRMED] + counts[State.UNCONFIRMED]


def _page_number(text: str, total: int, size: int) -> tuple[int, int]:
    last = max(1, -(-total // size))
    return min(max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1, last), last


def _address(query: QueryDict, **changes: Any) -> str:
    changed = query.copy()
    for name, value in changes.items():
        changed.pop(name, None)
        if value is not None:
            changed[name] = str(value)
    return f"?{changed.urlencode()}"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
