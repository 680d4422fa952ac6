"""Totals over the accepted results of all videos."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Sum

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
    videos: dict[UUID, set[UUID]] = {}
    found = BrandAppearance.objects.order_by().values_list("brand_id")
    for part, total, sources in found.annotate(total=Sum("seconds"), sources=ArrayAgg("source_asset_id")):
        brand = roots.get(part, part)
        seconds[brand] = seconds.get(brand, 0.0) + total
        videos.setdefault(brand, set()).update(sources)
    longest = sorted(seconds, key=lambda brand: (-seconds[brand], str(brand)))[:limit]
    rows, best = KnownBrand.objects.in_bulk(longest), brands_seen(longest)
    return [BrandTotal(rows[brand], seconds[brand], len(videos[brand]), best[brand]) for brand in longest]
