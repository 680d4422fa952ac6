"""One pit stop from its upload to its deletion, with a real site, worker and scheduler."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import pytest

from jobs.pitstop.selectors import SPANS
from tests.pitstop.acting import Does
from tests.pitstop.plant import CHUNKS, JOBS, SECONDS, ZONES, Plant, digest

OTHER = [{"name": "Wall", "points": [[0.0, 0.0], [0.15, 0.0], [0.15, 1.0], [0.0, 1.0]]}]
STAGES = list(SPANS)


@dataclass
class Told:
    """What a story came to: each answer on the way, the files, and what was there before, between and after."""

    before: set[str]
    film: Path
    job: dict[str, Any]
    looks: list[dict[str, Any]] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)
    replay: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def told(plant: Plant, long_video: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    plant.tell("render_overlays.1.working", Does.HOLD)
    before = plant.left()
    job = plant.send(long_video, zones=json.dumps(ZONES), series="GT", race="Monza")
    looks: list[dict[str, Any]] = []

    def look(answer: dict[str, Any]) -> None:
        looks.append(dict(answer))
        if answer["stage"] == "RENDERING":
            plant.let_go("render_overlays.1.working")

    ended = plant.until_ended(job, look)
    film = tmp_path_factory.mktemp("made") / "film.mp4"
    film.write_bytes(plant.complete(job))
    return Told(before, film, ended, looks, plant.http.get(f"{JOBS}/{job}/metrics").json())


def times(path: Path) -> list[float]:
    """When each frame is shown, all of them decoded."""
    with av.open(str(path)) as container:
        return [float(frame.time or 0) for frame in container.decode(video=0)]


def test_it_completes_in_the_contracts_words(told: Told) -> None:
    assert (told.job["status"], told.job["stage"], told.job["progress"]) == ("COMPLETE", "COMPLETE", 1)
    assert (told.job["series"], told.job["race"]) == ("GT", "Monza")
    assert told.job["output"]["size_bytes"] == told.film.stat().st_size


def test_stage_and_progress_keep_to_their_spans_and_never_go_back(told: Told) -> None:
    assert {"RENDERING", "COMPLETE"} <= {look["stage"] for look in told.looks}
    for look in told.looks:
        low, high = SPANS[look["stage"]]
        assert low <= look["progress"] <= high, look
    order = [(STAGES.index(look["stage"]), look["progress"]) for look in told.looks]
    assert order == sorted(order)


def test_the_output_has_the_sources_frames_and_times(told: Told, long_video: Path) -> None:
    wanted, found = times(long_video), times(told.film)
    assert len(found) == len(wanted) > 100
    assert max(abs(one - other) for one, other in zip(wanted, found, strict=True)) <= 0.001
    with av.open(str(told.film)) as container:
        assert len(container.streams.audio) == 1
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")


def test_metrics_are_those_of_what_stood_there(told: Told, long_video: Path) -> None:
    length = times(long_video)[-1] - times(long_video)[0]
    assert told.metrics["stop_time_s"] == pytest.approx(length, abs=1.5)
    assert told.metrics["stop"]["cut"] == "both"
    box, fuel = told.metrics["zones"]
    assert [visit["label"] for visit in box["visits"]] == ["car"]
    assert [visit["label"] for visit in fuel["visits"]] == ["person"]
    assert told.metrics["fuel_time_s"] == pytest.approx(length, abs=1.5)
    assert told.metrics["problems"] == []


def test_the_log_tells_of_each_stage(told: Told) -> None:
    lines = "\n".join(told.job["logs"])
    for stage in ("extract_frames", "detect_each_frame", "track_objects", "time_zones", "render_overlays"):
        assert f"INFO {stage}:" in lines
    assert "WARNING" not in lines and "ERROR" not in lines


def test_other_zones_use_again_what_was_seen_and_all_of_it_goes(plant: Plant, told: Told, long_video: Path) -> None:
    begun = plant.begun()
    first = told.job["job_id"]
    replay = plant.rezone(first, OTHER)
    film = plant.complete(replay)
    again = plant.begun() - begun
    assert set(again) == {"time_zones.0", *(f"render_overlays.{n}" for n in range(CHUNKS)), "encode_video.0"}
    assert digest(film) != digest(told.film.read_bytes())
    metrics = plant.http.get(f"{JOBS}/{replay}/metrics").json()
    assert [zone["name"] for zone in metrics["zones"]] == ["Wall"]
    assert metrics["zones"][0]["seconds"] == pytest.approx(SECONDS, abs=2)
    assert digest(plant.http.get(f"{JOBS}/{first}/output").content) == digest(told.film.read_bytes())
    plant.delete(first)
    assert plant.http.get(f"{JOBS}/{replay}").status_code == 404
    assert plant.left() == told.before
