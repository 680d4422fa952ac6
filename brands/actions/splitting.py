"""Some items of a group are something else than the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from brands.actions.base import Decider, Outcome
from brands.actions.claims import GroupRef, groups_claim
from brands.actions.journal import Journal
from brands.models import DecisionKind, ReviewGroup
from detect.errors import ConfigError
from mediaproc.roles import Role


@dataclass(frozen=True)
class Split:
    """These open items of a group become a group of their own, to be decided on by itself."""

    group: GroupRef
    item_ids: tuple[int, ...]

    kind: ClassVar = DecisionKind.SPLIT
    needs: ClassVar = Role.REVIEWER

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        (claimed,) = groups_claim([self.group])
        taken = [item for item in claimed.items if item.id in set(self.item_ids)]
        if not taken or len(taken) == len(claimed.items):
            raise ConfigError("choose some of the group's pictures, not none and not all")
        made = journal.create(ReviewGroup(text=taken[0].text, folded=taken[0].folded))
        for item in taken:
            journal.change(item, group=made)
        count = "1 picture" if len(taken) == 1 else f"{len(taken)} pictures"
        return Outcome(f"{count} split off '{claimed.group.text}'", groups=(claimed.group.id, made.id))
