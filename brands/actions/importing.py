"""A whole list of brands at once: what each row would change, and changing it.

The whole list is one decision: it was one thing to do, so it is one thing to undo, and the rows may refer to one
another. A list adds and corrects; it takes no spelling away and un-merges nothing, so importing it again changes
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

from django.db import models

from brands.actions.base import Decider, Outcome
from brands.actions.journal import Journal
from brands.brand_lists import ListedBrand, why_no_name
from brands.models import BrandAlias, DecisionKind, KnownBrand, RejectedText, Source
from brands.models.known import name_key
from brands.services import brand_new_id
from detect.errors import ConfigError
from mediaproc.roles import Role


class Fate(models.TextChoices):
    """What becomes of a row."""

    NEW = "new", "new"
    CHANGED = "changed", "changed"
    SAME = "same", "as it is"
    CONFLICT = "conflict", "conflict"


@dataclass
class PlannedRow:
    """A row with what it would change, in words, and why it cannot."""

    row: ListedBrand
    is_new: bool = False
    changes: list[str] = field(default_factory=list)
    conflict: str = ""

    @property
    def fate(self) -> Fate:
        if self.conflict:
            return Fate.CONFLICT
        if self.is_new:
            return Fate.NEW
        return Fate.CHANGED if self.changes else Fate.SAME


@dataclass
class Plan:
    """What a list would change: its rows in words, and the facts that come of it."""

    rows: list[PlannedRow] = field(default_factory=list)
    made: dict[UUID, KnownBrand] = field(default_factory=dict)
    aliases: list[BrandAlias] = field(default_factory=list)
    confirmed: dict[UUID, bool] = field(default_factory=dict)
    merged: dict[UUID, UUID] = field(default_factory=dict)
    restored: set[str] = field(default_factory=set)

    def count(self, fate: Fate) -> int:
        return sum(row.fate is fate for row in self.rows)

    @property
    def changed(self) -> set[UUID]:
        """Brands that were there already and are another afterwards."""
        given = {alias.brand_id for alias in self.aliases}
        return {*self.confirmed, *self.merged, *self.merged.values(), *given} - set(self.made)


@dataclass(frozen=True)
class ImportBrands:
    """These are brands, with these names and other spellings. ``source`` names the list, for people."""

    rows: tuple[ListedBrand, ...]
    source: str

    kind: ClassVar = DecisionKind.IMPORT
    needs: ClassVar = Role.CURATOR

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        plan = import_plan(self.rows)
        refused = [row for row in plan.rows if row.conflict]
        if refused:
            more = f", and {len(refused) - 1} other rows" if len(refused) > 1 else ""
            raise ConfigError(f"{refused[0].row.place}: {refused[0].conflict}{more}")
        journal.create_all(list(plan.made.values()))
        journal.create_all(plan.aliases)
        known = KnownBrand.objects.in_bulk({*plan.confirmed, *plan.merged, *plan.merged.values()})
        for brand, value in plan.confirmed.items():
            journal.change(known[brand], confirmed=value)
        for brand, into in plan.merged.items():
            journal.change(known[brand], merged_into=known[into])
        for row in RejectedText.objects.filter(text__in=plan.restored).order_by("text"):
            journal.remove(row)
        new, changed = plan.count(Fate.NEW), plan.count(Fate.CHANGED)
        return Outcome(f"brands imported from {self.source}: {new} new, {changed} changed", brands=tuple(plan.changed))


def import_plan(rows: Sequence[ListedBrand]) -> Plan:
    """What importing a list would change, in a fixed number of queries; nothing is changed."""
    return _Planner().plan(rows)


class _Planner:
    """All names, as they are and as the list makes them."""

    def __init__(self) -> None:
        self._brands = {brand.id: brand for brand in KnownBrand.objects.order_by()}
        self._names = {brand.normalized_name: brand.id for brand in self._brands.values()}
        self._aliases = dict(BrandAlias.objects.order_by().values_list("normalized", "brand_id"))
        self._into = {brand.id: brand.merged_into_id for brand in self._brands.values() if brand.merged_into_id}
        self._rejected = set(RejectedText.objects.values_list("text", flat=True))
        self._said: dict[UUID, ListedBrand] = {}
        self._plan = Plan()

    def plan(self, rows: Sequence[ListedBrand]) -> Plan:
        self._plan.rows = [PlannedRow(row) for row in rows]
        meant = [(row, self._name(row)) for row in self._plan.rows]
        # names before merges before spellings: rows may refer to rows below them
        for step in (self._merge, self._confirm, self._confirm_whole, self._spell):
            for row, brand in meant:
                if brand is not None and not row.conflict:
                    step(row, brand)
        return self._plan

    def _name(self, planned: PlannedRow) -> UUID | None:
        """The brand that a row is about, made where there is none."""
        name = planned.row.name
        planned.conflict = next(filter(None, map(why_no_name, (name, *planned.row.aliases))), "")
        if planned.conflict:
            return None
        key = name_key(name)
        found = self._meant(key)
        if found is not None:
            return found
        brand = KnownBrand(
            id=brand_new_id(key, taken=self._brands),
            canonical_name=name,
            normalized_name=key,
            first_source=Source.MANUAL,
            confirmed=planned.row.confirmed,
        )
        self._brands[brand.id] = self._plan.made[brand.id] = brand
        self._names[key] = brand.id
        planned.is_new = True
        if not brand.confirmed:
            planned.changes.append("not confirmed")
        return brand.id

    def _merge(self, planned: PlannedRow, brand: UUID) -> None:
        name = planned.row.merged_into
        if not name:
            return
        into = self._meant(name_key(name))
        if into is None:
            planned.conflict = f"there is no brand '{name}' to merge it into, neither here nor in the list"
        elif self._root(into) == self._root(brand):
            return
        elif not self._is_itself(planned, brand):
            planned.conflict = (
                f"it is {self._name_of(self._root(brand))} here: un-merge it or take that alias away first"
            )
        else:
            self._point(brand, self._root(into))
            planned.changes.append(f"merged into {self._name_of(self._root(into))}")

    def _confirm(self, planned: PlannedRow, brand: UUID) -> None:
        """Take over whether it is confirmed. Of what is merged, or another's alias here, only that it is a brand."""
        wanted = planned.row.confirmed
        named = self._names.get(name_key(planned.row.name)) == brand
        exact = named and (brand not in self._into or bool(planned.row.merged_into))
        if not exact and not wanted:
            return
        target = brand if exact else self._root(brand)
        said = self._said.setdefault(target, planned.row)
        if said.confirmed != wanted:
            planned.conflict = f"{said.place} says otherwise of the same brand: confirmed or not?"
            return
        self._set_confirmed(planned, target, to=wanted)
        if wanted:
            self._restore(planned, [planned.row.name])

    def _confirm_whole(self, planned: PlannedRow, brand: UUID) -> None:
        """What a confirmed brand is merged into is one, unless the list says that it is not."""
        root = self._root(brand)
        if brand in self._plan.merged and planned.row.confirmed and root not in self._said:
            self._set_confirmed(planned, root, to=True)

    def _spell(self, planned: PlannedRow, brand: UUID) -> None:
        for text in planned.row.aliases:
            key = name_key(text)
            meant = self._meant(key)
            other, root = None if meant is None else self._root(meant), self._root(brand)
            if other is None:
                self._aliases[key] = brand
                self._plan.aliases.append(BrandAlias(brand=self._brands[brand], text=text, normalized=key))
                planned.changes.append(f"alias {text}")
            elif other != root and self._is_confirmed(other):
                planned.conflict = f"'{text}' is {self._name_of(other)} already: merge the two brands if they are one"
                return
            elif other != root:
                self._point(other, root)
                planned.changes.append(f"{self._name_of(other)} merged into it")
        if planned.row.confirmed:
            self._restore(planned, planned.row.aliases)

    def _set_confirmed(self, planned: PlannedRow, brand: UUID, *, to: bool) -> None:
        if self._is_confirmed(brand) != to:
            self._plan.confirmed[brand] = to
            planned.changes.append(f"{self._name_of(brand)} {'confirmed' if to else 'no longer confirmed'}")

    def _restore(self, planned: PlannedRow, texts: Sequence[str]) -> None:
        for text in texts:
            key = name_key(text)
            if key in self._rejected and key not in self._plan.restored:
                self._plan.restored.add(key)
                planned.changes.append(f"{text} no longer rejected")

    def _point(self, brand: UUID, into: UUID) -> None:
        self._into[brand] = self._plan.merged[brand] = into

    def _meant(self, key: str) -> UUID | None:
        return self._names.get(key) or self._aliases.get(key)

    def _is_itself(self, planned: PlannedRow, brand: UUID) -> bool:
        """Whether a row's brand is one of its own here, by that name."""
        return brand not in self._into and self._names.get(name_key(planned.row.name)) == brand

    def _is_confirmed(self, brand: UUID) -> bool:
        return self._plan.confirmed.get(brand, self._brands[brand].confirmed)

    def _root(self, brand: UUID) -> UUID:
        while brand in self._into:
            brand = self._into[brand]
        return brand

    def _name_of(self, brand: UUID) -> str:
        return self._brands[brand].canonical_name
