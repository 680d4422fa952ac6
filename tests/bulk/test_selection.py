"""Which jobs a batch is made of."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from detect.errors import ConfigError
from detect.options import Overrides
from jobs.bulk.batches import BatchSettings, Selection, batch_select, batch_settings
from jobs.choices import JobStatus, RunType
from jobs.models import DetectJob
from tests.bulk.conftest import STRICTER, a_brand_seen_on
from tests.trees.made import a_job, an_asset

pytestmark = pytest.mark.django_db


def on(number: int, **fields) -> DetectJob:
    when = fields.pop("asked", None)
    made = a_job(an_asset(sha256=f"{number:064x}"), **{"status": JobStatus.COMPLETED, **fields})
    if when is not None:
        DetectJob.objects.filter(id=made.id).update(created_at=when)
    return made


def chosen(settings: BatchSettings = STRICTER, **selection) -> list[object]:
    return [one.parent_id for one in batch_select(Selection(**selection), settings)]


def test_completed_first_runs_oldest_first() -> None:
    first, second = on(1), on(2)
    on(3, status=JobStatus.FAILED)
    on(4, run_type=RunType.REPLAY)
    assert chosen() == [first.id, second.id]


def test_filters() -> None:
    soccer, motor = on(1, tags=["cup", "final"]), on(2, profile_name="motorsport", video_path="/cars/spa.mp4")
    failed = on(3, status=JobStatus.FAILED)
    assert chosen(profile="motorsport") == [motor.id]
    assert chosen(tag="cup") == [soccer.id]
    assert chosen(tag="cu") == []
    assert chosen(search="SPA.mp4") == [motor.id]
    assert chosen(statuses=("failed",)) == [failed.id]
    assert chosen(statuses=("failed", "completed"), search="spa") == [motor.id]


def test_days_are_whole_and_of_utc() -> None:
    late = on(1, asked=datetime(2026, 3, 1, 23, 59, tzinfo=UTC))
    early = on(2, asked=datetime(2026, 3, 2, 0, 0, tzinfo=UTC))
    assert chosen(until=date(2026, 3, 1)) == [late.id]
    assert chosen(since=date(2026, 3, 2)) == [early.id]
    assert chosen(since=date(2026, 3, 1), until=date(2026, 3, 2)) == [late.id, early.id]


def test_by_brand() -> None:
    shown, _ = on(1), on(2)
    a_brand_seen_on(shown.source_asset, "Acme Cola")
    assert chosen(brand="ACME  cola") == [shown.id]
    with pytest.raises(ConfigError, match="no brand 'Globex'"):
        chosen(brand="Globex")


def test_jobs_by_name_are_taken_as_they_are() -> None:
    on(1)
    replay = on(2, run_type=RunType.REPLAY, status=JobStatus.FAILED)
    assert chosen(jobs=(str(replay.id)[:13],)) == [replay.id]
    assert chosen(jobs=(str(replay.id),), statuses=("completed",)) == []
    with pytest.raises(ConfigError, match="there is no job 'zzz'"):
        chosen(jobs=("zzz",))


def test_replays_too_but_never_those_of_this_batch() -> None:
    first = on(1)
    other = on(1, run_type=RunType.REPLAY, tags=["replay:000000000000"])
    on(1, run_type=RunType.REPLAY, tags=[STRICTER.tag])
    assert chosen(replays=True) == [first.id, other.id]


def test_the_latest_of_each_video() -> None:
    on(1)
    newer, other = on(1), on(2)
    assert chosen(latest_per_asset=True) == [newer.id, other.id]


def test_unknown_profile() -> None:
    with pytest.raises(ConfigError, match="unknown profile 'chess': there are"):
        chosen(profile="chess")


class TestSettings:
    def test_the_first_stage_that_is_changed(self) -> None:
        changes: Overrides = {"compile_report": {"min_seconds": 1}, "match_brands": {"min_similarity": 0.9}}
        assert batch_settings(start_stage="", overrides=changes).start_stage == "match_brands"

    def test_the_tag_stands_for_stage_and_options(self) -> None:
        changed = BatchSettings("match_brands", STRICTER.overrides)
        assert len({STRICTER.tag, changed.tag, BatchSettings("compile_report", {}).tag}) == 3
        assert STRICTER.tag == BatchSettings("compile_report", {"compile_report": {"min_seconds": 0.7}}).tag

    @pytest.mark.parametrize(
        ("stage", "changes", "says"),
        [
            ("", {}, "--from"),
            ("run_orc", {}, "run_orc"),
            ("compile_report", {"match_brands": {"min_similarity": 0.9}}, "start there"),
            ("", {"match_brands": {"min_similarity": 9}}, "min_similarity"),
        ],
    )
    def test_refused_before_anything_is_looked_at(self, stage, changes, says) -> None:
        with pytest.raises(ConfigError, match=says):
            batch_settings(start_stage=stage, overrides=changes)
