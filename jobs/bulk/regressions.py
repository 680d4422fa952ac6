"""Scenarios as regression cases: what their reports show with other settings, against what they must show.

A scenario is replayed from the stage behind its checkpoint on, or from an earlier one whose options are changed. What
the replay's report shows is held against the scenario's expectation, brand by brand:

kept
    on screen for as long as expected, give or take the tolerance
found
    expected, not in the scenario's own report, and there now
lost
    expected and not there any more
nearer, farther
    nearer to (farther from) what is expected than in the scenario's own report: into the tolerance, or outside of it
missed
    outside the tolerance, or not there, just as in the scenario's own report
gained
    there and not expected

``lost`` and ``farther`` are losses. Without changed options nothing can be better: what the scenario's own report shows
does not count then, so that a brand is kept, lost or farther.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from detect.matching import normalize
from detect.options import Overrides
from detect.registry import load_pipeline
from detect.report import Report
from jobs.branches.scenarios import ExpectedBrand, Scenario, bookmark_set, scenario_list
from jobs.bulk.batches import BatchSettings, Wanted, batch_settings
from jobs.bulk.book import Outcome, Result
from jobs.choices import JobStatus
from jobs.models import DetectJob, ScenarioExpectation
from jobs.selectors import job_report

_ROUNDING = 0.001  # reports give milliseconds


class Verdict(StrEnum):
    KEPT = "kept"
    FOUND = "found"
    NEARER = "nearer"
    MISSED = "missed"
    GAINED = "gained"
    FARTHER = "farther"
    LOST = "lost"


BETTER = (Verdict.FOUND, Verdict.NEARER)
LOSSES = (Verdict.LOST, Verdict.FARTHER)


@dataclass(frozen=True)
class Judged:
    """One brand of a scenario. Seconds of the video; ``expected`` and ``before`` are None where it is in neither."""

    name: str
    verdict: Verdict
    seconds: float
    expected: float | None = None
    tolerance: float = 0.0
    before: float | None = None


@dataclass(frozen=True)
class Case:
    """A scenario, and the replay that is to be judged."""

    scenario: Scenario
    wanted: Wanted


@dataclass(frozen=True)
class CaseResult:
    """How a scenario did; with a ``problem`` its replay gave no report, or was not made."""

    case: Case
    replay_id: UUID | None
    brands: tuple[Judged, ...]
    problem: str = ""

    @property
    def losses(self) -> tuple[Judged, ...]:
        return tuple(brand for brand in self.brands if brand.verdict in LOSSES)

    @property
    def better(self) -> tuple[Judged, ...]:
        return tuple(brand for brand in self.brands if brand.verdict in BETTER)

    @property
    def failed(self) -> bool:
        return bool(self.problem or self.losses)


def scenario_cases(*, overrides: Overrides, start_stage: str = "", label: str = "") -> list[Case]:
    """The scenarios with an expectation whose label has ``label`` in it, newest first, and what to replay of each.

    With ``start_stage`` all are replayed from there on. Raises ``ConfigError`` for an unknown stage, option or value.
    """
    judged = set(ScenarioExpectation.objects.values_list("checkpoint_id", flat=True))
    found = [
        scenario
        for scenario in scenario_list()
        if scenario.checkpoint_id in judged and label.casefold() in scenario.label.casefold()
    ]
    pipelines = dict(
        DetectJob.objects.filter(id__in=[one.job_id for one in found]).order_by().values_list("id", "pipeline")
    )
    cases = []
    for scenario in found:
        settings = _settings(pipelines[scenario.job_id], scenario.stage, start_stage, overrides)
        cases.append(Case(scenario, Wanted(scenario.job_id, scenario.video_path, settings)))
    return cases


def cases_judge(cases: Sequence[Case], results: Sequence[Result]) -> list[CaseResult]:
    """Hold what the replays of ``cases`` show against what the scenarios expect."""
    left = list(results)
    return [_judge(case, _take(left, case)) for case in cases]


def judge(expected: Iterable[ExpectedBrand], after: Report, before: Report | None) -> tuple[Judged, ...]:
    """Every brand that is expected or shown, in the words of this module; losses first.

    ``before`` is the scenario's own report, None where it does not count.
    """
    own = None if before is None else _seconds(before)

    def own_seconds(name: str) -> float | None:
        return None if own is None else own.get(normalize(name), 0.0)

    shown = _seconds(after)
    wanted = list(expected)
    judged = [_judge_brand(brand, shown.get(normalize(brand.name), 0.0), own_seconds(brand.name)) for brand in wanted]
    names = {normalize(brand.name) for brand in wanted}
    judged += [
        Judged(brand.name, Verdict.GAINED, brand.seconds, before=own_seconds(brand.name))
        for brand in after.brands
        if normalize(brand.name) not in names
    ]
    order = list(reversed(Verdict))
    return tuple(sorted(judged, key=lambda one: (order.index(one.verdict), one.name)))


def expectations_update(results: Sequence[CaseResult], *, by: str) -> int:
    """Make what the replays show what the scenarios must show; returns how many were replaced."""
    judged = [result for result in results if result.replay_id is not None and not result.problem]
    for result in judged:
        assert result.replay_id is not None
        report = job_report(DetectJob.objects.select_related("source_asset", "timeline").get(id=result.replay_id))
        bookmark_set(
            checkpoint_id=result.case.scenario.checkpoint_id,
            label=result.case.scenario.label,
            brands=[ExpectedBrand(brand.name, brand.seconds, brand.seconds_uncertainty) for brand in report.brands],
            by=by,
        )
    return len(judged)


def _settings(pipeline: str, stage: str, start_stage: str, overrides: Overrides) -> BatchSettings:
    stages = load_pipeline(pipeline)
    behind = min(stages.index(stage) + 1, len(stages.stages) - 1)
    if start_stage:
        return batch_settings(start_stage=start_stage, overrides=overrides, pipeline=pipeline)
    first = min([behind, *(stages.index(changed) for changed in overrides)])
    return batch_settings(start_stage=stages.stages[first].name, overrides=overrides, pipeline=pipeline)


def _take(results: list[Result], case: Case) -> Result | None:
    """The first result of the case's replay, which is then taken: two scenarios may want the same one."""
    found = next((one for one in results if one.planned.wanted == case.wanted), None)
    if found is not None:
        results.remove(found)
    return found


def _judge(case: Case, result: Result | None) -> CaseResult:
    if result is None or result.outcome != Outcome.COMPLETED or result.replay_id is None:
        reason = (result.reason or result.outcome.value) if result else "it was not replayed"
        return CaseResult(case, result.replay_id if result else None, (), reason)
    jobs = DetectJob.objects.select_related("source_asset", "timeline")
    after = job_report(jobs.get(id=result.replay_id))
    own = jobs.get(id=case.scenario.job_id)
    counts = bool(case.wanted.settings.overrides) and own.status == JobStatus.COMPLETED
    brands = judge(case.scenario.expected, after, job_report(own) if counts else None)
    return CaseResult(case, result.replay_id, brands)


def _judge_brand(brand: ExpectedBrand, seconds: float, before: float | None) -> Judged:
    """``before`` are its seconds in the scenario's own report, None where that does not count."""
    judged = Judged(brand.name, Verdict.KEPT, seconds, brand.seconds, brand.tolerance, before)
    if before is None:
        gone = not seconds and brand.seconds > 0
        return judged if _meets(brand, seconds) else replace(judged, verdict=Verdict.LOST if gone else Verdict.FARTHER)
    return replace(judged, verdict=_compared(brand, seconds, before))


def _compared(brand: ExpectedBrand, seconds: float, before: float) -> Verdict:
    if brand.seconds and not (seconds and before):
        if seconds:
            return Verdict.FOUND
        return Verdict.LOST if before else Verdict.MISSED
    if _meets(brand, seconds):
        return Verdict.KEPT if _meets(brand, before) else Verdict.NEARER
    change = abs(seconds - brand.seconds) - abs(before - brand.seconds)
    if abs(change) <= _ROUNDING:
        return Verdict.MISSED
    return Verdict.FARTHER if change > 0 else Verdict.NEARER


def _meets(brand: ExpectedBrand, seconds: float) -> bool:
    return abs(seconds - brand.seconds) <= brand.tolerance + _ROUNDING and bool(seconds or not brand.seconds)


def _seconds(report: Report) -> dict[str, float]:
    return {normalize(brand.name): brand.seconds for brand in report.brands}
