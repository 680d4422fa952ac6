"""Totals over the accepted results of all videos."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Sum

from brands.models import BrandAppearance, KnownBrand
from brands.review.queue import brands_seen
from brands.selectors import brand_roots


@dataclass(frozen=True)
class BrandTotal:
    """A brand with what was merged into it: seconds on screen over all videos, how many those are, its best picture."""

    brand: KnownBrand
    seconds: float
    videos: int
    best: BrandAppearance


def brands_by_seconds(*, limit: int) -> list[BrandTotal]:
    """The brands that were longest on screen; in a fixed number of queries."""
    roots = brand_roots()
    seconds: dict[UUID, float] = {}
    videos: dict[UUID, int] = {}
    found = BrandAppearance.objects.order_by().values_list("brand_id")
    for part, total, sources in found.annotate(total=Sum("seconds"), sources=Count("id")):
        brand = roots.get(part, part)
        seconds[brand] = seconds.get(brand, 0.0) + total
        videos[brand] = videos.get(brand, 0) + sources
    longest = sorted(seconds, key=lambda brand: (-seconds[brand], str(brand)))[:limit]
    videos |= _videos_of_merged({part: root for part, root in roots.items() if root in longest})
    rows, best = KnownBrand.objects.in_bulk(longest), brands_seen(longest)
    return [BrandTotal(rows[brand], seconds[brand], videos[brand], best[brand]) for brand in longest]


def _videos_of_merged(roots: dict[UUID, UUID]) -> dict[UUID, int]:
    """In how many videos brands are with what was merged into them: one may show several of them."""
    sources: dict[UUID, set[UUID]] = {root: set() for root in roots.values()}
    shown = BrandAppearance.objects.filter(brand_id__in={*roots, *sources}).order_by() if roots else ()
    for appearance in shown:
        sources[roots.get(appearance.brand_id, appearance.brand_id)].add(appearance.source_asset_id)
    return {root: len(found) for root, found in sources.items()}
