"""Brands that people recognised in one video."""

from __future__ import annotations

from uuid import UUID

from brands.actions.journal import is_in_force, undoings
from brands.models import Decision, DecisionKind, ItemState, ReviewItem
from brands.selectors import brand_roots, brands_by_text
from detect.models import SourceAsset


def brands_recognised(asset: SourceAsset) -> set[UUID]:
    """The brands that decisions in force say the source shows where its accepted result had left it open."""
    undone = undoings()
    made = Decision.objects.filter(assets=asset).exclude(kind=DecisionKind.UNDO).order_by()
    decided = made.values_list("id", "groups")
    groups = {group for decision, settled in decided if is_in_force(decision, undone) for group in settled}
    items = ReviewItem.objects.filter(source_asset=asset, group_id__in=groups, state=ItemState.BRAND).order_by()
    rows = list(items.values_list("normalized", "brand_id"))
    meant, roots = brands_by_text(text for text, _ in rows), brand_roots()
    proposed = {brand for _, brand in rows if brand is not None}
    return set(meant.values()) | {roots.get(brand, brand) for brand in proposed}
