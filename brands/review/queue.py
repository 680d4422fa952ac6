"""Reading what waits for people: groups in order of the seconds at stake, what each holds, what it may be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from uuid import UUID

import numpy as np
from django.db.models import Case, Count, Exists, F, Max, OuterRef, Q, QuerySet, Sum, When, Window
from django.db.models.functions import RowNumber
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from brands.models import BrandAlias, BrandAppearance, BrandLogo, ItemState, KnownBrand, ReviewGroup, ReviewItem
from brands.selectors import brand_roots
from detect.matching import fold, normalize

Kind = Literal["proposed", "undecided"]
_PICTURES = 12
_GUESSES = 4
_LEAST_SIMILAR = 0.5


@dataclass(frozen=True)
class Waiting:
    """Totals of the queue: how many decisions are left, and what they stand for."""

    groups: int
    items: int
    seconds: float


@dataclass(frozen=True)
class Place:
    """A place in the queue: right behind a group that had so many seconds at stake."""

    seconds: float
    group: int


@dataclass(frozen=True)
class Guess:
    """A known brand that a group may be, the similarity 0-1 of its nearest spelling, and what it looks like.

    ``seen`` is where it was on screen longest, ``logo`` the id of a reference picture.
    """

    brand: KnownBrand
    similarity: float
    seen: BrandAppearance | None
    logo: int | None


@dataclass(frozen=True)
class Shown:
    """A group with its longest open items, at most ``_PICTURES`` of them, how it was read, and what it may be.

    ``spellings`` are those of all its open items, most seconds first, its own text aside.
    """

    group: ReviewGroup
    items: list[ReviewItem]
    spellings: list[str]
    guesses: list[Guess]

    @property
    def proposed(self) -> KnownBrand | None:
        """The unconfirmed brand that a run proposed for it, if one did."""
        return next((item.brand for item in self.items if item.brand is not None), None)


def queue(
    *,
    text: str = "",
    asset: UUID | None = None,
    job: UUID | None = None,
    kind: Kind | None = None,
    after: Place | None = None,
) -> QuerySet[ReviewGroup]:
    """Groups that wait, most seconds at stake first.

    With a part of a text, of one source or the result of one job, of one kind, behind a place.
    """
    groups = ReviewGroup.objects.filter(open_items__gt=0).order_by("-open_seconds", "id")
    if text:
        spelled = Q(folded__contains=fold(text)) if fold(text) else Q()
        groups = groups.filter(Q(text__icontains=text) | spelled)
    if after is not None:
        groups = groups.filter(Q(open_seconds__lt=after.seconds) | Q(open_seconds=after.seconds, id__gt=after.group))
    wanted: dict[str, object] = {}
    if asset is not None:
        wanted["source_asset_id"] = asset
    if job is not None:
        wanted["job_id"] = job
    if kind is not None:
        wanted["brand__isnull"] = kind == "undecided"
    if not wanted:
        return groups
    return groups.filter(Exists(ReviewItem.objects.filter(group=OuterRef("pk"), state=ItemState.OPEN, **wanted)))


def waiting(groups: QuerySet[ReviewGroup] | None = None) -> Waiting:
    """Totals of the queue, or of those of its groups that fit a filter."""
    found = (queue() if groups is None else groups).order_by()
    sums = found.aggregate(groups=Count("id"), items=Sum("open_items"), seconds=Sum("open_seconds"))
    return Waiting(sums["groups"], sums["items"] or 0, sums["seconds"] or 0.0)


def groups_show(groups: Sequence[ReviewGroup]) -> list[Shown]:
    """What to look at of each group, in a fixed number of queries."""
    ids = [group.id for group in groups]
    items, spellings, guesses = _items(ids), _spellings(ids), _guesses(groups)
    return [
        Shown(group, items[group.id], [text for text in spellings[group.id] if text != group.text], guesses[group.id])
        for group in groups
    ]


def _items(groups: Collection[int]) -> defaultdict[int, list[ReviewItem]]:
    place = Window(RowNumber(), partition_by=F("group_id"), order_by=[F("seconds").desc(), F("id")])
    opened = ReviewItem.objects.filter(group_id__in=groups, state=ItemState.OPEN).annotate(place=place)
    found: defaultdict[int, list[ReviewItem]] = defaultdict(list)
    for item in opened.filter(place__lte=_PICTURES).select_related("brand", "source_asset").order_by("place"):
        found[item.group_id].append(item)
    return found


def _spellings(groups: Collection[int]) -> defaultdict[int, list[str]]:
    opened = ReviewItem.objects.filter(group_id__in=groups, state=ItemState.OPEN).order_by()
    texts = opened.values("group_id", "text").annotate(total=Sum("seconds")).order_by("-total", "text")
    found: defaultdict[int, list[str]] = defaultdict(list)
    for row in texts:
        found[row["group_id"]].append(row["text"])
    return found


def _guesses(groups: Sequence[ReviewGroup]) -> dict[int, list[Guess]]:
    told = dict(zip((group.id for group in groups), _alike([group.folded for group in groups]), strict=True))
    wanted = {brand for alike in told.values() for brand in alike}
    brands = KnownBrand.objects.in_bulk(wanted)
    seen, logos = brands_seen(wanted), brands_logos(wanted)
    return {
        group: [
            Guess(brands[brand], value, seen.get(brand), logos.get(brand))
            for brand, value in alike.items()
            if brand in brands
        ]
        for group, alike in told.items()
    }


def _alike(texts: Sequence[str]) -> list[dict[UUID, float]]:
    """For each folded text the confirmed brands that are spelled most like it, most alike first."""
    names = _names()
    if not texts or not names:
        return [{} for _ in texts]
    spellings = [spelling for spelling, _ in names]
    scorer = Levenshtein.normalized_similarity
    found: list[dict[UUID, float]] = []
    for row in process.cdist(texts, spellings, scorer=scorer, score_cutoff=_LEAST_SIMILAR):
        alike: dict[UUID, float] = {}
        for place in np.argsort(-row, kind="stable"):
            if row[place] <= 0 or len(alike) == _GUESSES:
                break
            alike.setdefault(names[place][1], float(row[place]))
        found.append(alike)
    return found


def brands_seen(brands: Iterable[UUID]) -> dict[UUID, BrandAppearance]:
    """Where each of some brands, or what was merged into it, was on screen longest; none for one never seen."""
    wanted = set(brands)
    if not wanted:
        return {}
    roots = {part: root for part, root in brand_roots().items() if root in wanted}
    shown = BrandAppearance.objects.filter(brand_id__in=wanted | set(roots)).order_by("brand_id", "-seconds")
    found: dict[UUID, BrandAppearance] = {}
    for appearance in shown.distinct("brand_id"):
        brand = roots.get(appearance.brand_id, appearance.brand_id)
        if brand not in found or found[brand].seconds < appearance.seconds:
            found[brand] = appearance
    return found


def brands_logos(brands: Iterable[UUID]) -> dict[UUID, int]:
    """The id of the newest reference picture of each of some brands that has one of its own."""
    pictures = BrandLogo.objects.filter(brand_id__in=set(brands)).order_by("id")
    return dict(pictures.values_list("brand_id", "id"))


def brands_search(text: str, *, limit: int = 8) -> list[KnownBrand]:
    """Brands whose name or an alias contains ``text`` in any spelling, those that begin with it first."""
    key = normalize(text)
    if not key:
        return []
    aliased = BrandAlias.objects.filter(brand=OuterRef("pk"), normalized__contains=key)
    first = Case(When(normalized_name__startswith=key, then=0), default=1)
    found = KnownBrand.objects.filter(Q(normalized_name__contains=key) | Exists(aliased))
    found = found.order_by(first, "canonical_name")
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


def _names() -> list[tuple[str, UUID]]:
    """All folded names and aliases of confirmed brands with the brand each means, kept until one of them changes."""
    newest = KnownBrand.objects.aggregate(count=Count("id"), changed=Max("updated_at"))
    aliases = BrandAlias.objects.aggregate(count=Count("id"), newest=Max("id"))
    return _names_at((*newest.values(), *aliases.values()))


@lru_cache(maxsize=1)
def _names_at(version: tuple[object, ...]) -> list[tuple[str, UUID]]:  # noqa: ARG001 - what it was made from
    confirmed = set(KnownBrand.objects.filter(confirmed=True, merged_into=None).order_by().values_list("id", flat=True))
    roots = brand_roots()
    names = KnownBrand.objects.order_by("normalized_name").values_list("canonical_name", "id")
    aliases = BrandAlias.objects.order_by("id").values_list("text", "brand_id")
    meant = ((fold(text), roots.get(brand, brand)) for text, brand in (*names, *aliases))
    return [(text, brand) for text, brand in meant if text and brand in confirmed]
