"""The demo's own parts. The whole of it is run by .ci/run."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from detect.errors import StorageError
from detect.synthetic import Match, build_match
from mediaproc import sample
from mediaproc.datafolder import PROJECT_ROOT, DataFolder
from tests.platform.processes import assert_all_end, eventually, family, state


@pytest.fixture
def short_match(monkeypatch: pytest.MonkeyPatch) -> Match:
    """A match of four frames instead of twenty seconds; what is done with it is the same."""
    match = build_match(7, "easy", 4 / 30, width=320, height=180)
    monkeypatch.setattr(sample, "build_match", lambda *arguments: match)
    return match


def test_sample_is_rendered_once_with_its_brands(tmp_path: Path, short_match: Match) -> None:
    seen: list[tuple[int, int]] = []
    made = sample.sample_match(tmp_path / "demo", lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    with made.brands.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["aliases"]) for row in rows] == [
        (brand.name, ";".join(brand.aliases)) for brand in short_match.brands
    ]
    assert made.logos
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in made.logos.values())
    assert sample.sample_match(tmp_path / "demo", lambda done, total: pytest.fail("rendered again")) == made


def test_render_that_was_stopped_leaves_no_half_video(tmp_path: Path, short_match: Match) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample.sample_match(tmp_path, stop)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_written(short_match: Match) -> None:
    with pytest.raises(StorageError, match="/dev/null/demo"):
        sample.sample_match(Path("/dev/null/demo"), lambda done, total: None)


def test_interrupted_demo_leaves_no_process(data: DataFolder) -> None:
    environment = {**os.environ, "MEDIAPROC_DATA": str(data.root), "DJANGO_SETTINGS_MODULE": "mediaproc.settings"}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo"], cwd=PROJECT_ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        eventually(lambda: list((data.root / "demo").glob(".rendering-*/*.mp4")), within=60)
        assert state(data)["servers"].keys() == {"postgres", "valkey"}
        started = family(data)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[1].strip() == "Stopped."
        assert process.returncode == 130
        assert_all_end(started)
        assert list((data.root / "demo").iterdir()) == []
    finally:
        process.kill()
        process.communicate()
