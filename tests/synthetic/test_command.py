"""``python -m detect.synthetic``."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from detect.synthetic import Truth
from detect.synthetic.__main__ import main

SMALL = ["--seconds", "1", "--width", "160", "--height", "120", "--fps", "10"]


def test_everything_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path / "match"), "--level", "medium", *SMALL]) == 0
    truth = Truth.load(tmp_path / "match" / "truth.json")
    assert len(truth.pts) == 10
    with (tmp_path / "match" / "brands.csv").open() as file:
        listed = [row["name"] for row in csv.DictReader(file)]
    assert listed == [known.name for known in truth.brands]
    for name in listed:
        picture = cv2.imdecode(np.fromfile(tmp_path / "match" / "logos" / f"{name}.png", np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape[0] == 320
    assert "match.mp4" in capsys.readouterr().out


def test_a_repeated_match_is_longer_and_leaves_nothing_else_behind(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path), "--repeat", "3", "--quiet", *SMALL]) == 0
    assert len(Truth.load(tmp_path / "truth.json").pts) == 30
    assert sorted(path.name for path in tmp_path.iterdir()) == ["brands.csv", "logos", "match.mp4", "truth.json"]


def test_what_cannot_be_done_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    assert main(["--out", str(in_the_way), *SMALL]) == 1
    assert main(["--out", str(tmp_path / "odd"), *SMALL, "--width", "161"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("error: ") for line in lines)


@pytest.mark.parametrize("options", [["--seconds", "0"], ["--fps", "1/0"], ["--level", "brutal"], ["--seconds", "nan"]])
def test_senseless_options_are_refused_before_anything_is_written(options: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--out", str(tmp_path / "match"), *options])
    assert caught.value.code == 2
    assert not (tmp_path / "match").exists()


def test_the_help_says_what_is_written_and_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert all(word in text for word in ("match.mp4", "truth.json", "brands.csv", "examples:", "--level hard"))
