"""``manage.py pitstop``: a film and its times from one command, refused before anything starts where it cannot be."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from tests.faults.installation import Installation, installation
from tests.media.clips import write_clip
from tests.pitstop.plant import ZONES, tiny_weights

FRAMES = 50


@pytest.fixture(scope="module")
def made() -> Iterator[Installation]:
    with installation() as found:
        write_clip(found.folder / "clip.mp4", FRAMES, audio=True)
        tiny_weights(found.folder / "tiny.onnx")
        (found.folder / "broken.onnx").write_bytes(b"no network")
        yield found


def zones_file(folder: Path, name: str, zones: Any) -> Path:
    path = folder / name
    path.write_text(zones if isinstance(zones, str) else json.dumps(zones))
    return path


Say = Callable[[Path], list[str | Path]]
SQUARE = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]
REFUSED: list[tuple[str, Say, tuple[str, ...]]] = [
    ("no video", lambda folder: [folder / "none.mp4"], ("none.mp4", "no such file")),
    ("weights that are not there", lambda folder: ["--weights", folder / "none.pt"], ("none.pt", "no such file")),
    ("broken weights", lambda folder: ["--weights", folder / "broken.onnx"], ("broken.onnx",)),
    ("a threshold beyond its range", lambda folder: ["--threshold", "1.5"], ("confidence", "1.5")),
    ("an option that there is not", lambda folder: ["--set", "run_ocr.max_side=3"], ("run_ocr",)),
    ("an output that is no file", lambda folder: ["--output", folder], ("--output", ".mp4")),
    ("zones that are not there", lambda folder: ["--zones", folder / "none.json"], ("none.json", "cannot be read")),
    ("zones that are no list", lambda folder: ["--zones", zones_file(folder, "a.json", {})], ("a.json", "list")),
    ("zones that are no text", lambda folder: ["--zones", zones_file(folder, "b.json", "[{")], ("b.json", "neither")),
    (
        "a zone outside the picture",
        lambda folder: ["--zones", zones_file(folder, "c.json", [{"name": "Fuel", "points": [*SQUARE, [1.5, 0]]}])],
        ("zones", "1"),
    ),
    (
        "a zone that counts what the weights do not know",
        lambda folder: [
            "--zones",
            zones_file(folder, "d.json", [{"name": "Fuel", "points": SQUARE, "classes": ["truck"]}]),
        ],
        ("Fuel", "truck", "car, person"),
    ),
]


def test_what_cannot_be_done_is_said_before_anything_starts(made: Installation, tmp_path: Path) -> None:
    requests: list[list[str | Path]] = []
    for name, say, _ in REFUSED:
        said = say(made.folder)
        video = [] if name == "no video" else [made.folder / "clip.mp4"]
        weights: list[str | Path] = [] if "--weights" in said else ["--weights", made.folder / "tiny.onnx"]
        requests.append(["pitstop", *video, *weights, *said])
    for (name, _, words), outcome in zip(REFUSED, made.run_each(requests, tmp_path), strict=True):
        error = outcome.error()
        assert [word for word in words if word not in error] == [], (name, error)
        assert outcome.err == error + "\n", (name, outcome.err)
    assert not made.data.postgres.exists(), "the database was started"


def test_a_film_and_its_times_and_again_in_other_zones(made: Installation, tmp_path: Path) -> None:
    zones, film = zones_file(tmp_path, "zones.yaml", ZONES), tmp_path / "out" / "film.mp4"
    asked: list[str | Path] = [
        "pitstop",
        made.folder / "clip.mp4",
        "--weights",
        made.folder / "tiny.onnx",
        "--output",
        film,
    ]
    with made.database():
        outcome = made.run(*asked, "--zones", zones)
        assert outcome.code == 0, outcome.err
        assert [word for word in ("Stop", "zone Box", "zone Fuel", str(film)) if word not in outcome.out] == []
        assert "6/6 encode_video" in outcome.err
        metrics = json.loads(film.with_suffix(".json").read_text())
        assert [zone["name"] for zone in metrics["zones"]] == ["Box", "Fuel"]
        assert metrics["zones"][0]["seconds"] == pytest.approx(2, abs=0.05)
        with av.open(str(film)) as made_film:
            assert sum(1 for _ in made_film.decode(video=0)) == FRAMES
            assert len(made_film.streams.audio) == 1
        before = made.begun()
        again = made.run(*asked, "--zones", zones_file(tmp_path, "one.json", ZONES[:1]), "--json")
    assert again.code == 0, again.err
    assert [zone["name"] for zone in json.loads(again.out)["zones"]] == ["Box"]
    assert json.loads(again.out) == json.loads(film.with_suffix(".json").read_text())
    assert {unit.split()[0] for unit in made.begun() - before} == {"time_zones", "render_overlays", "encode_video"}


def test_stopped_it_goes_on_where_it_was(made: Installation, tmp_path: Path) -> None:
    asked: list[str | Path] = [
        "pitstop",
        made.folder / "clip.mp4",
        "--weights",
        made.folder / "tiny.onnx",
        "--threshold",
        "0.3",
    ]
    asked += ["--set", "detect_each_frame.keep_above=0.2", "--output", tmp_path / "film.mp4"]
    with made.database():
        assert made.run(*asked, kill="time_zones:unsaved").code == -signal.SIGKILL
        before = made.begun()
        outcome = made.run(*asked)
    assert outcome.code == 0, outcome.err
    assert "Going on with job" in outcome.err
    assert {unit.split()[0] for unit in made.begun() - before} == {"time_zones", "render_overlays", "encode_video"}
