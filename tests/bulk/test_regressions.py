"""Scenarios with expectations, held against what replays of them show."""

from __future__ import annotations

import msgspec
import pytest

from detect.errors import ConfigError
from detect.models import Checkpoint
from detect.report import Report
from detect.stages.compile_report import CompileReport
from jobs.branches.scenarios import ExpectedBrand, bookmark_set
from jobs.bulk.regressions import Judged, Verdict, judge, scenario_cases
from jobs.models import DetectJob, ScenarioExpectation
from jobs.selectors import job_report
from tests.bulk.conftest import completed
from tests.bulk.test_runs import replays
from tests.report.factories import detection
from tests.trees.made import matched_job

pytestmark = pytest.mark.django_db


def bookmark(job: DetectJob, stage: str = "run_ocr", label: str = "small boards", **given) -> Checkpoint:
    node = Checkpoint.objects.get(job_id=job.id, stage=stage)
    return bookmark_set(checkpoint_id=node.id, label=label, **(given or {"from_report": True}))


def verdicts(brands) -> dict[str, str]:
    return {brand["name"]: brand["verdict"] for brand in brands}


class TestJudge:
    @pytest.fixture
    def report(self) -> Report:
        return job_report(completed(1, detections=[detection("Acme", [0, 1, 2])]))

    @pytest.mark.parametrize(
        ("before", "now", "verdict"),
        [
            (None, 10.0, Verdict.KEPT),
            (None, 10.5, Verdict.KEPT),
            (None, 9.4, Verdict.FARTHER),
            (None, 0.0, Verdict.LOST),
            (10.0, 10.4, Verdict.KEPT),
            (10.0, 8.0, Verdict.FARTHER),
            (10.0, 12.0, Verdict.FARTHER),
            (10.0, 0.0, Verdict.LOST),
            (6.0, 8.0, Verdict.NEARER),
            (6.0, 10.0, Verdict.NEARER),
            (6.0, 14.0, Verdict.MISSED),
            (6.0, 15.0, Verdict.FARTHER),
            (0.0, 0.0, Verdict.MISSED),
            (0.0, 10.0, Verdict.FOUND),
            (0.0, 3.0, Verdict.FOUND),
        ],
    )
    def test_one_brand(self, report: Report, before: float | None, now: float, verdict: Verdict) -> None:
        own = None if before is None else showing(report, before)
        [judged] = judge([ExpectedBrand("ACME", 10.0, 0.5)], showing(report, now), own)
        assert judged == Judged("ACME", verdict, now, 10.0, 0.5, before)

    def test_what_nobody_expects(self, report: Report) -> None:
        judged = judge([ExpectedBrand("Bolt", 0.0)], report, None)
        assert [(one.name, one.verdict) for one in judged] == [("Acme", Verdict.GAINED), ("Bolt", Verdict.KEPT)]
        assert judge([ExpectedBrand("Acme", 0.0)], report, None)[0].verdict == Verdict.FARTHER


def showing(report: Report, seconds: float) -> Report:
    """The same report with its one brand on screen for so long; not at all for 0."""
    brands = [msgspec.structs.replace(brand, seconds=seconds) for brand in report.brands] if seconds else []
    return msgspec.structs.replace(report, brands=brands)


class TestCases:
    def test_only_scenarios_with_an_expectation_from_the_stage_behind(self) -> None:
        job, other = completed(1), completed(2)
        bookmark(job, "match_brands", "night match")
        bookmark(other, "run_ocr", "Day match")
        bare = Checkpoint.objects.get(job_id=other.id, stage="detect_edges")
        bookmark_set(checkpoint_id=bare.id, label="no expectation")
        found = {case.scenario.label: case.wanted.settings.start_stage for case in scenario_cases(overrides={})}
        assert found == {"night match": "escalate_vlm", "Day match": "match_brands"}
        assert [case.scenario.label for case in scenario_cases(overrides={}, label="day")] == ["Day match"]

    def test_from_an_earlier_stage_where_its_options_are_changed(self) -> None:
        bookmark(completed(1), "compile_report")
        [last] = scenario_cases(overrides={})
        assert last.wanted.settings.start_stage == "compile_report"
        [earlier] = scenario_cases(overrides={"match_brands": {"min_similarity": 0.9}})
        assert earlier.wanted.settings.start_stage == "match_brands"
        [forced] = scenario_cases(overrides={}, start_stage="run_ocr")
        assert forced.wanted.settings.start_stage == "run_ocr"
        with pytest.raises(ConfigError, match="start there"):
            scenario_cases(overrides={"run_ocr": {"detect_side": 640}}, start_stage="match_brands")


class TestCommand:
    """On the match that was really analysed."""

    @pytest.fixture(autouse=True)
    def same_engine(self, finished, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("jobs.branches.estimates.engine_resources", lambda: finished.resources)

    def test_what_is_as_expected_is_kept(self, command, job: DetectJob) -> None:
        bookmark(job)
        ended = command("check_scenarios")
        assert ended.code == 0, ended.out
        count = len(job_report(job).brands)
        assert f"1 scenarios, 0 with losses or failed. Brands: {count} kept" in ended.out
        assert "small boards" in ended.out
        assert "scenario-check" in replays()[0].tags

    def test_settings_that_lose_brands(self, command, job: DetectJob) -> None:
        bookmark(job)
        before = {brand.name: brand.seconds for brand in job_report(job).brands}
        changes = ("--set", "match_brands.min_confidence=1.0")
        ended = command("check_scenarios", *changes, "--json")
        assert (ended.code, ended.err) == (1, "")
        [scenario] = ended.json["scenarios"]
        after = {brand.name: brand.seconds for brand in job_report(replays()[0]).brands}
        lost = before.keys() - after.keys()
        assert lost
        assert {name for name, verdict in verdicts(scenario["brands"]).items() if verdict == "lost"} == lost
        assert scenario["failed"] is True
        assert ended.json["totals"]["lost"] == len(lost)
        shown = command("check_scenarios", *changes)
        assert shown.code == 1
        assert f"{len(lost)} lost" in shown.out
        assert next(iter(lost)) in shown.out

    def test_settings_that_find_what_was_missed(self, command, job: DetectJob) -> None:
        """The job that is worse is the scenario; the settings of the better one find more."""
        command("replay_jobs", "--set", "match_brands.min_confidence=1.0", "--here")
        [worse] = replays()
        expected = [ExpectedBrand(one.name, one.seconds, 0.2) for one in job_report(job).brands]
        missing = {one.name for one in expected} - {one.name for one in job_report(worse).brands}
        node = Checkpoint.objects.get(job_id=worse.id, stage="compile_report")
        bookmark_set(checkpoint_id=node.id, label="worse", brands=expected)
        assert command("check_scenarios").code == 1, "as it is, it does not meet what is expected"
        default = "match_brands.min_confidence=0.5"
        ended = command("check_scenarios", "--set", default, "--json")
        [scenario] = ended.json["scenarios"]
        assert {name for name, verdict in verdicts(scenario["brands"]).items() if verdict == "found"} == missing
        assert (ended.code, scenario["start_stage"]) == (0, "match_brands")

    def test_a_replay_that_fails(self, command, job: DetectJob, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise ValueError("the abacus is out of beads")

        bookmark(job)
        monkeypatch.setattr(CompileReport, "run", fail)
        ended = command("check_scenarios", "--set", "compile_report.min_seconds=0.7")
        assert ended.code == 1
        assert "abacus" in ended.out

    def test_update(self, command, job: DetectJob) -> None:
        node = bookmark(job)
        changes = ("--set", "match_brands.min_confidence=1.0")
        with pytest.raises(ConfigError, match="nobody to ask"):
            command("check_scenarios", *changes, "--update")
        assert replays() == []
        ended = command("check_scenarios", *changes, "--update", "--yes")
        assert ended.code == 0
        assert "1 expectations replaced." in ended.out
        expected = ScenarioExpectation.objects.get(checkpoint=node).brands
        report = job_report(replays()[0])
        assert [one["name"] for one in expected] == [one.name for one in report.brands]
        assert [one["seconds"] for one in expected] == [one.seconds for one in report.brands]
        again = command("check_scenarios", *changes, "--json")
        assert (again.code, again.json["totals"]["lost"]) == (0, 0)


class TestWithoutScenarios:
    def test_it_says_how_to_make_one(self, command) -> None:
        ended = command("check_scenarios")
        assert ended.code == 0
        assert "PATCH /detect/checkpoints/ID/bookmark" in ended.out
        assert '"expect": "current"' in ended.out

    def test_for_programs(self, command) -> None:
        matched_job()
        assert command("check_scenarios", "--json").json["scenarios"] == []

    def test_options_are_checked_all_the_same(self, command) -> None:
        with pytest.raises(ConfigError, match="run_orc"):
            command("check_scenarios", "--set", "run_orc.detect_side=640")
