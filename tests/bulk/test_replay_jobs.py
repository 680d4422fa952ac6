"""``manage.py replay_jobs`` as people and programs call it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from detect.errors import ConfigError, ConflictError
from detect.stages.compile_report import CompileReport
from jobs.choices import JobStatus
from jobs.management.arguments import day, dollars, schedule
from jobs.models import DetectJob
from jobs.selectors import job_report
from tests.bulk.conftest import PRICED, STRICTER, completed
from tests.bulk.test_money import asking_jobs
from tests.bulk.test_runs import replays

pytestmark = pytest.mark.django_db

SETTINGS = ("--set", "compile_report.min_seconds=0.7")


def rows(text: str) -> list[list[str]]:
    """The cells of every row of the tables that were printed."""
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]


def test_dry_run_prints_each_and_all_and_runs_nothing(command) -> None:
    jobs = [completed(1), completed(2)]
    ended = command("replay_jobs", *SETTINGS, "--dry-run")
    assert ended.code == 0
    *each, total = rows(ended.out)
    assert [row[0] for row in each] == [str(job.id)[:8] for job in jobs]
    assert {tuple(row[2:5]) for row in each} == {("8 of 9", "0", "0")}
    assert total[:5] == ["2 of 2", "", "16 of 18", "0", "0"]
    assert float(total[5]) == pytest.approx(sum(float(row[5]) for row in each), abs=0.02)
    assert replays() == []


def test_here(command) -> None:
    completed(1), completed(2)
    ended = command("replay_jobs", *SETTINGS, "--here", "--tag-result", "evening")
    assert ended.code == 0, ended
    assert f"2 completed; $0 spent on models. Tag: {STRICTER.tag}" in ended.out
    assert [job.tags for job in replays()] == [[STRICTER.tag, "evening"]] * 2
    assert ended.err.count("completed") == 2
    again = command("replay_jobs", *SETTINGS, "--here")
    assert "2 done before; $0" in again.out
    assert len(replays()) == 2


def test_the_really_analysed_match(command, job: DetectJob) -> None:
    ended = command("replay_jobs", "--set", "match_brands.min_similarity=0.95", "--here", "--json")
    assert ended.code == 0
    [one] = ended.json["jobs"]
    report = job_report(DetectJob.objects.get(id=one["replay_id"]))
    assert one["job_id"] == str(job.id)
    assert one["brands_found"] == len(report.brands) > 0
    assert one["estimate"]["reused_stages"] == [stage.stage for stage in report.stages[:5]]


def test_json_and_nothing_else(command) -> None:
    completed(1), completed(2)
    for arguments, dry in ((("--dry-run",), True), (("--here",), False)):
        ended = command("replay_jobs", *SETTINGS, "--json", *arguments)
        assert ended.err == ""
        assert (ended.json["batch"], ended.json["dry_run"]) == (STRICTER.tag, dry)
        assert ended.json["totals"]["to_run"] == 2
        assert ended.json["totals"]["stages_reused"] == 16
    assert [one["outcome"] for one in ended.json["jobs"]] == ["completed"] * 2
    assert [one["replay_id"] for one in ended.json["jobs"]] == [str(job.id) for job in replays()]
    again = command("replay_jobs", *SETTINGS, "--json", "--here").json
    assert [one["outcome"] for one in again["jobs"]] == ["done before"] * 2
    assert again["totals"]["failed"] == 0


def test_a_failure_is_shown_and_is_the_exit_code(command, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = completed(1)

    def fail(*_: object) -> None:
        raise ValueError("the abacus is out of beads")

    monkeypatch.setattr(CompileReport, "run", fail)
    ended = command("replay_jobs", *SETTINGS, "--here")
    assert ended.code == 1
    [row] = [row for row in rows(ended.out) if row[0] == str(parent.id)[:8]]
    assert row[1] == str(replays()[0].id)[:8]
    assert "abacus" in row[3]
    assert "1 failed" in ended.out
    assert command("replay_jobs", *SETTINGS, "--here", "--json").json["totals"]["failed"] == 1


def test_no_job_fits(command) -> None:
    ended = command("replay_jobs", *SETTINGS, "--tag", "nothing")
    assert (ended.code, "No job fits." in ended.err) == (0, True)
    assert command("replay_jobs", *SETTINGS, "--json", "--tag", "nothing").json["jobs"] == []


def test_without_workers_it_says_what_to_do(command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.management.workers.queues_served", set)
    completed(1)
    with pytest.raises(ConflictError, match=r"`manage.py up`.*--here"):
        command("replay_jobs", *SETTINGS)
    assert replays() == []


def test_scheduled_for_the_workers(command) -> None:
    completed(1)
    start = (timezone.now() + timedelta(days=2)).replace(microsecond=0)
    ended = command("replay_jobs", *SETTINGS, "--schedule", start.isoformat(), "--json")
    assert [one["outcome"] for one in ended.json["jobs"]] == ["queued"]
    [made] = replays()
    assert (made.status, made.scheduled_for, bool(made.task_id)) == (JobStatus.PENDING, start, True)


class TestMoney:
    @pytest.fixture(autouse=True)
    def priced(self, models, use_providers) -> None:
        use_providers(PRICED.format(url=models.base_url))

    def test_nobody_is_there_to_ask(self, command, models) -> None:
        asking_jobs(1)
        with pytest.raises(ConfigError, match=r"Models can cost up to \$0\.\d+\. Go on\? There is nobody to ask"):
            command("replay_jobs", "--from", "escalate_vlm", "--here")
        assert (models.asks, replays()) == ([], [])

    def test_yes_is_an_answer(self, command, models) -> None:
        asking_jobs(1)
        assert command("replay_jobs", "--from", "escalate_vlm", "--here", "--yes").code == 0
        assert len(models.asks) == 2

    def test_max_cost_is_an_answer_and_is_kept_to(self, command, models) -> None:
        asking_jobs(2)
        ended = command("replay_jobs", "--from", "escalate_vlm", "--here", "--max-cost", "0.001", "--json")
        assert ended.code == 0
        assert [one["outcome"] for one in ended.json["jobs"]] == ["not started"] * 2
        assert models.asks == []
        shown = command("replay_jobs", "--from", "escalate_vlm", "--here", "--max-cost", "0.001")
        assert "Stopped by --max-cost: the replay of" in shown.out
        assert Decimal(ended.json["totals"]["usd"]) > Decimal("0.01")

    def test_a_person_is_asked(self, command, models, monkeypatch: pytest.MonkeyPatch) -> None:
        asking_jobs(1)
        monkeypatch.setattr("jobs.management.arguments._somebody_there", lambda *_: True)
        asked: list[str] = []

        def answer(question: str, **_: object) -> bool:
            asked.append(question)
            return len(asked) > 1

        monkeypatch.setattr("jobs.management.arguments.Confirm.ask", answer)
        arguments = ("--from", "escalate_vlm", "--here", "--max-cost", "0.004")
        assert command("replay_jobs", *arguments).code == 1
        assert (models.asks, replays()) == ([], [])
        assert asked == ["Models can cost up to $0.004. Go on?"]
        assert command("replay_jobs", *arguments[:3]).code == 0
        assert len(models.asks) == 2


class TestArguments:
    def test_schedule(self) -> None:
        assert schedule("01:00-05:30").window == (time(1), time(5, 30))
        assert schedule("1:00-5:00").window == (time(1), time(5))
        assert schedule("2026-01-31T02:30").start == datetime(2026, 1, 31, 2, 30, tzinfo=UTC)
        soon = schedule("03:15").start
        assert soon is not None
        assert timedelta(0) < soon - timezone.now() <= timedelta(days=1)

    @pytest.mark.parametrize(
        "text", ["later", "25:00", "01:00-", "01:00-01:00", "01:00-26:00", "01:00-05:00+02:00", ""]
    )
    def test_no_time(self, text: str) -> None:
        with pytest.raises(ConfigError, match="is no "):
            schedule(text)

    @pytest.mark.parametrize("text", ["-1", "much", "NaN", "Infinity", ""])
    def test_no_money(self, text: str) -> None:
        with pytest.raises(ConfigError, match="no amount of dollars"):
            dollars(text)

    def test_no_date(self) -> None:
        with pytest.raises(ConfigError, match="no date"):
            day("yesterday")
