"""What a replay or retry would reuse, ask and take, told before it runs, and the limits that make a run keep to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from uuid import UUID

from detect.estimating import Forecast, StageForecast
from detect.options import Overrides
from detect.persistence import DatabaseCheckpointStore
from detect.planner import input_fields
from detect.providers.limits import ModelLimits
from detect.resources import Resources
from detect.runner import RunRequest
from detect.stages.base import StageContext
from detect.stages.escalation import EscalationOptions, find_provider
from detect.stages.question_forecast import QuestionForecast, bound_questions, forecast_questions
from detect.types import Candidate
from jobs.branches.branching import BranchPoint, branch_point
from jobs.branches.work_history import WorkHistory
from jobs.engine import engine_resources
from jobs.models import DetectJob
from jobs.selectors import job_frames, job_source

_CENT_PARTS = Decimal("0.000001")  # as exact as a job's limit is


@dataclass(frozen=True)
class StageEstimate:
    """One stage. ``seconds`` is the work of all its units one after another, None where nothing like it ever ran.

    ``calls`` and ``usd`` are upper bounds; ``exact`` says that the questions are known and not merely how many there
    can be.
    """

    stage: str
    units: int
    reused_units: int
    seconds: float | None
    calls: int = 0
    usd: Decimal = Decimal(0)
    exact: bool = True


@dataclass(frozen=True)
class Estimate:
    """All stages of a replay, those before the branch included. A run with ``limits`` keeps to it."""

    job_id: UUID
    start_stage: str
    stages: list[StageEstimate]

    @property
    def reused_stages(self) -> list[str]:
        """Stages of which nothing is computed."""
        return [one.stage for one in self.stages if one.reused_units == one.units]

    @property
    def model_calls(self) -> int:
        return sum(one.calls for one in self.stages)

    @property
    def usd(self) -> Decimal:
        """Rounded up to a millionth."""
        return sum((one.usd for one in self.stages), Decimal(0)).quantize(_CENT_PARTS, ROUND_CEILING)

    @property
    def seconds(self) -> float:
        """Work of the stages whose time is known."""
        return round(sum(one.seconds or 0.0 for one in self.stages), 3)

    @property
    def limits(self) -> ModelLimits:
        """What a run is to be given so that it never asks for more."""
        return ModelLimits(usd=self.usd, calls=self.model_calls)


def replay_estimate(*, parent: DetectJob, start_stage: str, overrides: Overrides) -> Estimate:
    """What a replay of ``parent`` from ``start_stage`` on, with ``overrides``, would come to.

    Looks at pictures where questions to a model depend on them; computes no stage and asks no model. Raises what
    starting that replay would raise (:func:`~jobs.branches.branching.branch_point`).
    """
    at = branch_point(parent=parent, start_stage=start_stage, overrides=overrides)
    resources = engine_resources()
    assert parent.timeline_id is not None
    request = RunRequest(
        job_id=parent.id,
        timeline_id=parent.timeline_id,
        source=job_source(parent),
        config=at.config,
        overrides=at.overrides,
        known_brands=at.known_brands,
        parent=at.branch[-1] if at.index else None,
    )
    forecast = Forecast(pipeline=at.pipeline, store=DatabaseCheckpointStore(), resources=resources, request=request)
    questions = dict(_questions(parent, at, forecast, resources))
    history = WorkHistory(parent.source_asset, at.reached)
    earlier = [_kept(node.stats.get(node.stage, {}), node.stage) for node in at.branch]
    return Estimate(
        job_id=parent.id,
        start_stage=start_stage,
        stages=[
            *earlier,
            *(_estimate(one, questions.get(one.stage.name), at, history, resources) for one in forecast.stages),
        ],
    )


def _kept(stats: dict[str, object], stage: str) -> StageEstimate:
    units = int(str(stats.get("units", 1)))
    return StageEstimate(stage, units=units, reused_units=units, seconds=0.0)


def _estimate(
    one: StageForecast,
    questions: QuestionForecast | None,
    at: BranchPoint,
    history: WorkHistory,
    resources: Resources,
) -> StageEstimate:
    name, reused = one.stage.name, len(one.stored)
    if not one.missing:
        return StageEstimate(name, one.units, reused, seconds=0.0)
    if questions is None:
        return StageEstimate(name, one.units, reused, history.seconds(one))
    _, provider = find_provider(at.config.options[name], resources)
    seconds = 0.0 if provider is None else history.asking_seconds(provider, questions.calls)
    return StageEstimate(name, one.units, reused, seconds, questions.calls, questions.usd, questions.exact)


def _questions(
    parent: DetectJob, at: BranchPoint, forecast: Forecast, resources: Resources
) -> Iterator[tuple[str, QuestionForecast]]:
    """What each stage that asks a model would ask, in their order."""
    candidates: list[Candidate] | None = None
    most: int | None = None
    for one in forecast.stages:
        options = at.config.options[one.stage.name]
        if not isinstance(options, EscalationOptions):
            continue
        if most is None:
            before = next(iter(input_fields(one.stage)))
            candidates = _unresolved(forecast, before)
            most = at.config.options[before].max_candidates if candidates is None else len(candidates)
        if not one.missing:
            candidates = _unresolved(forecast, one.stage.name)
        elif candidates is None:
            yield one.stage.name, bound_questions(options, resources, most)
        else:
            context = StageContext(
                source=job_source(parent),
                options=options,
                frames=job_frames(parent),
                known_brands=at.known_brands,
                resources=resources,
            )
            yield one.stage.name, forecast_questions(context, candidates)
            if find_provider(options, resources)[1] is not None:
                # what its answers will leave is not known, but it can be no more than it is given
                candidates = None


def _unresolved(forecast: Forecast, stage: str) -> list[Candidate] | None:
    outputs = forecast.known(stage)
    return None if outputs is None else outputs[0].unresolved
