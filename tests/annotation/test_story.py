"""The whole story over HTTP with real workers and real footage: dataset, batch, events over a restart, files."""

from __future__ import annotations

import csv
import hashlib
import importlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import httpx
import pytest
import webvtt
from pyannote.database.util import load_rttm
from pycocotools.coco import COCO

from tests.annotation.works import ENDED, Works, running_works
from tests.media.clips import cut_clip

MADE = "made_client"
PIPELINES = ("scenes", "speech", "faces", "people_tracks")
#: Videos and how long what is taken of them lasts, seconds; the first is taken whole.
CLIPS = {"faces_whitehouse_miranda.mp4": 9.18, "person_intel_one_by_one.mp4": 3.0, "scenes_bikes.mp4": 4.0}


@pytest.fixture(scope="module")
def works(real_media: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    folder = tmp_path_factory.mktemp("roots")
    for name, seconds in CLIPS.items():
        cut_clip(real_media / name, folder / name, seconds if seconds < 9 else 60.0)
    weights = real_media / "weights"
    environment = {
        "MEDIAPROC_FACES_MODEL": str(weights / "face_detection_yunet_2026may.onnx"),
        "MEDIAPROC_PEOPLE_MODEL": str(weights / "yolox_nano_coco_416_fp32.onnx"),
    }
    with running_works(folder, environment) as made:
        yield made


@pytest.fixture(scope="module")
def http(works: Works) -> Iterator[httpx.Client]:
    with works.client() as client:
        yield client


@pytest.fixture(scope="module")
def dataset(works: Works, http: httpx.Client) -> dict[str, Any]:
    answer = http.post("/api/v0/datasets", json={"name": "clips", "base_path": str(works.roots)})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(scope="module")
def told(works: Works, http: httpx.Client, dataset: dict[str, Any]) -> list[dict[str, Any]]:
    """Every event of a batch that was watched while the site and the worker were killed and started again."""
    videos = http.post(f"/api/v0/datasets/{dataset['id']}/videos/scan").json()
    assert {video["path"]: video["duration_sec"] for video in videos} == pytest.approx(CLIPS, abs=0.1)
    body = {"dataset_id": dataset["id"], "videos": videos, "overrides": {key: {} for key in PIPELINES}, "tags": ["cup"]}
    answer = http.post("/api/v0/jobs", json=body)
    assert answer.status_code == 201, answer.text
    job = answer.json()
    assert (job["state"], job["progress_pct"]) == ("queued", 0.0)
    events = _read(http, job["id"], 0, until=lambda seen: len(seen) >= 6)
    works.kill("worker")
    works.kill("scheduler")
    works.site.kill()
    works.site.start()
    works.start_all()
    last = int(events[-1]["id"])
    with works.client() as again:  # the site has another address now
        later = _read(again, job["id"], last, until=lambda seen: False)
    return [*events, *later]


@pytest.fixture(scope="module")
def finished(works: Works, told: list[dict[str, Any]]) -> dict[str, Any]:
    with works.client() as http:
        return works.until_ended(http, told[0]["data"]["id"])


@pytest.fixture(scope="module")
def files(works: Works, finished: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every file of the manifest as it was sent, by role and video, held against its digest."""
    folder, found = tmp_path_factory.mktemp("files"), {}
    with works.client() as http:
        manifest = http.get(f"/api/v0/jobs/{finished['id']}/artifacts").json()
        assert (manifest["job_id"], sorted(manifest["outputs"])) == (finished["id"], sorted(CLIPS))
        order = manifest["viewer_hint"]["overlayOrder"]
        for video, listed in manifest["outputs"].items():
            assert listed, finished
            for one in listed:
                assert not one["path"].startswith("/") and one["path"].startswith(f"{video}/")
                answer = http.get(f"/api/v0/jobs/{finished['id']}/artifacts/{one['path']}")
                assert answer.status_code == 200
                assert hashlib.sha256(answer.content).hexdigest() == one["meta"]["sha256"]
                assert len(answer.content) == one["meta"]["size_bytes"]
                assert one["role"] in order, one
                place = folder / one["path"]
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(answer.content)
                found[f"{one['type']} {one['role']} {one['path']}"] = place
    return found


def test_it_succeeds_over_the_restart(finished: dict[str, Any]) -> None:
    assert finished["state"] == "succeeded", finished
    assert finished["progress_pct"] == 100.0
    assert (finished["error"], finished["failures"], finished["partly_failed"]) == (None, [], False)
    assert finished["queued_at"] <= finished["started_at"] <= finished["finished_at"]
    assert len(finished["videos"]) == len(CLIPS)


def test_every_event_is_seen_once(told: list[dict[str, Any]]) -> None:
    assert [int(event["id"]) for event in told] == list(range(1, len(told) + 1))
    assert {event["event"] for event in told} == {"job.update", "job.log"}
    updates = [event["data"] for event in told if event["event"] == "job.update"]
    assert all(set(update) == {"id", "state", "progress_pct", "current_stage"} for update in updates)
    shares = [update["progress_pct"] for update in updates]
    assert shares == sorted(shares)
    assert updates[-1]["state"] == "succeeded"
    assert all(set(event["data"]) == {"id", "line"} for event in told if event["event"] == "job.log")


def test_transcripts_are_web_vtt(files: dict[str, Path]) -> None:
    read = {path.parts[-3]: webvtt.read(str(path)).captions for path in _of(files, "vtt")}
    assert set(read) == set(CLIPS)
    said = " ".join(caption.text for caption in read["faces_whitehouse_miranda.mp4"])
    assert len(said.split()) > 5
    for captions in read.values():
        ends = 0.0
        for caption in captions:
            assert ends <= caption.start_in_seconds < caption.end_in_seconds
            ends = caption.end_in_seconds


def test_speakers_are_rttm(files: dict[str, Path]) -> None:
    turns = [turn for path in _of(files, "rttm") for turn in load_rttm(path).values()]  # type: ignore[no-untyped-call]
    assert sum(len(list(one.itertracks())) for one in turns) > 0


def test_tracks_and_faces_are_coco(files: dict[str, Path]) -> None:
    faces = {path.parts[-3]: COCO(path) for path in _of(files, "json", "faces")}
    tracks = {path.parts[-3]: COCO(path) for path in _of(files, "json", "tracks")}
    assert set(faces) == set(tracks) == set(CLIPS)
    assert len(faces["faces_whitehouse_miranda.mp4"].anns) > 20
    assert len(tracks["person_intel_one_by_one.mp4"].imgs) > 0
    for coco in (*faces.values(), *tracks.values()):
        for one in coco.anns.values():
            image = coco.imgs[one["image_id"]]
            x, y, width, height = one["bbox"]
            assert x >= 0 and y >= 0 and x + width <= image["width"] + 1 and y + height <= image["height"] + 1


def test_scenes_are_json_csv_and_pictures(files: dict[str, Path]) -> None:
    for path in _of(files, "json", "scenes"):
        scenes = json.loads(path.read_text())["scenes"]
        table = next(one for one in _of(files, "csv", "scenes") if one.parts[-3] == path.parts[-3])
        rows = [row for row in csv.reader(table.open()) if row and row[0].isdigit()]
        assert len(rows) == len(scenes) >= 1
    pictures = _of(files, "png")
    assert pictures and all(cv2.imread(str(path)) is not None for path in pictures)


def test_annotated_videos_play(files: dict[str, Path]) -> None:
    annotated = _of(files, "video")
    assert {path.parts[-3] for path in annotated} == set(CLIPS)
    for path in annotated:
        with av.open(path) as video:
            assert video.streams.video[0].codec_context.name == "h264"
            assert sum(1 for _ in video.decode(video=0)) > 20


def test_one_zip_has_all_of_it(works: Works, finished: dict[str, Any], files: dict[str, Path]) -> None:
    with works.client() as http:
        answer = http.get(f"/api/v0/jobs/{finished['id']}/artifacts.zip")
        assert int(answer.headers["Content-Length"]) == len(answer.content)
        ranged = http.get(
            f"/api/v0/jobs/{finished['id']}/artifacts/{next(iter(files)).split(' ', 2)[2]}",
            headers={"Range": "bytes=0-9"},
        )
    assert ranged.status_code == 206 and ranged.content == next(iter(files.values())).read_bytes()[:10]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as zipped:
        assert zipped.testzip() is None
        names = {name.split(" ", 2)[2]: path for name, path in files.items()}
        assert set(zipped.namelist()) == {"manifest.json", *names}
        assert all(zipped.read(name) == path.read_bytes() for name, path in names.items())


def test_run_again_it_gives_the_same_files(works: Works, finished: dict[str, Any], files: dict[str, Path]) -> None:
    with works.client() as http:
        again = http.post(f"/api/v0/jobs/{finished['id']}/again").json()
        ended = works.until_ended(http, again["id"])
        assert ended["state"] == "succeeded", ended
        assert ended["configuration"] == finished["configuration"]
        digests = [
            [(one["path"], one["meta"]["sha256"]) for listed in _outputs(http, job).values() for one in listed]
            for job in (finished["id"], again["id"])
        ]
    assert digests[0] == digests[1] and len(digests[0]) == len(files)


def test_its_files_lie_where_the_contract_says(works: Works, finished: dict[str, Any], files: dict[str, Path]) -> None:
    folder = works.site.data.storage / "outputs" / finished["id"]
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {
        "manifest.json",
        *(name.split(" ", 2)[2] for name in files),
    }


def api_of(name: str, tag: str = "annotation") -> Any:
    """The module of an operation in the client that was made."""
    return importlib.import_module(f"{MADE}.api.{tag}.{name}")


def _ended(job: Any) -> Any:
    return job if job.state in ENDED else None


def _outputs(http: httpx.Client, job: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = http.get(f"/api/v0/jobs/{job}/artifacts").json()["outputs"]
    return found


def _of(files: dict[str, Path], kind: str, role: str = "") -> list[Path]:
    return [path for name, path in files.items() if name.startswith(f"{kind} {role}")]


def _read(http: httpx.Client, job: str, after: int, until: Any) -> list[dict[str, Any]]:
    """Events of a batch from behind a number on, until enough are seen or the stream ends."""
    seen: list[dict[str, Any]] = []
    headers = {"Last-Event-ID": str(after)} if after else {}
    with http.stream("GET", "/api/v0/events/stream", params={"job": job}, headers=headers, timeout=120) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        event: dict[str, Any] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name in ("id", "event", "data"):
                event[name] = json.loads(value) if name == "data" else value
            elif not line and event:
                seen.append(event)
                event = {}
                if until(seen):
                    break
    return seen


@pytest.fixture(scope="module")
def client(works: Works, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A package made from the OpenAPI document by a generator of clients; it complains of nothing it is asked for."""
    folder = tmp_path_factory.mktemp("client")
    with works.client() as http:
        (folder / "document.json").write_text(http.get("/api/schema", headers={"Accept": "application/json"}).text)
    (folder / "settings.yaml").write_text("post_hooks: []\n")
    program = Path(sys.executable).with_name("openapi-python-client")
    options = ["--path", "document.json", "--meta", "none", "--output-path", MADE, "--config", "settings.yaml"]
    made = subprocess.run(
        [program, "generate", *options], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert made.returncode == 0, made.stderr
    complaints = [line for line in made.stdout.splitlines() if line.startswith("WARNING") and "/api/v0/" in line]
    assert all("artifacts.zip" in line for line in complaints), complaints  # of a ZIP it knows nothing
    sys.path.insert(0, str(folder))
    yield importlib.import_module(MADE)
    sys.path.remove(str(folder))


def test_a_client_made_from_the_document_runs_it_too(works: Works, finished: dict[str, Any], client: Any) -> None:
    """What is stored is found again, so that this takes seconds."""
    models = importlib.import_module(f"{MADE}.models")
    site = client.AuthenticatedClient(
        base_url=works.site.address, token=works.site.key, prefix="", auth_header_name="X-API-Key", timeout=60
    )
    assert api_of("annotation_healthz", "health").sync(client=client.Client(base_url=works.site.address))
    states = {one.key: one for one in api_of("pipeline_list").sync(client=site)}
    assert all(states[key].available for key in PIPELINES)
    assert {one.name for one in api_of("preset_list").sync(client=site)} >= {"everything"}
    made = api_of("dataset_create").sync(
        client=site, body=models.DatasetRequestRequest(name="again", base_path=str(works.roots))
    )
    found = api_of("dataset_scan").sync(made.id, client=site)
    assert sorted(video.path for video in found) == sorted(CLIPS)
    wanted = [models.AnnotationVideoRequest(path=one.path, duration_sec=one.duration_sec) for one in found]
    overrides = models.AnnotationRequestOverrides.from_dict({key: {} for key in PIPELINES})
    body = models.AnnotationRequest(dataset_id=made.id, videos=wanted, overrides=overrides, tags=["client"])
    job = api_of("annotation_submit").sync(client=site, body=body)
    ended = works.eventually(lambda: _ended(api_of("annotation_job").sync(job.id, client=site)))
    assert (ended.state, ended.progress_pct) == ("succeeded", 100.0), ended
    manifest = api_of("annotation_artifacts").sync(job.id, client=site)
    listed = [one for name in manifest.outputs.additional_properties.values() for one in name]
    with works.client() as http:
        before = {
            one["path"]: one["meta"]["sha256"] for files in _outputs(http, finished["id"]).values() for one in files
        }
    assert {one.path: one.meta["sha256"] for one in listed} == before
    for one in listed[:3]:
        sent = api_of("annotation_artifact").sync(job.id, one.path, client=site)
        assert hashlib.sha256(sent.payload.read()).hexdigest() == one.meta["sha256"]
    assert [one.id for one in api_of("annotation_jobs").sync(client=site, tag="client")] == [job.id]
    assert api_of("annotation_cancel").sync_detailed(job.id, client=site).status_code == 409
    assert api_of("annotation_delete").sync_detailed(job.id, client=site).status_code == 204
    assert api_of("annotation_job").sync_detailed(job.id, client=site).status_code == 404
