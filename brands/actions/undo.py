"""Taking a decision back, exactly; and taking that back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from django.core.exceptions import PermissionDenied

from brands.actions.base import Decider, Outcome
from brands.actions.journal import Journal
from brands.models import Decision, DecisionKind, KnownBrand
from detect.errors import NotFoundError
from mediaproc.roles import Role


@dataclass(frozen=True)
class Undo:
    """Take a decision back; one that was taken back is made again. Others' decisions need a curator."""

    decision_id: int

    kind: ClassVar = DecisionKind.UNDO
    needs: ClassVar = Role.REVIEWER

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        first = Decision.objects.filter(id=self.decision_id).first()
        if first is None:
            raise NotFoundError(f"There is no decision {self.decision_id}.")
        target, again = _last_of(first)
        if target.by != by.name and not by.may(Role.CURATOR):
            raise PermissionDenied("somebody else decided that: a curator can undo it")
        journal.put_back(target)
        sentence = f"{'made again' if again else 'undone'}: {first.sentence}"
        return Outcome(
            sentence,
            brand=KnownBrand.objects.filter(id=first.brand_id).first() if first.brand_id else None,
            groups=tuple(first.groups),
            assets=tuple(target.assets.values_list("id", flat=True)),
            undoes=target,
        )


def _last_of(decision: Decision) -> tuple[Decision, bool]:
    """The last undoing in the chain that a decision begins, and whether undoing that makes the first hold again."""
    again = False
    while (later := Decision.objects.filter(undoes=decision).first()) is not None:
        decision, again = later, not again
    return decision, again
