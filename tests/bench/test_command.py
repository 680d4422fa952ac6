"""``python -m bench`` itself: what it plans, what it says, and one real measurement."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction

import pytest

from bench import __main__ as command
from bench.footage import Clip, real_clips
from bench.plan import PARTS, QUICK_RESULTS, RESULTS, Plan, plan_of
from bench.process import BenchError


def plan(*arguments: str) -> Plan:
    return plan_of(command.parser().parse_args(arguments))


def test_everything_by_default():
    whole = plan()
    assert whole.parts == PARTS
    assert whole.levels == ("easy", "medium", "hard")
    assert whole.minutes == (2.0, 20.0)
    assert whole.out == RESULTS


def test_quick_is_smaller_and_kept_apart():
    quick = plan("--quick")
    assert quick.out == QUICK_RESULTS
    assert quick.minutes == (1.0, 3.0)
    assert quick.rounds == 1
    assert quick.match_seconds < plan().match_seconds
    assert plan("--quick", "--rounds", "5").rounds == 5


def test_parts_keep_their_order():
    assert plan("--only", "replay", "--only", "accuracy").parts == ("accuracy", "replay")


def test_no_synthetic_matches():
    assert plan("--levels", "none").levels == ()


@pytest.mark.parametrize("part", PARTS)
def test_settings_tell_measurements_apart(part):
    assert plan().settings(part) == plan().settings(part)
    other = plan("--quick", "--clips", "a*", "--minutes", "1", "5")
    assert plan().settings(part) != other.settings(part)
    json.dumps(plan().settings(part))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--minutes", "2"], "two different lengths"),
        (["--minutes", "2", "2"], "two different lengths"),
        (["--minutes", "-1", "2"], "over 0"),
        (["--rounds", "0"], "1 or more"),
    ],
)
def test_values_without_sense_are_named(arguments, complaint):
    with pytest.raises(BenchError, match=complaint):
        plan(*arguments)


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    for word in (*PARTS, "examples", "--quick", "MEDIAPROC_TEST_MEDIA", "docs/benchmarks.md"):
        assert word in text


def test_an_unknown_part_is_answered_with_the_known_ones(capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["--only", "colour"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert all(part in said for part in PARTS)


def test_absent_footage_is_said_and_skipped(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MEDIAPROC_TEST_MEDIA", str(tmp_path / "none"))
    out = tmp_path / "results.json"
    assert command.main(["--only", "replay", "--levels", "none", "--out", str(out)]) == 0
    assert (
        f"There is no real clip named '*' with .truth.json and .brands.csv in {tmp_path / 'none'}"
        in capsys.readouterr().out
    )
    assert not out.exists()


def test_an_error_is_one_line_and_exit_code_1(tmp_path, capsys):
    out = tmp_path / "results.json"
    out.write_text("no results")
    assert command.main(["--only", "replay", "--out", str(out)]) == 1
    assert f"Error: {out} cannot be read as results" in capsys.readouterr().err


def test_real_clips_need_truth_and_brand_list(tmp_path, match):
    folder = tmp_path / "media"
    clips = copied(match, folder, "whole")
    (folder / "whole.brands.csv").rename(folder / "other.brands.csv")
    assert real_clips(folder) == []
    (folder / "other.brands.csv").rename(folder / "whole.brands.csv")
    (found,) = real_clips(folder)
    assert (found.name, found.group, found.truth) == ("whole", "real", clips.truth)
    assert found.seconds == pytest.approx(match.seconds, abs=0.1)


@pytest.fixture(scope="module")
def match(tmp_path_factory) -> Clip:
    """Two seconds of a match in a small picture."""
    from detect.synthetic import build_match, render_match

    folder = tmp_path_factory.mktemp("match")
    made = build_match(3, "easy", 2, width=320, height=180, fps=Fraction(10))
    truth = render_match(made, folder / "match.mp4")
    (folder / "brands.csv").write_text("".join(f"{brand.name},\n" for brand in made.brands))
    return Clip("match", "easy", folder / "match.mp4", folder / "brands.csv", truth.to_spans(), truth.duration)


def copied(match: Clip, folder, name: str) -> Clip:
    folder.mkdir()
    shutil.copy(match.video, folder / f"{name}.mp4")
    shutil.copy(match.brands, folder / f"{name}.brands.csv")
    (folder / f"{name}.truth.json").write_text(json.dumps(match.truth))
    return match


@pytest.mark.slow
def test_a_replay_stores_no_second_copy_and_the_next_one_is_compared(tmp_path, match, monkeypatch, capsys):
    copied(match, tmp_path / "media", "sample")
    monkeypatch.setenv("MEDIAPROC_TEST_MEDIA", str(tmp_path / "media"))
    out = tmp_path / "results.json"
    assert command.main(["--only", "replay", "--out", str(out)]) == 0
    section = json.loads(out.read_text())["sections"]["replay"]
    figures = section["figures"]
    assert (figures["rows_added"], figures["bytes_added"]) == (0, 0)
    assert figures["before"]["run_ocr"]["rows"] > 0
    assert figures["before"]["run_ocr"] == figures["after"]["run_ocr"]
    unchanged, changed = figures["replays"]
    assert unchanged["ran"] == {}
    assert "match_brands" in changed["ran"]
    assert not set(changed["ran"]) & {"extract_frames", "filter_scenes", "detect_edges", "detect_objects", "run_ocr"}
    assert section["machine"]["cores"] >= 1
    printed = capsys.readouterr().out
    assert "rows added to earlier stages" in printed
    assert "Nothing measured before" in printed
