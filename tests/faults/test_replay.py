"""Replays: what they reuse, what they add, and that they leave alone what was there."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Setup, new_setup
from tests.faults.installation import Installation, comparable

EARLIER = ("extract_frames", "filter_scenes", "detect_edges", "detect_objects", "run_ocr")
#: The engine's and the jobs' records: none of them may change once it is there, but for a job that goes on.
TABLES = ("detect_sourceasset", "detect_timeline", "detect_stageoutput", "detect_checkpoint", "detect_modelanswer")


@pytest.fixture(scope="module")
def analysed(clip: Path, weights: Path) -> Iterator[Setup]:
    """An installation with one finished job."""
    with new_setup(clip, weights, running=True) as made:
        outcome = made.installation.run(*made.request)
        assert outcome.code == 0, outcome.err
        yield made


def everything(place: Installation) -> dict[str, set[str]]:
    """All rows by table, and all stored files with what is in them."""
    rows = {table: {str(row) for row in place.rows(f"SELECT * FROM {table}")} for table in (*TABLES, "jobs_detectjob")}
    files = {
        f"{path.relative_to(place.data.storage)} {hash(path.read_bytes())} {path.stat().st_mtime_ns}"
        for path in place.data.storage.rglob("*")
        if path.is_file()
    }
    return {**rows, "files": files}


def assert_kept(before: dict[str, set[str]], after: dict[str, set[str]]) -> None:
    for name, rows in before.items():
        assert rows <= after[name], f"{name}: something was changed or deleted"


def first_job(setup: Setup) -> str:
    return str(setup.installation.jobs()[0]["id"])


def replay(setup: Setup, out: Path, *arguments: str, **options: Any) -> tuple[dict[str, Any], str]:
    """Replay the first job; returns the report and what was printed."""
    outcome = setup.installation.run("replay", first_job(setup), *arguments, "--out", out, **options)
    assert outcome.code == 0, outcome.err
    report: dict[str, Any] = json.loads((out / "report.json").read_bytes())
    return report, outcome.out


def stored(place: Installation) -> list[dict[str, Any]]:
    """How many outputs of the stages before match_brands there are, and how many bytes they take."""
    return place.rows(
        f"SELECT stage, count(*), sum(length(body)) AS bytes FROM detect_stageoutput WHERE stage IN {EARLIER}"
        " GROUP BY stage ORDER BY stage"
    )


def test_replay_from_match_brands_stores_no_second_copy(analysed: Setup, tmp_path: Path) -> None:
    place = analysed.installation
    before, copies, begun, asked = everything(place), stored(place), place.begun(), len(analysed.models.asks)
    report, printed = replay(
        analysed, tmp_path / "out", "--from", "match_brands", "--set", "match_brands.min_confidence=0.9"
    )

    assert stored(place) == copies
    assert len(copies) == len(EARLIER)
    assert_kept(before, everything(place))
    again = place.begun() - begun
    assert again["match_brands 0"] == 1
    assert set(again) <= {"match_brands 0", "escalate_vlm 0", "escalate_cloud 0", "compile_report 0"}
    assert [stage["stage"] for stage in report["stages"] if stage["reused"]][: len(EARLIER)] == list(EARLIER)
    assert not report["stages"][len(EARLIER)]["reused"]
    assert len(analysed.models.asks) == asked, "a question was paid twice"
    happened = {row.split()[1]: row for row in printed.splitlines() if row.count("│") == 4}
    assert all(" reused " in happened[stage] for stage in EARLIER)
    assert " ran " in happened["match_brands"]


def test_replay_with_the_same_options_computes_nothing(analysed: Setup, tmp_path: Path) -> None:
    place = analysed.installation
    begun = place.begun()
    before = everything(place)
    replay(analysed, tmp_path / "out", "--from", "extract_frames")
    assert place.begun() == begun
    after = everything(place)
    assert_kept(before, after)
    assert after["detect_stageoutput"] == before["detect_stageoutput"]
    assert after["files"] == before["files"]
    assert comparable(tmp_path / "out") == comparable(analysed.report)


def test_replay_from_the_first_stage_makes_a_timeline_of_its_own(analysed: Setup, tmp_path: Path) -> None:
    place = analysed.installation
    before = everything(place)
    replay(analysed, tmp_path / "out", "--from", "extract_frames", "--set", "extract_frames.fps=2")
    assert_kept(before, everything(place))
    first, second = place.rows(
        "SELECT fps, frames_prefix, jsonb_array_length(frames_meta) AS frames FROM detect_timeline ORDER BY created_at"
    )
    assert (first["fps"], second["fps"]) == (1, 2)
    assert first["frames_prefix"] != second["frames_prefix"]
    assert second["frames"] == pytest.approx(2 * first["frames"], abs=1)


def test_killed_replay_goes_on(analysed: Setup, tmp_path: Path) -> None:
    place = analysed.installation
    arguments = ("--from", "run_ocr", "--set", "run_ocr.min_letters=3")
    jobs, begun = len(place.jobs()), place.begun()
    killed = place.run("replay", first_job(analysed), *arguments, kill="run_ocr:working")
    assert killed.code == -signal.SIGKILL
    before = everything(place)
    replay(analysed, tmp_path / "out", *arguments)
    assert len(place.jobs()) == jobs + 1
    after = everything(place)
    assert_kept({name: rows for name, rows in before.items() if name != "jobs_detectjob"}, after)
    again = place.begun() - begun
    assert (again["run_ocr 0"], again["run_ocr 1"], again["run_ocr 2"]) == (1, 2, 1)

    replay(analysed, tmp_path / "out", *arguments)
    assert len(place.jobs()) == jobs + 2, "a replay that is done is not taken up again"


def test_analysed_again_the_report_is_the_same(analysed: Setup, tmp_path: Path) -> None:
    place = analysed.installation
    begun, asked = place.begun(), len(analysed.models.asks)
    outcome = place.run(*analysed.request, "--out", tmp_path / "again")
    assert outcome.code == 0, outcome.err
    assert comparable(tmp_path / "again") == comparable(analysed.report)
    assert (place.begun(), len(analysed.models.asks)) == (begun, asked)


def test_analysed_elsewhere_the_report_is_the_same(analysed: Setup, setup: Setup) -> None:
    """Everything is computed anew, in a process whose sets and hashes have another order."""
    setup.installation.environment["PYTHONHASHSEED"] = "7"
    outcome = setup.installation.run(*setup.request)
    assert outcome.code == 0, outcome.err
    assert comparable(setup.report) == comparable(analysed.report)
