"""What decisions are about in one video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from brands.models import BrandAppearance, ItemState, ReviewItem
from brands.selectors import brand_roots
from jobs.results.updates import Outdated


@dataclass(frozen=True)
class Stake:
    """Texts that were settled since, brands that are others or confirmed since, and their seconds on screen."""

    texts: int
    brands: int
    seconds: float


@dataclass(frozen=True)
class _Settled:
    group: int
    brand: UUID | None
    seconds: float


def stakes_of(outdated: Sequence[Outdated]) -> list[Stake]:
    """For each result what the decisions since it was made are about; in three queries."""
    assets = [one.result.source_asset_id for one in outdated]
    settled: dict[UUID, list[_Settled]] = {asset: [] for asset in assets}
    items = ReviewItem.objects.filter(source_asset_id__in=assets).exclude(state=ItemState.OPEN).order_by()
    for asset, group, proposed, seconds in items.values_list("source_asset_id", "group_id", "brand_id", "seconds"):
        settled[asset].append(_Settled(group, proposed, seconds))
    shown: dict[UUID, dict[UUID, float]] = {asset: {} for asset in assets}
    appearances = BrandAppearance.objects.filter(source_asset_id__in=assets).order_by()
    for asset, brand, seconds in appearances.values_list("source_asset_id", "brand_id", "seconds"):
        shown[asset][brand] = seconds
    roots = brand_roots()
    return [_stake(one, settled[asset], shown[asset], roots) for one, asset in zip(outdated, assets, strict=True)]


def _stake(one: Outdated, settled: list[_Settled], shown: dict[UUID, float], roots: dict[UUID, UUID]) -> Stake:
    groups = {group for decision in one.decisions for group in decision.groups}
    items = [item for item in settled if item.group in groups]
    brands = {decision.brand_id for decision in one.decisions} | {item.brand for item in items}
    about = [seconds for brand, seconds in shown.items() if {brand, roots.get(brand)} & (brands - {None})]
    texts = [item.seconds for item in items if item.brand is None]
    return Stake(len(texts), len(about), sum(texts) + sum(about))
