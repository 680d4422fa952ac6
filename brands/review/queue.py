"""Reading what waits for people: groups in order of the seconds at stake, what each holds, what it may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from uuid import UUID

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Sum

from brands.models import BrandAlias, ItemState, KnownBrand, ReviewGroup, ReviewItem
from brands.selectors import brand_roots
from detect.matching import NameIndex, normalize
from detect.types import KnownBrandRecord

Kind = Literal["proposed", "undecided"]
_PICTURES = 12


@dataclass(frozen=True)
class Waiting:
    """Totals of the queue: how many decisions are left, and what they stand for."""

    groups: int
    items: int
    seconds: float


@dataclass(frozen=True)
class Guess:
    """A known brand that a group may be, with the similarity 0-1 of the nearest spelling."""

    brand: KnownBrand
    similarity: float


@dataclass(frozen=True)
class Shown:
    """A group with its open items, longest first and at most ``_PICTURES`` of them, and what it may be."""

    group: ReviewGroup
    items: list[ReviewItem]
    guesses: list[Guess]

    @property
    def proposed(self) -> KnownBrand | None:
        """The unconfirmed brand that a run proposed for it, if one did."""
        return next((item.brand for item in self.items if item.brand is not None), None)

    @property
    def spellings(self) -> list[str]:
        """How its items were read, each once, the group's own text aside."""
        texts = dict.fromkeys(item.text for item in self.items)
        return [text for text in texts if text != self.group.text]


def queue(*, text: str = "", asset: UUID | None = None, kind: Kind | None = None) -> QuerySet[ReviewGroup]:
    """Groups that wait, most seconds at stake first; with a part of a text, of one source, of one kind."""
    groups = ReviewGroup.objects.filter(open_items__gt=0).order_by("-open_seconds", "id")
    if text:
        groups = groups.filter(Q(text__icontains=text) | Q(folded__contains=normalize(text) or "\0"))
    items = ReviewItem.objects.filter(group=OuterRef("pk"), state=ItemState.OPEN)
    if asset is not None:
        items = items.filter(source_asset_id=asset)
    if kind is not None:
        items = items.filter(brand__isnull=kind == "undecided")
    return groups.filter(Exists(items)) if asset is not None or kind is not None else groups


def waiting(groups: QuerySet[ReviewGroup] | None = None) -> Waiting:
    """Totals of the queue, or of those of its groups that fit a filter."""
    found = (queue() if groups is None else groups).order_by()
    sums = found.aggregate(groups=Count("id"), items=Sum("open_items"), seconds=Sum("open_seconds"))
    return Waiting(sums["groups"], sums["items"] or 0, sums["seconds"] or 0.0)


def groups_show(groups: Sequence[ReviewGroup]) -> list[Shown]:
    """What to look at of each group, in a fixed number of queries."""
    items: dict[int, list[ReviewItem]] = {group.id: [] for group in groups}
    opened = ReviewItem.objects.filter(group_id__in=items, state=ItemState.OPEN)
    for item in opened.select_related("brand", "source_asset").order_by("group_id", "-seconds", "id"):
        if len(items[item.group_id]) < _PICTURES:
            items[item.group_id].append(item)
    names = _names()
    told = {group.id: names.suggest(group.text, limit=4, min_similarity=0.35) for group in groups}
    brands = {
        brand.canonical_name: brand
        for brand in KnownBrand.objects.filter(
            canonical_name__in={name for guesses in told.values() for name, _ in guesses},
            confirmed=True,
            merged_into=None,
        )
    }
    return [
        Shown(group, items[group.id], [Guess(brands[name], value) for name, value in told[group.id] if name in brands])
        for group in groups
    ]


def brands_search(text: str, *, limit: int = 8) -> list[KnownBrand]:
    """Brands whose name or an alias contains ``text`` in any spelling, those that begin with it first."""
    key = normalize(text)
    if not key:
        return []
    aliased = BrandAlias.objects.filter(brand=OuterRef("pk"), normalized__contains=key)
    found = KnownBrand.objects.filter(Q(normalized_name__contains=key) | Exists(aliased))
    roots = brand_roots()
    wanted = {roots.get(brand, brand) for brand in found.values_list("id", flat=True)[: 10 * limit]}
    brands = KnownBrand.objects.filter(id__in=wanted).prefetch_related("aliases")
    return sorted(
        brands,
        key=lambda brand: (
            not brand.normalized_name.startswith(key),
            not brand.confirmed,
            brand.canonical_name.lower(),
        ),
    )[:limit]


def _names() -> NameIndex:
    """All names of confirmed brands, kept until one of them changes."""
    newest = KnownBrand.objects.aggregate(count=Count("id"), changed=Max("updated_at"))
    aliases = BrandAlias.objects.aggregate(count=Count("id"), newest=Max("id"))
    return _index((*newest.values(), *aliases.values()))


@lru_cache(maxsize=1)
def _index(version: tuple[object, ...]) -> NameIndex:  # noqa: ARG001 - what it was made from
    brands = KnownBrand.objects.filter(confirmed=True, merged_into=None).prefetch_related("aliases")
    return NameIndex([KnownBrandRecord(brand.canonical_name, tuple(brand.alias_texts)) for brand in brands])
