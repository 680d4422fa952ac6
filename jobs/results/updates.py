"""Accepted results that say other than they would today, and bringing them up to date.

What people decide about brands is not written into reports: a report stays what a run found with what was known then.
One that concerns a video of a later decision is outdated. Its update is a replay from ``match_brands`` on that asks no
model; what it would change is shown before it is accepted, and the report before it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from brands.actions.base import decisions_hold
from brands.actions.journal import is_in_force, undoings
from brands.models import Decision, DecisionKind
from detect.config import load_pipeline
from detect.errors import ConflictError
from jobs.choices import JobStatus
from jobs.lifecycle import job_resume
from jobs.models import AcceptedResult, DetectJob
from jobs.results.accepted import FIRST_STAGE
from jobs.services import Order, job_replay

#: Of jobs: large, and of no use in a list.
_HEAVY = ("known_brands", "config_overrides")


@dataclass(frozen=True)
class Outdated:
    """An accepted result, the decisions since it was made, newest first, and the replay that shows what they change.

    ``update`` is None until one is asked for, and again once later decisions have made it outdated itself: it was
    ``overtaken`` then.
    """

    result: AcceptedResult
    decisions: list[Decision]
    update: DetectJob | None
    overtaken: bool = False

    @property
    def is_ready(self) -> bool:
        return self.update is not None and self.update.status == JobStatus.COMPLETED


def results_outdated(*, limit: int = 500) -> list[Outdated]:
    """Accepted results that decisions since concern, those with the newest decisions first; in three queries."""
    heavy = [f"{job}__{name}" for job in ("job", "update") for name in _HEAVY]
    found = _candidates().select_related("job", "source_asset", "update").defer(*heavy).order_by("-accepted_at", "id")
    results = list(found[:limit])
    about, undone = _decisions(results), undoings()
    outdated = (_outdated(result, about.get(result.source_asset_id, []), undone) for result in results)
    return sorted((one for one in outdated if one.decisions), key=lambda one: -one.decisions[0].id)


def result_is_outdated(result: AcceptedResult) -> Outdated | None:
    """What has been decided since an accepted result was made; None where it is up to date."""
    found = _now(AcceptedResult.objects.select_related("job", "source_asset", "update").get(id=result.id))
    return found if found.decisions else None


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
    present = found.update
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
    found = _now(AcceptedResult.objects.select_related("job", "source_asset", "update").get(id=result.id))
    if found.update is None or not found.is_ready:
        since = "decisions have been made since it was worked out" if found.overtaken else "there is nothing to accept"
        raise ConflictError(f"{since}: work out the changes first")
    return found.update


def _now(result: AcceptedResult) -> Outdated:
    return _outdated(result, _decisions([result]).get(result.source_asset_id, []), undoings())


def _candidates() -> QuerySet[AcceptedResult]:
    """Results with any decision since; those of which all were undone are among them."""
    later = Decision.objects.filter(assets=OuterRef("source_asset"), created_at__gt=OuterRef("job__created_at"))
    return AcceptedResult.objects.filter(Exists(later))


def _decisions(results: Iterable[AcceptedResult]) -> dict[UUID, list[Decision]]:
    """Decisions about each source since its result was made, newest first, undoings among them."""
    since = {result.source_asset_id: result.job.created_at for result in results}
    if not since:
        return {}
    earliest = min(since.values())
    through = Decision.assets.through.objects.filter(sourceasset_id__in=since, decision__created_at__gt=earliest)
    rows = through.select_related("decision__undoes").defer("decision__changes", "decision__undoes__changes")
    found: dict[UUID, list[Decision]] = {}
    for row in rows.order_by("-decision_id"):
        if row.decision.created_at > since[row.sourceasset_id]:
            found.setdefault(row.sourceasset_id, []).append(row.decision)
    return found


def _outdated(result: AcceptedResult, decisions: list[Decision], undone: Mapping[int, int]) -> Outdated:
    """``decisions`` are all of its source since it was made."""
    since = [one for one in decisions if _matters(one, result.job, undone)]
    overtaken = result.update is not None and any(_matters(one, result.update, undone) for one in decisions)
    return Outdated(result, since, None if overtaken else result.update, overtaken)


def _matters(decision: Decision, job: DetectJob, undone: Mapping[int, int]) -> bool:
    """Whether a decision says other than the job was told: made since and in force, or taken back since."""
    if decision.created_at <= job.created_at or not is_in_force(decision.id, undone):
        return False
    return decision.kind != DecisionKind.UNDO or (
        decision.undoes is not None and decision.undoes.created_at <= job.created_at
    )
