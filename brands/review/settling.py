"""Which items wait for people: it follows from what is known, so that undoing a decision is undoing its facts.

An item is settled when its text is rejected, when a person resolved it for its source, or when its text or the brand
proposed for it is, or was merged into, a confirmed brand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, Sum

from brands.models import ItemState, KnownBrand, RejectedText, ResolvedText, ReviewGroup, ReviewItem
from brands.selectors import brand_roots, brands_by_text


@dataclass(frozen=True)
class Settled:
    """What came of looking at items again: how many were settled (less those opened again), and whose they are."""

    items: int
    seconds: float
    assets: set[UUID]
    groups: set[int]


def groups_settle(groups: Iterable[int]) -> Settled:
    """Bring groups in step with what a decision changed: whoever still sees them as they were decides on nothing."""
    groups = set(groups)
    settled = groups_settle_quietly(groups)
    ReviewGroup.objects.filter(id__in=groups).update(revision=F("revision") + 1)
    return settled


def groups_settle_quietly(groups: Iterable[int]) -> Settled:
    """Bring the items of groups, and the sums of the groups, in step with what is known now."""
    groups = set(groups)
    items = list(ReviewItem.objects.filter(group_id__in=groups).order_by("id"))
    facts = _Facts(items)
    changed = [(item, state) for item in items if (state := facts.state(item)) != item.state]
    signs = [1 if item.state == ItemState.OPEN else -1 if state == ItemState.OPEN else 0 for item, state in changed]
    seconds = sum(sign * item.seconds for sign, (item, _) in zip(signs, changed, strict=True))
    for item, state in changed:
        item.state = state
    ReviewItem.objects.bulk_update([item for item, _ in changed], ["state"])
    _sum(groups)
    return Settled(
        items=abs(sum(signs)),
        seconds=abs(seconds),
        assets={item.source_asset_id for item, _ in changed},
        groups={item.group_id for item, _ in changed},
    )


def _sum(groups: set[int]) -> None:
    waiting = ReviewItem.objects.filter(group_id__in=groups, state=ItemState.OPEN).order_by()
    sums = waiting.values("group_id").annotate(
        items=Count("id"), sources=Count("source_asset_id", distinct=True), total=Sum("seconds")
    )
    known = {row["group_id"]: row for row in sums}
    rows = list(ReviewGroup.objects.filter(id__in=groups))
    for group in rows:
        row = known.get(group.id)
        group.open_items, group.open_sources = (row["items"], row["sources"]) if row else (0, 0)
        group.open_seconds = row["total"] if row else 0.0
    ReviewGroup.objects.bulk_update(rows, ["open_items", "open_sources", "open_seconds"])


def groups_about(changes: Iterable[Mapping[str, Any]]) -> set[int]:
    """Groups with items whose state may follow from rows that were changed (``brands/actions/journal.py``)."""
    texts: set[str] = set()
    brands: set[str] = set()
    for change in changes:
        fields = [part for part in (change["before"], change["after"]) if part]
        if change["model"] == "knownbrand":
            brands.add(change["pk"])
        brands |= {str(part["brand"]) for part in fields if part.get("brand")}
        texts |= {part[name] for part in fields for name in ("normalized", "normalized_name") if part.get(name)}
        if change["model"] in ("rejectedtext", "resolvedtext"):
            texts |= {part["text"] for part in fields if "text" in part}
    ids = {UUID(brand) for brand in brands}
    ids |= {part for part, root in brand_roots().items() if root in ids}
    names = KnownBrand.objects.filter(id__in=ids).prefetch_related("aliases")
    for brand in names:
        texts |= {brand.normalized_name, *(alias.normalized for alias in brand.aliases.all())}
    return groups_with(texts, ids)


def groups_with(texts: Iterable[str], brands: Iterable[UUID] = ()) -> set[int]:
    """Groups that hold items with one of these normalised texts, or with one of these brands proposed."""
    about = Q(normalized__in=set(texts)) | Q(brand_id__in=set(brands))
    return set(ReviewItem.objects.filter(about).order_by().values_list("group_id", flat=True))


class _Facts:
    """What is known about the texts of some items, fetched in a fixed number of queries."""

    def __init__(self, items: list[ReviewItem]) -> None:
        texts = {item.normalized for item in items}
        proposed = {item.brand_id for item in items if item.brand_id is not None}
        self._rejected = set(RejectedText.objects.filter(text__in=texts).values_list("text", flat=True))
        resolved = ResolvedText.objects.filter(text__in=texts).order_by().values_list("source_asset_id", "text")
        self._resolved = set(resolved)
        self._named = brands_by_text(texts)
        self._roots = brand_roots()
        wanted = {*self._named.values(), *(self._roots.get(brand, brand) for brand in proposed)}
        known = KnownBrand.objects.filter(id__in=wanted, confirmed=True).order_by()
        self._confirmed = set(known.values_list("id", flat=True))

    def state(self, item: ReviewItem) -> ItemState:
        if item.normalized in self._rejected:
            return ItemState.REJECTED
        if (item.source_asset_id, item.normalized) in self._resolved:
            return ItemState.BRAND
        brand = self._named.get(item.normalized)
        if brand is None and item.brand_id is not None:
            brand = self._roots.get(item.brand_id, item.brand_id)
        return ItemState.BRAND if brand in self._confirmed else ItemState.OPEN
