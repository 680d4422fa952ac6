"""Many replays with the same settings: of which jobs, at what price, and which of them are done already.

Such replays carry the tag ``replay:DIGEST`` of their settings. A replay is found again by what it replays, from where,
with which options and brands: it then goes on where it was, or, once it has completed, is not made a second time.
What they spend is in ``jobs/bulk/book.py``, running them in ``jobs/bulk/runs.py``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from detect.checkpoints import serde
from detect.config import DEFAULT_PROFILE, profile_names, resolve
from detect.errors import ConfigError, MediaprocError, NotFoundError
from detect.options import Overrides
from detect.registry import load_pipeline
from detect.types import KnownBrands
from jobs.branches.branching import branch_point
from jobs.branches.estimates import Estimate, replay_estimate
from jobs.choices import JobStatus, RunType
from jobs.listing import brand_named, job_list
from jobs.models import DetectJob
from jobs.selectors import job_find, job_known_brands

_DIGITS = 12
_UNFINISHED = (JobStatus.PENDING, JobStatus.RUNNING, JobStatus.PAUSED, JobStatus.FAILED)


@dataclass(frozen=True)
class BatchSettings:
    """From where on all jobs are replayed, and with which options over their own."""

    start_stage: str
    overrides: Overrides

    @property
    def tag(self) -> str:
        """What all replays with these settings are tagged with."""
        return f"replay:{serde.digest([self.start_stage, self.overrides])[:_DIGITS]}"


@dataclass(frozen=True)
class Selection:
    """Which jobs. Days are of UTC, the last one included.

    ``jobs`` are ids or how they begin; jobs named so are taken whatever kind and state they are of. Of the others the
    completed ones are, unless ``statuses`` says otherwise, and replays only with ``replays``.
    """

    jobs: tuple[str, ...] = ()
    pipeline: str = "brands"
    profile: str = ""
    since: date | None = None
    until: date | None = None
    brand: str = ""
    tag: str = ""
    statuses: tuple[str, ...] = ()
    search: str = ""
    replays: bool = False
    latest_per_asset: bool = False


@dataclass(frozen=True)
class Wanted:
    """A replay that is wanted."""

    parent_id: UUID
    video_path: str
    settings: BatchSettings


@dataclass(frozen=True)
class Planned:
    """A wanted replay, and how it stands.

    ``done`` is the replay that has completed already, ``begun`` one that did not finish. ``problem`` says why it cannot
    be run; without one and not ``done`` it has an estimate.
    """

    wanted: Wanted
    estimate: Estimate | None = None
    done: UUID | None = None
    begun: UUID | None = None
    problem: str = ""

    @property
    def open(self) -> bool:
        return self.done is None and not self.problem


@dataclass(frozen=True)
class Totals:
    """Sums over a plan. ``usd`` and ``model_calls`` are upper bounds; ``seconds`` are of work whose time is known."""

    jobs: int
    to_run: int
    done: int
    problems: int
    stages: int
    stages_reused: int
    model_calls: int
    usd: Decimal
    seconds: float


def batch_settings(*, start_stage: str, overrides: Overrides, pipeline: str = "brands") -> BatchSettings:
    """Settings that can be run; without ``start_stage``, from the first stage that ``overrides`` change.

    Raises ``ConfigError`` for an unknown stage, option or value and for options of a stage before the first.
    """
    stages = load_pipeline(pipeline)
    resolve(stages, DEFAULT_PROFILE, overrides)
    if not start_stage and not overrides:
        raise ConfigError("say from which stage on (--from), or which options to change (--set)")
    first = start_stage or stages.stages[min(stages.index(stage) for stage in overrides)].name
    index = stages.index(first)
    earlier = [stage for stage in overrides if stages.index(stage) < index]
    if earlier:
        raise ConfigError(f"options of {', '.join(earlier)} have no effect on a replay from {first}: start there")
    return BatchSettings(first, overrides)


def batch_select(selection: Selection, settings: BatchSettings) -> list[Wanted]:
    """The jobs that fit, oldest first, without the replays that these settings have given.

    Raises ``ConfigError`` for a job, profile, brand or state that there is not.
    """
    named = [job_find(text).id for text in selection.jobs]
    jobs = job_list(_filters(selection)).exclude(tags__contains=[settings.tag]).order_by("created_at", "id")
    if selection.jobs:
        jobs = jobs.filter(id__in=named)
    rows = list(jobs.values("id", "video_path", "source_asset_id"))
    if selection.latest_per_asset:
        rows = list({row["source_asset_id"]: row for row in rows}.values())
    return [Wanted(row["id"], row["video_path"], settings) for row in rows]


def batch_plan(
    wanted: Sequence[Wanted], *, again: bool = False, looked: Callable[[Planned], None] = lambda _: None
) -> list[Planned]:
    """How each replay stands: done (with ``again`` that does not count), begun, not possible, and what it would take.

    ``looked`` is told of each as it is found; it may raise to stop.
    """
    earlier = _earlier_replays(wanted)
    plan = []
    for one in wanted:
        planned = _plan(one, earlier[one.parent_id], again=again)
        plan.append(planned)
        looked(planned)
    return plan


def batch_totals(plan: Iterable[Planned]) -> Totals:
    plan = list(plan)
    estimates = [one.estimate for one in plan if one.estimate is not None]
    return Totals(
        jobs=len(plan),
        to_run=len(estimates),
        done=sum(one.done is not None for one in plan),
        problems=sum(bool(one.problem) for one in plan),
        stages=sum(len(estimate.stages) for estimate in estimates),
        stages_reused=sum(len(estimate.reused_stages) for estimate in estimates),
        model_calls=sum(estimate.model_calls for estimate in estimates),
        usd=sum((estimate.usd for estimate in estimates), Decimal(0)),
        seconds=round(sum(estimate.seconds for estimate in estimates), 3),
    )


def parent_of(wanted: Wanted) -> DetectJob:
    """The job to be replayed. Raises ``NotFoundError`` when it was deleted."""
    job = DetectJob.objects.select_related("source_asset", "timeline").filter(id=wanted.parent_id).first()
    if job is None:
        raise NotFoundError(f"There is no job {wanted.parent_id} any more.")
    return job


def replan(planned: Planned) -> Planned:
    """The same with what it would take now: others may have computed and asked some of it meanwhile."""
    return replace(planned, estimate=_estimate(planned.wanted))


def _filters(selection: Selection) -> dict[str, Any]:
    """In the words of :class:`~jobs.listing.JobFilter`."""
    if selection.profile and selection.profile not in profile_names():
        raise ConfigError(f"unknown profile '{selection.profile}': there are {', '.join(profile_names())}")
    if selection.brand and brand_named(selection.brand) is None:
        raise ConfigError(f"there is no brand '{selection.brand}'")
    by_name = bool(selection.jobs)
    filters: dict[str, Any] = {
        "pipeline": selection.pipeline,
        "profile": selection.profile,
        "brand": selection.brand,
        "tag": selection.tag,
        "search": selection.search,
        "status": list(selection.statuses) or ([] if by_name else [JobStatus.COMPLETED.value]),
        "run_type": [] if by_name or selection.replays else [RunType.INITIAL.value],
    }
    if selection.since is not None:
        filters["created_after"] = _midnight(selection.since).isoformat()
    if selection.until is not None:
        filters["created_before"] = _midnight(selection.until + timedelta(days=1)).isoformat()
    return filters


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _earlier_replays(wanted: Sequence[Wanted]) -> dict[UUID, list[DetectJob]]:
    """Replays of the parents, newest first, in one query."""
    found: defaultdict[UUID, list[DetectJob]] = defaultdict(list)
    replays = DetectJob.objects.filter(
        parent_job_id__in={one.parent_id for one in wanted},
        replay_from_stage__in={one.settings.start_stage for one in wanted},
        status__in=[*_UNFINISHED, JobStatus.COMPLETED],
    )
    for job in replays.defer("known_brands"):
        if job.parent_job_id is not None:
            found[job.parent_job_id].append(job)
    return found


def _plan(wanted: Wanted, earlier: Sequence[DetectJob], *, again: bool) -> Planned:
    try:
        same = _same(wanted, earlier)
        done = next((job.id for job in same if job.status == JobStatus.COMPLETED), None)
        if done is not None and not again:
            return Planned(wanted, done=done)
        begun = next((job.id for job in same if job.status in _UNFINISHED), None)
        return Planned(wanted, estimate=_estimate(wanted), begun=begun)
    except MediaprocError as error:
        return Planned(wanted, problem=str(error))


def _same(wanted: Wanted, earlier: Sequence[DetectJob]) -> list[DetectJob]:
    """Those of ``earlier`` that replay the same with the same.

    What models told about a video is known to the replays after it. It came from such a replay, or went into its
    results as well, so it does not make a replay another one; brands, aliases and rejected texts do.
    """
    if not earlier:
        return []
    settings = wanted.settings
    at = branch_point(parent=parent_of(wanted), start_stage=settings.start_stage, overrides=settings.overrides)
    known = _of_people(at.known_brands)
    return [
        job
        for job in earlier
        if job.replay_from_stage == settings.start_stage
        and job.config_overrides == at.overrides
        and _of_people(job_known_brands(job)) == known
    ]


def _of_people(known: KnownBrands) -> tuple[Any, ...]:
    return (known.brands, known.given, known.rejected)


def _estimate(wanted: Wanted) -> Estimate:
    settings = wanted.settings
    return replay_estimate(parent=parent_of(wanted), start_stage=settings.start_stage, overrides=settings.overrides)
