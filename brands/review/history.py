"""Reading what was decided: newest first, and whether each still holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from brands.models import Decision, DecisionKind
from detect.matching import normalize


@dataclass(frozen=True)
class Undoing:
    """One undoing in the chain that a decision begins: undone, made again, undone, …"""

    id: int
    by: str
    at: datetime


@dataclass(frozen=True)
class Told:
    """A decision, how many videos it concerns, and what became of it: its undoings, first one first."""

    decision: Decision
    sources: int
    undoings: list[Undoing]

    @property
    def in_force(self) -> bool:
        """Whether what was decided holds: nobody undid it, or it was made again since."""
        return len(self.undoings) % 2 == 0

    @property
    def last_by(self) -> str:
        """Who made it, undid it or made it again last: others need a curator to change that."""
        return self.undoings[-1].by if self.undoings else self.decision.by


def decisions_found(
    *, by: str = "", kind: DecisionKind | None = None, brand: str = "", only: int | None = None
) -> QuerySet[Decision]:
    """Decisions, newest first: of one person, of one kind, about a brand by a part of its name, or just one of them."""
    found = Decision.objects.order_by("-id")
    if by:
        found = found.filter(by=by)
    if kind is not None:
        found = found.filter(kind=kind)
    if brand:
        key = normalize(brand)
        named = Q(brand__normalized_name__contains=key) if key else Q()
        found = found.filter(Q(sentence__icontains=brand) | named)  # which alone has what was rejected or merged away
    return found if only is None else found.filter(id=only)


def decisions_tell(found: QuerySet[Decision]) -> list[Told]:
    """What to say of some decisions, in a fixed number of queries."""
    rows = list(found.defer("changes").select_related("brand", "undoes").annotate(sources=Count("assets")))
    undoings = _undoings()
    return [Told(row, row.sources, list(_chain(row.id, undoings))) for row in rows]


def deciders() -> list[str]:
    """Everybody who has decided something, by name."""
    return list(Decision.objects.order_by("by").values_list("by", flat=True).distinct())


def _undoings() -> dict[int, Undoing]:
    rows = Decision.objects.filter(kind=DecisionKind.UNDO).order_by()
    return {
        undone: Undoing(number, by, at)
        for undone, number, by, at in rows.values_list("undoes_id", "id", "by", "created_at")
        if undone is not None
    }


def _chain(decision: int, undoings: dict[int, Undoing]) -> Iterator[Undoing]:
    found = undoings.get(decision)
    while found is not None:
        yield found
        found = undoings.get(found.id)
