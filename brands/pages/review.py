"""The queue: the page, more cards of it, and brands to choose from."""

from __future__ import annotations

from typing import Any

from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from brands.models import Decision, KnownBrand, ReviewGroup, ReviewItem
from brands.pages.cards import Card, brand_choice, cards_of, source_name
from brands.pages.filters import Filters, place_of, place_text
from brands.review.queue import Place, Waiting, brands_logos, brands_search, brands_seen, waiting
from detect.models import SourceAsset
from mediaproc.principal import principal_of
from mediaproc.roles import Role
from mediaproc.words import length, plural

_AT_ONCE = 12
_MOST_AT_ONCE = 50


@require_safe
def review_page(request: HttpRequest) -> HttpResponse:
    """The present group, those that come next, and what may be decided about them."""
    filters = Filters.of(request.GET)
    reader = principal_of(request)
    # before the groups are read: what is decided meanwhile is told after this number
    last = Decision.objects.aggregate(last=Max("id"))["last"] or 0
    context = {
        "here": "review",
        "video": _video(filters),
        "last": last,
        "reader": reader.name,
        "everything": waiting() if filters.query else None,
        **_cards(request, filters, filters.groups(after=_place(request)), _AT_ONCE),
    }
    return render(request, "review/page.html", context)


@require_safe
def review_cards(request: HttpRequest) -> HttpResponse:
    """Fragments: the cards behind a place (``after``), or of those ``ids`` that still wait and fit the filters."""
    filters = Filters.of(request.GET)
    wanted = _numbers(request.GET.get("ids", ""))
    groups = filters.groups(after=_place(request)) if wanted is None else filters.groups().filter(id__in=wanted)
    count = min(_numbers(request.GET.get("count", "")) or [_AT_ONCE])
    return render(request, "review/_cards.html", _cards(request, filters, groups, min(count, _MOST_AT_ONCE)))


@require_safe
def review_brands(request: HttpRequest) -> HttpResponse:
    """A fragment: brands by a part of a name or alias (``q``), to choose from."""
    found = brands_search(request.GET.get("q", "").replace("\0", ""))
    seen, logos = brands_seen(brand.id for brand in found), brands_logos(brand.id for brand in found)
    choices = [brand_choice(brand, seen.get(brand.id), _help(brand), logo=logos.get(brand.id)) for brand in found]
    return render(request, "review/_brands.html", {"choices": choices})


def totals(left: Waiting) -> dict[str, Any]:
    """What is left, as numbers and in words."""
    return {
        "groups": left.groups,
        "seconds": round(left.seconds, 3),
        "groups_words": plural(left.groups, "decision"),
        "seconds_words": length(left.seconds),
    }


def _cards(request: HttpRequest, filters: Filters, groups: QuerySet[ReviewGroup], count: int) -> dict[str, Any]:
    """The first ``count`` cards; ``next`` is the place behind them, empty where there are no more."""
    found = list(groups[: count + 1])
    cards: list[Card] = cards_of(found[:count])
    more = len(found) > count
    return {
        "filters": filters,
        "may_decide": principal_of(request).may(Role.REVIEWER),
        "cards": cards,
        "next": place_text(found[count - 1]) if more and count else "",
        "left": totals(waiting(filters.groups())),
    }


def _place(request: HttpRequest) -> Place | None:
    """Where to begin: behind a place (``after``), or at a group (``at``) that still waits."""
    at = _numbers(request.GET.get("at", ""))
    group = ReviewGroup.objects.filter(id=at[0]).first() if at else None
    return Place(group.open_seconds, group.id - 1) if group else place_of(request.GET.get("after", ""))


def _video(filters: Filters) -> str:
    """The name of the one video that is shown, if one is."""
    if filters.asset is not None:
        asset = SourceAsset.objects.filter(id=filters.asset).first()
    elif filters.job is not None:
        item = ReviewItem.objects.filter(job_id=filters.job).select_related("source_asset").first()
        asset = item.source_asset if item else None
    else:
        return ""
    return source_name(asset) if asset else "a video that leaves nothing to decide"


def _help(brand: KnownBrand) -> str:
    also = ", ".join(brand.alias_texts[:3])
    return " · ".join(part for part in (also and f"also {also}", "" if brand.confirmed else "unconfirmed") if part)


def _numbers(text: str) -> list[int] | None:
    """``1,2,3``; None where there is none."""
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and len(part) <= 18 for part in parts):
        return None
    return [int(part) for part in parts][:_MOST_AT_ONCE]
