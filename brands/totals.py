"""Figures of brands over all videos: sums of what the accepted result of each says.

A brand's figures are those of its own row and of every row merged into it. They are worked out in the query that
lists brands, from indexes alone, so that a list can be sorted by any of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import (
    Avg,
    Count,
    DateTimeField,
    F,
    FloatField,
    Func,
    IntegerField,
    QuerySet,
    Sum,
)

from brands.models import BrandAppearance, KnownBrand, SourceBrandSighting


class _Shown(Func):
    """A figure over what videos show of a brand and of all that was merged into it, however many merges lead there."""

    template = (
        "(WITH RECURSIVE part(id) AS (SELECT %(expressions)s UNION"
        " SELECT merged.id FROM brands_knownbrand merged JOIN part ON merged.merged_into_id = part.id)"
        " SELECT %(figure)s FROM brands_brandappearance seen WHERE seen.brand_id IN (SELECT id FROM part))"
    )


class _LastSeen(Func):
    """When the newest sighting of a brand, or of what was merged into it, was made."""

    template = (
        "(WITH RECURSIVE part(id) AS (SELECT %(expressions)s UNION"
        " SELECT merged.id FROM brands_knownbrand merged JOIN part ON merged.merged_into_id = part.id)"
        " SELECT max(newest.at) FROM part, LATERAL (SELECT created_at AS at FROM brands_sourcebrandsighting"
        " WHERE brand_id = part.id ORDER BY created_at DESC LIMIT 1) newest)"
    )


@dataclass(frozen=True)
class Figures:
    """What all videos together say of a brand.

    ``uncertainty`` is of the seconds: the videos' own, which do not depend on one another, together. ``share`` is of
    the seconds of all brands, ``quality`` the mean of the videos' scores by seconds.
    """

    seconds: float
    uncertainty: float
    videos: int
    sightings: int
    share: float
    quality: float


def with_totals(brands: QuerySet[KnownBrand]) -> QuerySet[KnownBrand]:
    """Brands with ``total_seconds``, ``total_videos``, ``total_sightings`` (stretches of time) and ``last_seen``."""
    return brands.annotate(
        total_seconds=_Shown(F("pk"), figure="coalesce(sum(seen.seconds), 0)", output_field=FloatField()),
        total_videos=_Shown(F("pk"), figure="count(DISTINCT seen.source_asset_id)", output_field=IntegerField()),
        total_sightings=_Shown(F("pk"), figure="coalesce(sum(seen.occurrences), 0)", output_field=IntegerField()),
        last_seen=_LastSeen(F("pk"), output_field=DateTimeField()),
    )


def figures_of(parts: Sequence[UUID]) -> Figures:
    """Figures of one brand, by the ids of its row and of those merged into it."""
    shown = BrandAppearance.objects.filter(brand_id__in=parts).order_by()
    sums = shown.aggregate(
        total=Sum("seconds", default=0.0),
        variance=Sum(F("seconds_uncertainty") * F("seconds_uncertainty"), default=0.0),
        videos=Count("source_asset_id", distinct=True),
        stretches=Sum("occurrences", default=0),
        weighted=Sum(F("seconds") * F("quality_score"), default=0.0),
        plain=Avg("quality_score", default=0.0),
    )
    everything = BrandAppearance.objects.order_by().aggregate(total=Sum("seconds", default=0.0))["total"]
    return Figures(
        seconds=sums["total"],
        uncertainty=math.sqrt(sums["variance"]),
        videos=sums["videos"],
        sightings=sums["stretches"],
        share=sums["total"] / everything if everything else 0.0,
        quality=sums["weighted"] / sums["total"] if sums["total"] else sums["plain"],
    )


def seconds_by_brand() -> dict[UUID, float]:
    """Seconds over all videos of every row that has any, without what was merged into it; in one query."""
    rows = BrandAppearance.objects.order_by().values("brand_id").annotate(total=Sum("seconds"))
    return dict(rows.values_list("brand_id", "total"))


def videos_with(parts: Sequence[UUID]) -> QuerySet[BrandAppearance]:
    """What each video shows of a brand, longest first; once more for each merged row that a video shows."""
    shown = BrandAppearance.objects.filter(brand_id__in=parts).select_related("source_asset", "brand")
    return shown.order_by("-seconds", "id")


def last_seen(parts: Sequence[UUID]) -> datetime | None:
    """When a run found the brand in the last of the videos in which one did."""
    newest = SourceBrandSighting.objects.filter(brand_id__in=parts).order_by("-created_at").first()
    return newest.created_at if newest else None
