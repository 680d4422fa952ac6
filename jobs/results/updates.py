"""Accepted results that say other than they would today, and bringing them up to date.

What people decide about brands is not written into reports: a report stays what a run found with what was known then.
One that concerns a video of a later decision is outdated. Its update is a replay from ``match_brands`` on that asks no
model; what it would change is shown before it is accepted, and the report before it is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from brands.actions.base import decisions_hold
from brands.actions.journal import is_in_force, undoings
from brands.models import Decision
from detect.errors import ConflictError
from detect.registry import load_pipeline
from jobs.choices import JobStatus
from jobs.lifecycle import job_resume
from jobs.models import AcceptedResult, DetectJob
from jobs.results.accepted import FIRST_STAGE
from jobs.services import Order, job_replay

#: Of jobs: large, and of no use in a list.
_HEAVY = ("known_brands", "config_overrides")


@dataclass(frozen=True)
class OutdatedRef:
    """An accepted result by its id, with the ids of the decisions since it was made, newest first.

    ``update_id`` is the replay that shows what they change: None until one is asked for, and again once later decisions
    have made it outdated itself: it was ``overtaken`` then.
    """

    result_id: int
    decisions: tuple[int, ...]
    update_id: UUID | None
    overtaken: bool


@dataclass(frozen=True)
class Outdated:
    """The same with its rows."""

    result: AcceptedResult
    decisions: list[Decision]
    update: DetectJob | None
    overtaken: bool = False

    @property
    def is_ready(self) -> bool:
        return self.update is not None and self.update.status == JobStatus.COMPLETED


def results_outdated() -> list[OutdatedRef]:
    """Accepted results that decisions since concern, those with the newest decisions first; in three queries."""
    later = Decision.objects.filter(assets=OuterRef("source_asset"), created_at__gt=OuterRef("job__created_at"))
    found = (one for one in _look(AcceptedResult.objects.filter(Exists(later))) if one.decisions)
    return sorted(found, key=lambda one: (-one.decisions[0], one.result_id))


def outdated_load(refs: Sequence[OutdatedRef]) -> list[Outdated]:
    """Their rows, in two queries; results that are gone meanwhile are left out."""
    heavy = [f"{job}__{name}" for job in ("job", "update") for name in _HEAVY]
    results = AcceptedResult.objects.select_related("job", "source_asset", "update").defer(*heavy)
    found = results.in_bulk([one.result_id for one in refs])
    made = Decision.objects.defer("changes").in_bulk([decision for one in refs for decision in one.decisions])
    return [
        Outdated(
            found[one.result_id],
            [made[decision] for decision in one.decisions],
            None if one.overtaken else found[one.result_id].update,
            one.overtaken,
        )
        for one in refs
        if one.result_id in found
    ]


@transaction.atomic
def update_begin(*, result: AcceptedResult, by: str) -> DetectJob:
    """Replay an accepted result with what is known today, asking no model; one that is up to date is found.

    One that failed is gone on with. Raises ``ConflictError`` for a result that is up to date, and ``ConfigError`` and
    ``ConflictError`` where it cannot be replayed.
    """
    decisions_hold()  # what the replay is told of brands is what was decided before it, and nothing else
    held = AcceptedResult.objects.select_for_update(of=("self",)).select_related("job", "update").get(id=result.id)
    found = _now(held)
    if not found.decisions:
        raise ConflictError("it is up to date: nothing that concerns it was decided since")
    present = None if found.overtaken else held.update
    if present is not None and present.status == JobStatus.FAILED:
        job_resume(present)
        return present
    if present is not None and present.status != JobStatus.CANCELLED:
        return present
    load_pipeline(held.job.pipeline).index(FIRST_STAGE)
    order = Order(
        requested_by=by,
        # a job of its own: one that somebody asked for by hand has limits of its own
        idempotency_key=f"update {uuid4()}",
        tags=list(held.job.tags),
        priority=held.job.priority,
        call_limit=0,
        queued=True,
    )
    held.update = job_replay(parent=held.job, start_stage=FIRST_STAGE, overrides={}, order=order)
    held.save(update_fields=["update"])
    return held.update


def update_accept(*, result: AcceptedResult) -> DetectJob:
    """The finished update of a result, to be accepted. Raises ``ConflictError`` where there is none, or no longer."""
    held = AcceptedResult.objects.select_related("update").get(id=result.id)
    if _now(held).overtaken:
        raise ConflictError("decisions have been made since it was worked out: work out the changes first")
    if held.update is None or held.update.status != JobStatus.COMPLETED:
        raise ConflictError("there is nothing to accept: work out the changes first")
    return held.update


@dataclass(frozen=True)
class _Made:
    """When a decision was made, and what it takes back, if it is an undoing."""

    id: int
    at: datetime
    undoes_made_at: datetime | None


def _now(result: AcceptedResult) -> OutdatedRef:
    return _look(AcceptedResult.objects.filter(id=result.id))[0]


def _look(results: QuerySet[AcceptedResult]) -> list[OutdatedRef]:
    """Each result with the decisions since, if there are any. Rows stay where they are: there may be many."""
    rows = results.values_list("id", "source_asset_id", "job__created_at", "update_id", "update__created_at")
    found = list(rows.order_by("id"))
    since, undone = _decisions({source: made for _, source, made, _, _ in found}), undoings()
    refs = []
    for result_id, source, made, update_id, update_made in found:
        decisions = since.get(source, [])
        overtaken = update_made is not None and any(_matters(one, update_made, undone) for one in decisions)
        later = tuple(one.id for one in decisions if _matters(one, made, undone))
        refs.append(OutdatedRef(result_id, later, None if overtaken else update_id, overtaken))
    return refs


def _decisions(sources: Mapping[UUID, datetime]) -> dict[UUID, list[_Made]]:
    """Decisions about each source since its moment, newest first, undoings among them."""
    if not sources:
        return {}
    through = Decision.assets.through.objects.filter(
        sourceasset_id__in=sources, decision__created_at__gt=min(sources.values())
    )
    rows = through.order_by("-decision_id").values_list(
        "sourceasset_id", "decision_id", "decision__created_at", "decision__undoes__created_at"
    )
    found: dict[UUID, list[_Made]] = {}
    for source, decision, at, undoes_made_at in rows:
        if at > sources[source]:
            found.setdefault(source, []).append(_Made(decision, at, undoes_made_at))
    return found


def _matters(decision: _Made, since: datetime, undone: Mapping[int, int]) -> bool:
    """Whether a decision says other than what was known then: made later and in force, or taken back later."""
    if decision.at <= since or not is_in_force(decision.id, undone):
        return False
    return decision.undoes_made_at is None or decision.undoes_made_at <= since
