"""It is a brand, spelled as it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from brands.actions.base import Decider, Outcome
from brands.actions.claims import ClaimedGroup, GroupRef, brand_get, brand_make, groups_claim, items_claim
from brands.actions.journal import Journal
from brands.models import DecisionKind, KnownBrand
from mediaproc.roles import Role


@dataclass(frozen=True)
class Confirm:
    """Each group is a brand: the one proposed for it, else a new one by its text."""

    groups: tuple[GroupRef, ...]

    kind: ClassVar = DecisionKind.CONFIRM
    needs: ClassVar = Role.REVIEWER

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        claimed = groups_claim(self.groups)
        brands = [_confirm(journal, one) for one in claimed]
        names = ", ".join(dict.fromkeys(brand.canonical_name for brand in brands))
        return Outcome(
            f"{names} confirmed",
            brand=brands[0] if len(brands) == 1 else None,
            groups=tuple(ref.id for ref in self.groups),
            brands=tuple(brand.id for brand in brands),
        )


def _confirm(journal: Journal, claimed: ClaimedGroup) -> KnownBrand:
    proposed = next((item.brand for item in claimed.items if item.brand is not None), None)
    if proposed is None:
        brand = brand_make(journal, claimed.group.text)
    else:
        brand = brand_get(proposed.id)
        journal.change(brand, confirmed=True)
    items_claim(journal, brand, claimed.items)
    return brand
