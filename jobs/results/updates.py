"""Accepted results that say other than they would today, and bringing them up to date.

What people decide about brands is not written into reports: a report stays what a run found with what was known then.
One that concerns a video of a later decision is outdated. Its update is a replay from ``match_brands`` on that asks no
model; what it would change is shown before it is accepted, and the report before it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from brands.actions.journal import is_in_force, undoings
from brands.models import Decision, DecisionKind
from detect.config import load_pipeline
from detect.errors import ConflictError
from jobs.choices import JobStatus, RunType
from jobs.models import AcceptedResult, DetectJob
from jobs.services import Order, job_replay

FIRST_STAGE = "match_brands"


@dataclass(frozen=True)
class Outdated:
    """An accepted result, the decisions since it was made, newest first, and the replay that shows what they change.

    ``update`` is None until one is asked for, and again once later decisions have made it outdated itself.
    """

    result: AcceptedResult
    decisions: list[Decision]
    update: DetectJob | None

    @property
    def is_ready(self) -> bool:
        return self.update is not None and self.update.status == JobStatus.COMPLETED


def results_outdated(*, limit: int = 200) -> list[Outdated]:
    """Accepted results that decisions since concern, those with the newest decisions first."""
    results = list(_candidates().select_related("job", "source_asset", "update").order_by("-accepted_at")[:limit])
    since, undone = _decisions(results), undoings()
    found = [_outdated(result, since.get(result.source_asset_id, []), undone) for result in results]
    return sorted((one for one in found if one.decisions), key=lambda one: -one.decisions[0].id)


def results_outdated_count() -> int:
    """How many results there may be to bring up to date, in one query; undone decisions are counted here."""
    return _candidates().count()


def update_begin(*, result: AcceptedResult, by: str) -> DetectJob:
    """Replay an accepted result with what is known today, asking no model; one that is up to date is found.

    Raises ``ConfigError`` and ``ConflictError`` where it cannot be replayed.
    """
    result, present = _now(result)
    if present is not None and present.status not in (JobStatus.FAILED, JobStatus.CANCELLED):
        return present
    load_pipeline(result.job.pipeline).index(FIRST_STAGE)
    order = Order(requested_by=by, tags=list(result.job.tags), priority=result.job.priority, call_limit=0, queued=True)
    job = job_replay(parent=result.job, start_stage=FIRST_STAGE, overrides={}, run_type=RunType.REPLAY, order=order)
    AcceptedResult.objects.filter(id=result.id).update(update=job)
    return job


def update_accept(*, result: AcceptedResult) -> DetectJob:
    """The finished update of a result, to be accepted. Raises ``ConflictError`` where there is none, or no longer."""
    _, update = _now(result)
    if update is None or update.status != JobStatus.COMPLETED:
        raise ConflictError("there is nothing to accept: work out the changes first")
    return update


def _now(result: AcceptedResult) -> tuple[AcceptedResult, DetectJob | None]:
    """The result as it is now, and its update where that is up to date itself."""
    result = AcceptedResult.objects.select_related("job", "source_asset", "update").get(id=result.id)
    decisions = _decisions([result]).get(result.source_asset_id, [])
    return result, _outdated(result, decisions, undoings()).update


def _candidates() -> QuerySet[AcceptedResult]:
    later = Decision.objects.filter(assets=OuterRef("source_asset"), created_at__gt=OuterRef("job__created_at"))
    return AcceptedResult.objects.filter(Exists(later))


def _decisions(results: Iterable[AcceptedResult]) -> dict[UUID, list[Decision]]:
    """Decisions in force about each source, newest first, and undoings of what was in force before."""
    found: dict[UUID, list[Decision]] = {}
    about = {result.source_asset_id for result in results}
    through = Decision.assets.through.objects.filter(sourceasset_id__in=about).order_by("-decision_id")
    for row in through.select_related("decision__undoes"):
        found.setdefault(row.sourceasset_id, []).append(row.decision)
    return found


def _outdated(result: AcceptedResult, decisions: list[Decision], undone: Mapping[int, int]) -> Outdated:
    made = result.job.created_at
    since = [one for one in decisions if one.created_at > made and _matters(one, result.job, undone)]
    update = result.update
    if update is not None and any(one.created_at > update.created_at for one in since):
        update = None
    return Outdated(result, since, update)


def _matters(decision: Decision, job: DetectJob, undone: Mapping[int, int]) -> bool:
    """Whether a decision made after the job is still one: not where it and its undoing both came after."""
    if decision.kind == DecisionKind.UNDO:
        assert decision.undoes is not None
        return decision.undoes.created_at <= job.created_at and is_in_force(decision.id, undone)
    return is_in_force(decision.id, undone)
