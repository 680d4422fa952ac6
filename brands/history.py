"""What was decided about a brand, whichever decision it was a part of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from brands.models import Decision, DecisionKind

#: Fields of rows by which they are about a brand.
_REFERENCES = ("brand", "merged_into", "first", "second")


def decisions_about(brands: Sequence[UUID]) -> QuerySet[Decision]:
    """Decisions that changed one of some brands or what belongs to it, newest first; undoings are told with theirs."""
    about = Q(brand_id__in=brands)
    for brand in map(str, brands):
        patterns: list[dict[str, Any]] = [{"model": "knownbrand", "pk": brand}]
        patterns += [{when: {name: brand}} for when in ("before", "after") for name in _REFERENCES]
        for pattern in patterns:
            about |= Q(changes__contains=[pattern])
    return Decision.objects.filter(about).exclude(kind=DecisionKind.UNDO).order_by("-id")
