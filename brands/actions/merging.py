"""Two brands are one, or are not after all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from brands.actions.base import Decider, Outcome
from brands.actions.claims import brand_get
from brands.actions.journal import Journal
from brands.models import DecisionKind, KnownBrand
from brands.selectors import brand_roots
from detect.errors import ConfigError, ConflictError, NotFoundError
from mediaproc.roles import Role


@dataclass(frozen=True)
class Merge:
    """Brands are the brand ``into``: their names and pictures mean it, their rows stay for an un-merge."""

    brand_ids: tuple[UUID, ...]
    into: UUID

    kind: ClassVar = DecisionKind.MERGE
    needs: ClassVar = Role.CURATOR

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        into = brand_get(self.into)
        merged = [brand_get(brand) for brand in dict.fromkeys(self.brand_ids)]
        merged = [brand for brand in {brand.id: brand for brand in merged}.values() if brand.id != into.id]
        if not merged:
            raise ConfigError("choose at least two different brands to merge")
        for brand in merged:
            journal.change(brand, merged_into=into)
        journal.change(into, confirmed=into.confirmed or any(brand.confirmed for brand in merged))
        names = ", ".join(brand.canonical_name for brand in merged)
        concerned = (into.id, *(brand.id for brand in merged))
        return Outcome(f"{names} merged into {into.canonical_name}", brand=into, brands=concerned)


@dataclass(frozen=True)
class Unmerge:
    """A brand that was merged into another is one of its own again, with all it had."""

    brand_id: UUID

    kind: ClassVar = DecisionKind.UNMERGE
    needs: ClassVar = Role.CURATOR

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        brand = KnownBrand.objects.select_for_update().filter(id=self.brand_id).first()
        if brand is None:
            raise NotFoundError(f"There is no brand {self.brand_id}.")
        if brand.merged_into_id is None:
            raise ConflictError(f"{brand.canonical_name} is not merged into another brand")
        into = KnownBrand.objects.get(id=brand_roots()[brand.id])
        journal.change(brand, merged_into=None)
        sentence = f"{brand.canonical_name} taken out of {into.canonical_name}"
        return Outcome(sentence, brand=brand, brands=(brand.id, into.id))
