"""What brands are taken for as a whole, whatever waits for review: known, no brands, or not to be had at all."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from brands.actions.base import Decider, Outcome
from brands.actions.claims import brand_make, brand_named, checked_name, text_claim
from brands.actions.journal import Journal
from brands.models import BrandAlias, DecisionKind, DistinctBrands, KnownBrand, RejectedText
from brands.selectors import brand_parts, brand_roots
from detect.errors import ConfigError, ConflictError, NotFoundError
from mediaproc.roles import Role

_NAMED = 3


@dataclass(frozen=True)
class AddBrand:
    """A brand that no video has shown yet is known, confirmed, by this name and these other spellings."""

    name: str
    aliases: tuple[str, ...] = ()

    kind: ClassVar = DecisionKind.NEW_BRAND
    needs: ClassVar = Role.CURATOR

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        found = brand_named(checked_name(self.name))
        if found is not None and found.confirmed:
            raise ConflictError(f"{found.canonical_name} is known already: edit that brand")
        brand = brand_make(journal, self.name)
        unreject(journal, [brand.normalized_name])
        for text in self.aliases:
            text_claim(journal, brand, checked_name(text))
        return Outcome(f"{brand.canonical_name} added", brand=brand, brands=(brand.id,))


@dataclass(frozen=True)
class ConfirmBrands:
    """These are brands, and none of their names is a text that was rejected."""

    brand_ids: tuple[UUID, ...]

    kind: ClassVar = DecisionKind.CONFIRM
    needs: ClassVar = Role.CURATOR

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        brands = _chosen(self.brand_ids)
        for brand in brands:
            journal.change(brand, confirmed=True)
        unreject(journal, _spellings(brands))
        return _outcome(f"{_names(brands)} confirmed", brands)


@dataclass(frozen=True)
class RejectBrands:
    """These are no brands, wherever any of their names is read."""

    brand_ids: tuple[UUID, ...]

    kind: ClassVar = DecisionKind.REJECT
    needs: ClassVar = Role.CURATOR

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        brands = _chosen(self.brand_ids)
        for brand in brands:
            journal.change(brand, confirmed=False)
        texts = _spellings(brands)
        known = set(RejectedText.objects.filter(text__in=texts).values_list("text", flat=True))
        for text in sorted(texts - known):
            journal.create(RejectedText(text=text))
        return _outcome(f"{_names(brands)} rejected", brands)


@dataclass(frozen=True)
class KeepApart:
    """These brands are different ones, however alike they are spelled."""

    brand_ids: tuple[UUID, ...]

    kind: ClassVar = DecisionKind.DISTINCT
    needs: ClassVar = Role.CURATOR

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        brands = _chosen(self.brand_ids)
        if len(brands) < 2:
            raise ConfigError("choose at least two different brands to keep apart")
        ids = sorted(brand.id for brand in brands)
        known = set(DistinctBrands.objects.filter(first__in=ids, second__in=ids).values_list("first_id", "second_id"))
        for pair in itertools.combinations(ids, 2):
            if pair not in known:
                journal.create(DistinctBrands(first_id=pair[0], second_id=pair[1]))
        return Outcome(f"{_names(brands)} are not the same")


@dataclass(frozen=True)
class DeleteBrand:
    """A brand that nothing refers to is gone, with its spellings and pictures."""

    brand_id: UUID

    kind: ClassVar = DecisionKind.DELETE
    needs: ClassVar = Role.CURATOR

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        brand = KnownBrand.objects.select_for_update().filter(id=self.brand_id).first()
        if brand is None:
            raise NotFoundError(f"There is no brand {self.brand_id}.")
        reasons = references(brand)
        if reasons:
            raise ConflictError(
                f"{brand.canonical_name} cannot be deleted: {', '.join(reasons)}. "
                "Merge it into the brand that it is, or reject it if it is none."
            )
        pairs = DistinctBrands.objects.filter(first=brand) | DistinctBrands.objects.filter(second=brand)
        for row in (*pairs.order_by("id"), *brand.aliases.all(), *brand.logos.order_by("id")):
            journal.remove(row)
        journal.remove(brand)
        return Outcome(f"{brand.canonical_name} deleted")


def references(brand: KnownBrand) -> list[str]:
    """What would be lost or left hanging without a brand, in words; nothing where it may be deleted."""
    counts = {
        "merged into another brand": int(brand.merged_into_id is not None),
        "brand{s} merged into it": brand.merged.count(),
        "video{s} with it in the result": brand.appearances.count(),
        "video{s} in which a run has seen it": brand.sightings.count(),
        "candidate{s} proposed as it": brand.review_items.count(),
        "misreading{s} that a person took for it": brand.resolved_texts.count(),
    }
    return [
        word if "{s}" not in word else f"{count} {word.format(s='' if count == 1 else 's')}"
        for word, count in counts.items()
        if count
    ]


def unreject(journal: Journal, texts: Iterable[str]) -> None:
    """Normalised texts are not rejected any more."""
    for row in RejectedText.objects.filter(text__in=set(texts)).order_by("text"):
        journal.remove(row)


def _chosen(ids: Sequence[UUID]) -> list[KnownBrand]:
    """Brands by their ids, merged ones as the brand they are, each once."""
    if not ids:
        raise ConfigError("no brand was chosen")
    roots = brand_roots()
    wanted = {roots.get(brand, brand) for brand in ids}
    brands = list(KnownBrand.objects.select_for_update().filter(id__in=wanted).order_by("canonical_name", "id"))
    if len(brands) < len(wanted):
        raise NotFoundError("One of these brands is gone: look at the list again.")
    return brands


def _spellings(brands: Iterable[KnownBrand]) -> set[str]:
    """Every normalised text that means one of these, by what was merged into them too."""
    ids = [part for parts in brand_parts(brand.id for brand in brands).values() for part in parts]
    names = KnownBrand.objects.filter(id__in=ids).order_by().values_list("normalized_name", flat=True)
    aliases = BrandAlias.objects.filter(brand_id__in=ids).order_by().values_list("normalized", flat=True)
    return {*names, *aliases}


def _names(brands: Sequence[KnownBrand]) -> str:
    """The first few by name, the others by their number."""
    named = [brand.canonical_name for brand in brands]
    if len(named) <= _NAMED + 1:
        return ", ".join(named)
    return f"{', '.join(named[:_NAMED])} and {len(named) - _NAMED} other brands"


def _outcome(sentence: str, brands: Sequence[KnownBrand]) -> Outcome:
    only = brands[0] if len(brands) == 1 else None
    return Outcome(sentence, brand=only, brands=tuple(brand.id for brand in brands))
