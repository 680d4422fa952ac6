"""It is no brand, and nobody is asked again; or it is to be asked again after all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from brands.actions.base import Decider, Outcome
from brands.actions.claims import GroupRef, groups_claim
from brands.actions.journal import Journal
from brands.models import DecisionKind, RejectedText
from mediaproc.roles import Role


@dataclass(frozen=True)
class Reject:
    """What the groups show is no brand, wherever it is read in any of their spellings."""

    groups: tuple[GroupRef, ...]

    kind: ClassVar = DecisionKind.REJECT
    needs: ClassVar = Role.REVIEWER

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        claimed = groups_claim(self.groups)
        texts = {item.normalized for one in claimed for item in one.items}
        texts |= {item.brand.normalized_name for one in claimed for item in one.items if item.brand is not None}
        known = set(RejectedText.objects.filter(text__in=texts).values_list("text", flat=True))
        for text in sorted(texts - known - {""}):
            journal.create(RejectedText(text=text))
        names = ", ".join(f"'{one.group.text}'" for one in claimed)
        return Outcome(f"{names} rejected", groups=tuple(ref.id for ref in self.groups))


@dataclass(frozen=True)
class Restore:
    """Rejected texts wait for a decision again, and are looked at again by the next run."""

    texts: tuple[str, ...]

    kind: ClassVar = DecisionKind.RESTORE
    needs: ClassVar = Role.REVIEWER

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        for row in RejectedText.objects.filter(text__in=self.texts).order_by("text"):
            journal.remove(row)
        names = ", ".join(f"'{text}'" for text in self.texts)
        return Outcome(f"{names} no longer rejected")
