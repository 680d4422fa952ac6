"""All brands, as people list and look for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, TextChoices

from brands.models import BrandAlias, KnownBrand, RejectedText, Source
from brands.selectors import brand_roots
from brands.totals import with_totals
from detect.matching import normalize


class State(TextChoices):
    """What a brand is taken for. One whose name was rejected is none, whatever else is said of it."""

    CONFIRMED = "confirmed", "confirmed"
    UNCONFIRMED = "unconfirmed", "unconfirmed"
    REJECTED = "rejected", "rejected"
    MERGED = "merged", "merged"


#: How a brand came to be known, said of the brand.
KNOWN_BY: dict[str, str] = {
    Source.OCR: "first read on screen",
    Source.LOGO: "first found by a reference picture",
    Source.LOCAL_VLM: "first named by a local model",
    Source.CLOUD_LLM: "first named by a cloud model",
    Source.MANUAL: "named by a person",
}

_IS: dict[State, Q] = {
    State.CONFIRMED: Q(merged_into=None, is_rejected=False, confirmed=True),
    State.UNCONFIRMED: Q(merged_into=None, is_rejected=False, confirmed=False),
    State.REJECTED: Q(merged_into=None, is_rejected=True),
    State.MERGED: Q(merged_into__isnull=False),
}


def brands_listed(brands: QuerySet[KnownBrand] | None = None) -> QuerySet[KnownBrand]:
    """Brands with ``is_rejected``: whether a person said that what they are called is no brand."""
    rejected = RejectedText.objects.filter(text=OuterRef("normalized_name"))
    return (KnownBrand.objects.all() if brands is None else brands).annotate(is_rejected=Exists(rejected))


def in_state(brands: QuerySet[KnownBrand], state: State | None) -> QuerySet[KnownBrand]:
    """Those of :func:`brands_listed` in one state; all that are not merged where None is given."""
    return brands.filter(Q(merged_into=None) if state is None else _IS[state])


def state_of(brand: Any) -> State:
    """The state of one of :func:`brands_listed`."""
    if brand.merged_into_id is not None:
        return State.MERGED
    if brand.is_rejected:
        return State.REJECTED
    return State.CONFIRMED if brand.confirmed else State.UNCONFIRMED


def count_by_state(brands: QuerySet[KnownBrand]) -> dict[State, int]:
    """How many of :func:`brands_listed` are in each state, in one query."""
    counts = {f"count_{state.value}": Count("pk", filter=rule) for state, rule in _IS.items()}
    found = brands.order_by().aggregate(**counts)
    return {state: found[f"count_{state.value}"] for state in State}


def page_of(brands: QuerySet[KnownBrand], start: int, stop: int) -> list[KnownBrand]:
    """A stretch of a list of brands, as :func:`brands_shown` gives them."""
    return brands_shown(list(brands.values_list("id", flat=True)[start:stop]))


def brands_shown(ids: Sequence[UUID]) -> list[KnownBrand]:
    """Brands by their ids, in that order, with their state, figures and aliases; no others are worked out."""
    rows = with_totals(brands_listed(KnownBrand.objects.filter(id__in=ids)))
    found = {brand.id: brand for brand in rows.select_related("merged_into").prefetch_related("aliases")}
    return [found[brand] for brand in ids if brand in found]


def brands_matching(brands: QuerySet[KnownBrand], text: str) -> QuerySet[KnownBrand]:
    """Those with a part of a name or alias, in any spelling: their own, or of what was merged into them."""
    if not text:
        return brands
    named = KnownBrand.objects.filter(_named(text))
    roots = brand_roots()
    merged = set(named.exclude(merged_into=None).order_by().values_list("id", flat=True))
    return brands.filter(_named(text) | Q(id__in={roots[part] for part in merged}))


def _named(text: str) -> Q:
    key = normalize(text)
    if key:
        aliases = BrandAlias.objects.filter(brand=OuterRef("pk"), normalized__contains=key)
        return Q(normalized_name__contains=key) | Q(Exists(aliases))
    aliases = BrandAlias.objects.filter(brand=OuterRef("pk"), text__icontains=text)
    return Q(canonical_name__icontains=text) | Q(Exists(aliases))
