"""Speed, memory and replay figures from measurements made by hand."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bench.installation import Stored, StoredOutputs, exposures, isolated, stage_times
from bench.memory import LengthFigures, compared
from bench.promises import verdicts
from bench.replay import OTHER_SETTING, STAGE, added, earlier_stages
from bench.speed import Round, SpeedFigures, _figures, ratio, stage_seconds
from detect.config import resolve
from detect.options import parse_assignments
from detect.registry import load_pipeline
from jobs.console import ConsoleProgress
from tests.bench.made import analysis, clip, measured, report, result
from tests.bench.test_results import section


def test_stage_times_are_read_from_what_the_command_line_prints():
    text = io.StringIO()
    progress = ConsoleProgress(Console(file=text, width=160), stages=9)
    progress.stage_finished(result("extract_frames", 0, seconds=1.25))
    progress.stage_finished(result("filter_scenes", 1, seconds=0.5, skipped="nothing 3/9 s"))
    lines = [(4.0 + number, line) for number, line in enumerate(text.getvalue().splitlines())]
    found = stage_times(measured([*lines, (9.0, "Going on with job 12/3 of 4 s")]))
    assert [(item.stage, item.start, item.end) for item in found] == [
        ("extract_frames", 2.75, 4.0),
        ("filter_scenes", 4.5, 5.0),
    ]


def test_start_up_work_and_closing_make_up_the_wall_time():
    lines = [(3.0, "1/2 extract_frames   1.00 s  frames 4"), (8.5, "2/2 run_ocr   5.50 s  tracks 2")]
    found = analysis(measured(lines, wall=10.0))
    assert (found.start_up, found.work, found.closing) == (2.0, 8.0, 1.5)


def test_stages_that_ran():
    stages = [
        result("extract_frames", 0, reused=True),
        result("detect_objects", 1, skipped="no weights"),
        result("run_ocr", 2),
    ]
    found = analysis(measured([(1.0, "1/9 extract_frames 0.00 s")]), stages=stages)
    assert [stage.stage for stage in found.ran] == ["run_ocr"]


def test_exposures_for_scoring():
    assert list(exposures(report(None, "Acme", "Globex"))) == ["Acme", "Globex"]


def test_a_measurement_sees_no_database_or_key_of_this_machine(tmp_path):
    here = {
        "DATABASE_URL": "x",
        "AWS_S3_BUCKET": "x",
        "MEDIAPROC_PROVIDERS": "x",
        "MEDIAPROC_DATA": "x",
        "REDIS_URL": "x",
    }
    kept = isolated({**here, "PATH": "/bin", "MEDIAPROC_THREADS": "4"}, tmp_path)
    assert kept["MEDIAPROC_DATA"] == str(tmp_path)
    assert kept["DJANGO_SETTINGS_MODULE"] == "mediaproc.settings"
    assert {"PATH", "MEDIAPROC_THREADS"} == set(kept) - {"MEDIAPROC_DATA", "DJANGO_SETTINGS_MODULE", "COLUMNS"}


def rounds(*pairs: tuple[float, float]) -> list[Round]:
    return [Round(ours, ours, ours, plain, plain, plain) for ours, plain in pairs]


def test_ratio_is_of_medians():
    assert ratio(rounds((1, 10), (2, 10), (90, 10)), "wall") == pytest.approx(0.2)
    assert ratio(rounds((1, 0)), "work") == float("inf")


def length(seconds: float, peak: int, cpu: float) -> LengthFigures:
    return LengthFigures(seconds, peak, peak, cpu, cpu, cpu / seconds, {"run_ocr": peak})


def test_growth_and_slowdown():
    figures = compared([length(120, 1000, 30), length(600, 1500, 200), length(1200, 1100, 600)])
    assert figures.growth == pytest.approx(0.1)
    assert figures.slowdown == pytest.approx(2.0)
    assert figures.headlines()["growth from the shortest to the longest"].value == pytest.approx(0.1)


def stored(frames: int = 4, **outputs: tuple[int, int]) -> Stored:
    return Stored({stage: StoredOutputs(*kept) for stage, kept in outputs.items()}, frames, frames * 100)


def test_only_what_earlier_stages_gained_counts():
    before = stored(run_ocr=(2, 500), match_brands=(2, 50))
    assert added(before, stored(run_ocr=(2, 500), match_brands=(4, 90)), ["extract_frames", "run_ocr"]) == (0, 0)
    assert added(before, stored(run_ocr=(3, 800), match_brands=(2, 50)), ["run_ocr"]) == (1, 300)
    assert added(before, stored(5, run_ocr=(2, 500), match_brands=(2, 50)), ["run_ocr"]) == (1, 100)


def test_a_part_of_an_earlier_stage_that_appears_counts():
    after = Stored({"run_ocr": StoredOutputs(2, 500), "run_ocr.lines": StoredOutputs(1, 9)}, 4, 400)
    assert added(stored(run_ocr=(2, 500)), after, ["run_ocr"]) == (1, 9)


def test_the_replayed_setting_exists_and_differs_from_the_default():
    pipeline = load_pipeline("brands")
    usual = resolve(pipeline, "soccer_broadcast")
    other = resolve(pipeline, "soccer_broadcast", parse_assignments([OTHER_SETTING]))
    names = [stage.name for stage in pipeline.stages]
    assert [name for name in names if usual.options[name] != other.options[name]] == [STAGE]
    assert earlier_stages(names) == names[: names.index(STAGE)]


def test_speed_with_models_loaded_stands_beside_speed_with_their_loading():
    lines = [(3.0, "1/9 extract_frames 1.00 s")]
    once = analysis(
        measured(lines), stages=[result("extract_frames", 0, seconds=2.0), result("run_ocr", 1, seconds=4.0)]
    )
    figures = _figures(clip(seconds=20.0), rounds((6.0, 12.0)), [once], once, loaded_work=3.0)
    assert (figures.work_ratio, figures.loaded_ratio) == (0.5, 0.25)
    headlines = SpeedFigures({"clip": figures}).headlines()
    assert headlines["clip: work against plain"].value == 0.5
    assert headlines["clip: work against plain, models loaded"].value == 0.25
    assert stage_seconds(once.report) == 6.0
    held = verdicts({"speed": section(**headlines)}, full=True)
    assert {item.name: item.kept for item in held if "work against" in item.name} == {
        "clip: work against plain": False,
        "clip: work against plain, models loaded": False,
    }
