"""Names of brands: giving a group one, making it a spelling of a known one, renaming, other spellings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from brands.actions.base import Decider, Outcome
from brands.actions.claims import (
    ClaimedGroup,
    GroupRef,
    brand_get,
    brand_make,
    brand_named,
    checked_name,
    groups_claim,
    items_claim,
    text_claim,
)
from brands.actions.journal import Journal
from brands.models import BrandAlias, DecisionKind, KnownBrand
from brands.models.known import name_key
from detect.errors import ConflictError
from mediaproc.roles import Role


@dataclass(frozen=True)
class NewBrand:
    """All groups are one brand that was not known, called ``name``; what they were read as becomes its aliases."""

    groups: tuple[GroupRef, ...]
    name: str

    kind: ClassVar = DecisionKind.NEW_BRAND
    needs: ClassVar = Role.REVIEWER

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        claimed = groups_claim(self.groups)
        name = checked_name(self.name)
        found = brand_named(name)
        if found is not None and found.confirmed:
            raise ConflictError(f"{found.canonical_name} is known already: make it an alias of that brand")
        proposed = _only_proposed(claimed)
        if found is None and proposed is not None:
            rename(journal, proposed, name)
            journal.change(proposed, confirmed=True)
            brand = proposed
        else:
            brand = brand_make(journal, name)
        _claim_groups(journal, brand, claimed)
        return _told(f"{_listed(claimed)} is {brand.canonical_name}, a new brand", brand, self.groups)


@dataclass(frozen=True)
class AliasOf:
    """All groups are a brand that is known: their texts become its aliases."""

    groups: tuple[GroupRef, ...]
    brand_id: UUID

    kind: ClassVar = DecisionKind.ALIAS
    needs: ClassVar = Role.REVIEWER

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        claimed = groups_claim(self.groups)
        brand = brand_get(self.brand_id)
        journal.change(brand, confirmed=True)
        _claim_groups(journal, brand, claimed)
        return _told(f"{_listed(claimed)} is {brand.canonical_name}", brand, self.groups)


@dataclass(frozen=True)
class Rename:
    """A brand has another name; the one it had stays as an alias."""

    brand_id: UUID
    name: str

    kind: ClassVar = DecisionKind.RENAME
    needs: ClassVar = Role.CURATOR

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        brand = brand_get(self.brand_id)
        before = brand.canonical_name
        rename(journal, brand, checked_name(self.name))
        return Outcome(f"{before} renamed {brand.canonical_name}", brand=brand, brands=(brand.id,))


@dataclass(frozen=True)
class EditBrand:
    """A brand has these other spellings, and is confirmed or not."""

    brand_id: UUID
    aliases: tuple[str, ...]
    confirmed: bool

    kind: ClassVar = DecisionKind.EDIT
    needs: ClassVar = Role.CURATOR

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        brand = brand_get(self.brand_id)
        journal.change(brand, confirmed=self.confirmed)
        wanted = {name_key(checked_name(text)): text.strip() for text in self.aliases}
        wanted.pop(brand.normalized_name, None)
        has = {alias.normalized: alias for alias in brand.aliases.all()}
        gone = [alias for key, alias in has.items() if key not in wanted]
        new = [text for key, text in wanted.items() if key not in has]
        for alias in gone:
            journal.remove(alias)
        for key, text in wanted.items():
            if key in has:
                journal.change(has[key], text=text)
        for text in new:
            text_claim(journal, brand, text)
        parts = [
            *(f"alias {text}" for text in new),
            *(f"without alias {alias.text}" for alias in gone),
            "confirmed" if self.confirmed else "unconfirmed",
        ]
        return Outcome(f"{brand.canonical_name} edited: {', '.join(parts)}", brand=brand, brands=(brand.id,))


def rename(journal: Journal, brand: KnownBrand, name: str) -> None:
    """Give a brand another name and keep the old one as an alias. Raises ``ConflictError`` for a name that is taken."""
    key, old_key, old_name = name_key(name), brand.normalized_name, brand.canonical_name
    other = brand_named(name)
    if other is not None and other.id != brand.id:
        raise ConflictError(f"{other.canonical_name} has that name already: merge the two brands if they are one")
    if key == old_key:
        journal.change(brand, canonical_name=name)
        return
    own = BrandAlias.objects.filter(brand=brand, normalized=key).first()
    if own is not None:
        journal.remove(own)
    elif KnownBrand.objects.filter(normalized_name=key).exclude(id=brand.id).exists():
        raise ConflictError(f"'{name}' is the name of a brand that was merged into it: un-merge that first")
    journal.change(brand, canonical_name=name, normalized_name=key)
    journal.create(BrandAlias(brand=brand, text=old_name, normalized=old_key))


def _claim_groups(journal: Journal, brand: KnownBrand, claimed: Sequence[ClaimedGroup]) -> None:
    for one in claimed:
        text_claim(journal, brand, one.group.text)
        items_claim(journal, brand, one.items)


def _only_proposed(claimed: Sequence[ClaimedGroup]) -> KnownBrand | None:
    """The unconfirmed brand that all groups were proposed as, where there is just one."""
    proposed = {item.brand_id for one in claimed for item in one.items if item.brand_id is not None}
    if len(proposed) != 1:
        return None
    brand = brand_get(proposed.pop())
    return None if brand.confirmed else brand


def _listed(claimed: Sequence[ClaimedGroup]) -> str:
    return ", ".join(f"'{one.group.text}'" for one in claimed)


def _told(sentence: str, brand: KnownBrand, groups: tuple[GroupRef, ...]) -> Outcome:
    return Outcome(sentence, brand=brand, groups=tuple(ref.id for ref in groups), brands=(brand.id,))
