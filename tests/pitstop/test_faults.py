"""What goes wrong with a pit stop, from its weights to its deletion: said clearly, and nothing is left behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from tests.media.clips import cut_file, write_clip
from tests.pitstop.acting import Does
from tests.pitstop.plant import JOBS, ZONES, Plant, digest, long_clip
from tests.uploads.sending import cut

WALL = [{"name": "Wall", "points": [[0.0, 0.0], [0.15, 0.0], [0.15, 1.0], [0.0, 1.0]]}]


@pytest.fixture
def clean(plant: Plant) -> Iterator[Plant]:
    """The plant, whose storage, cache and rows are the same after the test."""
    before = plant.left()
    yield plant
    plant.use(plant.weights)
    assert plant.left() == before


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("short") / "stop.mp4", 30)


def failed(plant: Plant, video: Path, **fields: str) -> str:
    """Why a job fails; it is deleted then."""
    job = plant.send(video, **fields)
    told = plant.until_ended(job)
    assert (told["status"], told["output"]["available"]) == ("FAILED", False)
    assert any(line.endswith(f"ERROR {told['error']}") for line in told["logs"])
    refused = plant.http.get(f"{JOBS}/{job}/output")
    assert (refused.status_code, "Current status: FAILED" in refused.json()["detail"]) == (409, True)
    plant.delete(job)
    return str(told["error"])


class TestWeights:
    def test_none_at_all(self, clean: Plant, short: Path) -> None:
        clean.use(None)
        told = failed(clean, short)
        for way in ("model_weights/best.pt", "PITSTOP_YOLO_WEIGHTS_PATH", "models.yaml"):
            assert way in told

    @pytest.mark.parametrize("name", ["broken.pt", "broken.onnx"])
    def test_broken(self, clean: Plant, short: Path, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_bytes(b"no network" * 100)
        clean.use(tmp_path / name)
        told = failed(clean, short)
        assert name in told and "are no readable" in told
        assert "\n" not in told and len(told) < 400

    def test_a_class_they_do_not_know_is_corrected_without_detecting_anew(self, clean: Plant, short: Path) -> None:
        job = clean.send(short, zones=json.dumps([{**ZONES[0], "classes": ["car", "wheel gun"]}]))
        told = clean.until_ended(job)
        assert told["status"] == "FAILED"
        for word in ("'Box'", "wheel gun", "they know car, person"):
            assert word in told["error"]
        begun = clean.begun()
        replay = clean.rezone(job, [ZONES[0]])
        clean.complete(replay)
        assert set(clean.begun() - begun) == {"time_zones.0", "render_overlays.0", "encode_video.0"}
        clean.delete(job)


@pytest.mark.parametrize(
    ("zones", "word"),
    [
        ([{**ZONES[0], "points": [[0.1, 0.1], [1.2, 0.1], [0.5, 0.9]]}], "points"),
        ([{**ZONES[0], "points": [[0.1, 0.1], [-0.01, 0.1], [0.5, 0.9]]}], "points"),
        ([{**ZONES[0], "points": [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]}], "crosses"),
        ([{**ZONES[0], "points": [[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]]}], "no area"),
        ([ZONES[0], ZONES[0]], "two zones are called 'Box'"),
    ],
)
def test_zones_that_are_none_are_refused_at_once(
    clean: Plant, short: Path, zones: list[dict[str, Any]], word: str
) -> None:
    answer = clean.http.post(JOBS, files={"file": ("stop.mp4", short.read_bytes())}, data={"zones": json.dumps(zones)})
    assert (answer.status_code, word in answer.json()["detail"]) == (400, True), answer.text
    assert clean.http.get(JOBS).json()["total"] == 0


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_video_that_breaks_off_gives_what_there_is_and_says_so(clean: Plant, tmp_path: Path, suffix: str) -> None:
    whole = long_clip(tmp_path / f"whole{suffix}")
    torn = cut_file(whole, tmp_path / f"torn{suffix}", 0.6)
    job = clean.send(torn)
    film = tmp_path / "film.mp4"
    film.write_bytes(clean.complete(job))
    assert 40 < frames(film) < frames(whole)
    metrics = clean.http.get(f"{JOBS}/{job}/metrics").json()
    assert any("breaks off" in problem for problem in metrics["problems"]), metrics["problems"]
    assert 30 < metrics["stop_time_s"] < 75
    warnings = [line.partition(" WARNING ")[2] for line in clean.job(job)["logs"] if " WARNING " in line]
    assert warnings == metrics["problems"]
    clean.delete(job)


def frames(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize("whole_file", [False, True])
def test_a_client_that_drops_its_upload_leaves_nothing(clean: Plant, long_video: Path, whole_file: bool) -> None:
    """Cut within the file, and behind it with fields still to come."""
    content = long_video.read_bytes()
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="stop.mp4"\r\n\r\n'
    rest = b'\r\n--x\r\nContent-Disposition: form-data; name="notes"\r\n\r\n'
    sent = head + content + rest if whole_file else head + content[: len(content) // 2]
    length = str(len(head + content + rest) + 1000)
    kind = "multipart/form-data; boundary=x"
    connection = clean.site.connect(
        f"POST {JOBS}", {"X-API-Key": clean.site.key, "Content-Length": length, "Content-Type": kind}
    )
    connection.sendall(sent)
    clean.eventually(lambda: list(clean.site.uploads.glob(".*.mp4")))
    cut(connection)
    clean.eventually(lambda: not list(clean.site.uploads.glob(".*")))
    assert clean.http.get(JOBS).json()["total"] == 0


class TestDeletion:
    @pytest.mark.parametrize(
        "place", ["detect_each_frame.0.working", "render_overlays.0.kept", "encode_video.0.drafted"]
    )
    def test_while_a_worker_is_at_it(self, clean: Plant, short: Path, place: str) -> None:
        clean.forget_outputs()
        clean.tell(place, Does.HOLD)
        job = clean.send(short)
        clean.until_held(place)
        clean.delete(job)
        clean.let_go(place)
        assert clean.http.get(f"{JOBS}/{job}").status_code == 404
        assert clean.drafts() == []

    def test_when_the_worker_is_gone(self, clean: Plant, short: Path) -> None:
        place = "encode_video.0.drafted"
        clean.tell(place, Does.SLEEP)
        job = clean.send(short)
        clean.until_held(place)
        assert clean.drafts()
        clean.replace_worker()
        clean.let_go(place)
        clean.delete(job)
        assert clean.drafts() == []

    def test_of_a_job_whose_replay_runs(self, clean: Plant, short: Path) -> None:
        place = "render_overlays.0.drafted"
        job = clean.send(short)
        clean.complete(job)
        clean.tell(place, Does.HOLD)
        replay = clean.rezone(job, WALL)
        clean.until_held(place)
        clean.delete(job)
        clean.let_go(place)
        assert clean.http.get(f"{JOBS}/{replay}").status_code == 404

    def test_of_one_of_two_on_a_video_leaves_the_others_output(self, clean: Plant, short: Path) -> None:
        first, same, other = clean.send(short), clean.send(short), clean.send(short, zones=json.dumps(WALL))
        films = [digest(clean.complete(job)) for job in (first, same, other)]
        assert films[0] == films[1] != films[2]
        clean.delete(first)
        assert [digest(clean.complete(job)) for job in (same, other)] == films[1:]
        clean.delete(other)
        assert digest(clean.complete(same)) == films[1]
        clean.delete(same)

    def test_of_one_while_the_other_runs(self, clean: Plant, short: Path) -> None:
        place = "render_overlays.0.kept"
        first = clean.send(short)
        clean.complete(first)
        clean.tell(place, Does.HOLD)
        second = clean.send(short, zones=json.dumps(WALL))
        clean.until_held(place)
        clean.delete(first)
        clean.let_go(place)
        clean.complete(second)
        clean.delete(second)

    def test_the_same_video_again(self, clean: Plant, short: Path) -> None:
        first = clean.send(short)
        film = clean.complete(first)
        clean.delete(first)
        second = clean.send(short)
        assert digest(clean.complete(second)) == digest(film)
        clean.delete(second)
