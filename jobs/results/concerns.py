"""Which decisions concern a result that came to count after they were made.

A decision writes down the videos it concerns when it is made: those whose accepted results show what it is about. A
result that is brought in later, from a run that began before the decision, shows the same and was not there to be seen.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from brands.models import BrandAppearance, Decision, ItemState, ReviewItem
from detect.models import SourceAsset


def decisions_concern(*, asset: SourceAsset, made: datetime) -> None:
    """Have decisions since ``made`` concern a video whose result, of a run begun then, has just been brought in."""
    later = Decision.objects.filter(created_at__gt=made).exclude(assets=asset).only("groups", "brand", "changes")
    settled = ReviewItem.objects.filter(source_asset=asset).exclude(state=ItemState.OPEN).order_by()
    groups = set(settled.values_list("group_id", flat=True))
    shown = set(BrandAppearance.objects.filter(source_asset=asset).order_by().values_list("brand_id", flat=True))
    concerned = [one for one in later if groups.intersection(one.groups) or shown & _brands_of(one)]
    rows = [Decision.assets.through(decision_id=one.id, sourceasset_id=asset.id) for one in concerned]
    Decision.assets.through.objects.bulk_create(rows, ignore_conflicts=True)


def _brands_of(decision: Decision) -> set[UUID]:
    """The brand a decision is about, and every one whose row it changed."""
    changed = {UUID(change["pk"]) for change in decision.changes if change["model"] == "knownbrand"}
    return changed if decision.brand_id is None else changed | {decision.brand_id}
