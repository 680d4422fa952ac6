"""Videos from everywhere they may come from, and from nowhere else."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import cv2
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from brands.selectors import known_brands_snapshot
from detect.checkpoints import serde
from detect.errors import MediaError, NotFoundError
from detect.models import SourceAsset, Timeline
from detect.stages.extract_frames import encode_jpeg
from jobs.api_keys import ApiKey
from jobs.assets.sources import asset_from_root, asset_from_storage, asset_local
from jobs.engine import timeline_frames
from jobs.models import DetectJob
from mediaproc.roots import RootError
from tests.media.clips import cut_file, numbered_picture, write_clip, write_sound


def send(sender: APIClient, file: Path, name: str = "") -> Any:
    form = {"file": SimpleUploadedFile(name or file.name, file.read_bytes())}
    return sender.post("/api/assets", form, format="multipart")


@pytest.fixture
def root(places: Path, settings: Settings, clip: Path) -> Path:
    """An allowed folder: match.mp4, a folder with another video, notes, and links inside and outside of it."""
    folder = places / "footage"
    (folder / "2024").mkdir(parents=True)
    shutil.copy(clip, folder / "match.mp4")
    write_clip(folder / "2024" / "final.mkv", 30)
    (folder / "notes.txt").write_text("no video")
    (places / "secret").mkdir()
    shutil.copy(clip, places / "secret" / "hidden.mp4")
    (folder / "inside.mp4").symlink_to(folder / "2024" / "final.mkv")
    (folder / "outside.mp4").symlink_to(places / "secret" / "hidden.mp4")
    (folder / "out").symlink_to(places / "secret")
    settings.ROOTS = [folder]
    return folder


def test_file_in_one_request(sender: APIClient, clip: Path, places: Path) -> None:
    answer = send(sender, clip, "Match Day 1.mp4")
    assert answer.status_code == 201, answer.content
    asset = answer.json()
    assert asset["name"] == "Match Day 1.mp4"
    assert asset["path"] == f"storage:{asset['storage_key']}"
    assert (places / "storage" / asset["storage_key"]).read_bytes() == clip.read_bytes()
    assert (asset["width"], asset["height"], asset["duration"], asset["frame_rate"]) == (128, 96, 2.0, "25/1")
    assert (asset["codec"], asset["variable_frame_rate"], asset["warnings"], asset["jobs"]) == ("h264", False, [], 0)
    assert asset["size_bytes"] == clip.stat().st_size
    again = send(sender, clip, "another name.mov")
    assert (again.status_code, again.json()["id"]) == (200, asset["id"])
    assert not list((places / "uploads").iterdir())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder, _: write_sound(folder / "sound.mp4"), "no video stream"),
        (lambda folder, clip: cut_file(clip, folder / "cut.mp4", 0.3), "it was cut off"),
        (lambda folder, _: _picture(folder / "picture.mp4"), "still image"),
        (lambda folder, clip: shutil.copy(clip, folder / "film.txt"), "must end in one of"),
        (lambda folder, _: _text(folder / "list.m3u8.ts", "#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"), "is not a video"),
    ],
)
def test_what_is_no_video_is_refused(sender: APIClient, clip: Path, places: Path, make: Any, words: str) -> None:
    answer = send(sender, Path(make(places, clip)))
    assert answer.status_code == 400
    assert words in answer.json()["detail"]
    assert str(places) not in answer.json()["detail"]
    assert not list((places / "uploads").iterdir()) and not SourceAsset.objects.exists()


def test_empty_and_large_files_are_refused(sender: APIClient, places: Path, settings: Settings) -> None:
    (places / "empty.mp4").touch()
    assert send(sender, places / "empty.mp4").status_code == 400
    settings.MAX_FILE_SIZE_MB = 1
    (places / "large.mp4").write_bytes(bytes(2**20 + 1))
    answer = send(sender, places / "large.mp4")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert not list((places / "uploads").iterdir())


def test_one_source_is_to_be_named(sender: APIClient) -> None:
    for body in ({}, {"path": "a.mp4", "storage_key": "input/a.mp4"}, {"upload_id": "7"}, ["path"], "path"):
        assert sender.post("/api/assets", body).status_code == 400
    assert sender.post("/api/assets", {}, format="multipart").status_code == 400
    two = {"file": [SimpleUploadedFile("a.mp4", b"1"), SimpleUploadedFile("b.mp4", b"2")]}
    assert sender.post("/api/assets", two, format="multipart").status_code == 400
    other = {"video": SimpleUploadedFile("a.mp4", b"1")}
    assert sender.post("/api/assets", other, format="multipart").status_code == 400
    assert sender.post("/api/assets", {"upload_id": str(uuid4())}).status_code == 404


def test_file_of_an_allowed_folder_stays_where_it_is(sender: APIClient, root: Path) -> None:
    answer = sender.post("/api/assets", {"path": str(root / "match.mp4")})
    assert answer.status_code == 201, answer.content
    assert (answer.json()["path"], answer.json()["storage_key"]) == (str(root / "match.mp4"), None)
    inside = sender.post("/api/assets", {"path": "inside.mp4"}).json()
    assert inside["path"] == str(root / "2024" / "final.mkv")


@pytest.mark.parametrize(
    "path",
    [
        "../secret/hidden.mp4",
        "{root}/../secret/hidden.mp4",
        "{root}/2024/../../secret/hidden.mp4",
        "{secret}/hidden.mp4",
        "outside.mp4",
        "{root}/out/hidden.mp4",
        "/etc/passwd",
        "match.mp4\0.txt",
        "~/match.mp4",
    ],
)
def test_paths_that_lead_out_are_refused(sender: APIClient, root: Path, path: str) -> None:
    text = path.format(root=root, secret=root.parent / "secret")
    answer = sender.post("/api/assets", {"path": text})
    assert answer.status_code in (400, 403, 404)
    assert not SourceAsset.objects.exists()
    with pytest.raises((RootError, NotFoundError)):
        asset_from_root(text)


def test_file_that_becomes_a_link_is_not_followed(root: Path, db: None) -> None:
    asset = asset_from_root("match.mp4").asset
    with asset_local(asset.path, asset.sha256) as path:
        assert path.samefile(root / "match.mp4")
    (root / "match.mp4").unlink()
    (root / "match.mp4").symlink_to(root.parent / "secret" / "hidden.mp4")
    with pytest.raises(RootError), asset_local(asset.path, asset.sha256):
        pass


def test_videos_in_storage(sender: APIClient, places: Path, clip: Path) -> None:
    (places / "storage" / "input" / "2024").mkdir(parents=True)
    shutil.copy(clip, places / "storage" / "input" / "2024" / "match.mp4")
    answer = sender.post("/api/assets", {"storage_key": "input/2024/match.mp4"})
    assert answer.status_code == 201, answer.content
    assert (answer.json()["path"], answer.json()["name"]) == ("storage:input/2024/match.mp4", "match.mp4")
    with asset_local(answer.json()["path"], answer.json()["sha256"]) as path:
        assert path.read_bytes() == clip.read_bytes()
    missing = sender.post("/api/assets", {"storage_key": "input/2025/match.mp4"})
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "key",
    [
        "frames/match.mp4",
        "input/../frames/match.mp4",
        "input/../../secret.mp4",
        "/input/match.mp4",
        "input//match.mp4",
        "input/./match.mp4",
        "input\\..\\match.mp4",
        "input",
        "inputs/match.mp4",
        "input/" + "a" * 2000 + ".mp4",
        "input/ma\0tch.mp4",
    ],
)
def test_keys_that_lead_elsewhere_are_refused(sender: APIClient, places: Path, clip: Path, key: str) -> None:
    for folder in ("frames", "inputs", "input"):
        (places / "storage" / folder).mkdir(parents=True)
        shutil.copy(clip, places / "storage" / folder / "match.mp4")
    assert sender.post("/api/assets", {"storage_key": key}).status_code == 400
    with pytest.raises(MediaError):
        asset_from_storage(key)
    assert not SourceAsset.objects.exists()


def test_link_in_storage_is_not_followed(sender: APIClient, places: Path, clip: Path) -> None:
    (places / "storage" / "input").mkdir(parents=True)
    (places / "storage" / "input" / "match.mp4").symlink_to(clip)
    answer = sender.post("/api/assets", {"storage_key": "input/match.mp4"})
    assert (answer.status_code, "link" in answer.json()["detail"]) == (400, True)


def test_upload_of_what_lies_in_a_folder_moves_the_asset_into_storage(sender: APIClient, root: Path) -> None:
    first = sender.post("/api/assets", {"path": "match.mp4"}).json()
    second = send(sender, root / "match.mp4").json()
    assert (second["id"], second["storage_key"] is not None) == (first["id"], True)
    back = sender.post("/api/assets", {"path": "match.mp4"}).json()
    assert back["storage_key"] == second["storage_key"]


def test_folders_are_listed_for_choosing(sender: APIClient, root: Path) -> None:
    top = sender.get("/api/roots").json()
    assert (top["path"], top["parent"]) == ("", None)
    assert [(entry["path"], entry["kind"]) for entry in top["entries"]] == [(str(root), "folder")]
    inside = sender.get("/api/roots", {"path": str(root)}).json()
    assert inside["parent"] == ""
    assert [(entry["name"], entry["kind"]) for entry in inside["entries"]] == [
        ("2024", "folder"),
        ("inside.mp4", "video"),
        ("match.mp4", "video"),
    ]
    assert inside["entries"][2]["size_bytes"] == (root / "match.mp4").stat().st_size
    deeper = sender.get("/api/roots", {"path": inside["entries"][0]["path"]}).json()
    assert (deeper["parent"], [entry["name"] for entry in deeper["entries"]]) == (str(root), ["final.mkv"])
    for path in ("..", str(root.parent), str(root / ".."), str(root / "out"), "/", "2024/../..", "\0"):
        assert sender.get("/api/roots", {"path": path}).status_code == 403
    assert sender.get("/api/roots", {"path": "match.mp4"}).status_code == 404


def test_thumbnail_is_from_the_middle(sender: APIClient, places: Path) -> None:
    pictures = [np.full((720, 1280, 3), 20 if number < 40 else 220, np.uint8) for number in range(80)]
    asset = send(sender, write_clip(places / "film.mp4", pictures)).json()
    answer = sender.get(f"/api/assets/{asset['id']}/thumbnail.jpg")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None and picture.shape == (270, 480, 3)
    shutil.rmtree(places / "storage" / "thumbnails")
    assert sender.get(f"/api/assets/{asset['id']}/thumbnail.jpg").content == answer.content
    for wanted in ({}, {"format": "jpg"}):
        missing = sender.get(f"/api/assets/{uuid4()}/thumbnail.jpg", wanted, headers={"Accept": "image/jpeg"})
        assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


def test_thumbnail_of_a_video_of_one_frame(sender: APIClient, places: Path) -> None:
    asset = send(sender, write_clip(places / "film.mp4", [numbered_picture(5)])).json()
    assert sender.get(f"/api/assets/{asset['id']}/thumbnail.jpg").status_code == 200


def test_thumbnail_of_a_video_that_is_gone_is_a_sampled_frame(sender: APIClient, places: Path) -> None:
    asset = SourceAsset.objects.create(sha256="0" * 64, path=str(places / "gone.mp4"), probe={"duration": 4.0})
    address = f"/api/assets/{asset.id}/thumbnail.jpg"
    assert sender.get(address).status_code == 400
    timeline = Timeline.objects.create(
        source_asset=asset,
        fps=2,
        frames_prefix="timelines/gone",
        frames_meta=[{"sequence": number} for number in (3, 7)],
    )
    frame = np.full((72, 128, 3), 180, np.uint8)
    timeline_frames(timeline).save_jpeg(7, encode_jpeg(frame, 90))
    answer = sender.get(address)
    assert answer.status_code == 200
    picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None and picture.shape == frame.shape
    assert abs(int(picture.mean()) - 180) < 3


def test_assets_are_listed_in_pages_and_found(
    sender: APIClient, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        SourceAsset.objects.create(
            sha256=f"{number:064d}", path=f"/footage/{number}.mp4", probe={"name": f"Round {number}.mp4"}
        )
    with django_assert_max_num_queries(4):
        page = sender.get("/api/assets").json()
    assert (page["count"], len(page["results"]), page["results"][0]["name"]) == (30, 20, "Round 29.mp4")
    second = sender.get("/api/assets", {"limit": 5, "offset": 28}).json()
    assert [asset["name"] for asset in second["results"]] == ["Round 1.mp4", "Round 0.mp4"]
    found = sender.get("/api/assets", {"search": "round 17"}).json()
    assert [asset["path"] for asset in found["results"]] == ["/footage/17.mp4"]
    assert sender.get("/api/assets", {"search": "0" * 62 + "03"}).json()["count"] == 1
    assert sender.get("/api/assets", {"search": "\0%_"}).json()["count"] == 0


def test_deleted_asset_is_gone_unless_jobs_use_it(sender: APIClient, clip: Path, places: Path) -> None:
    made = send(sender, clip).json()
    asset = SourceAsset.objects.get()
    snapshot = serde.pack(serde.encode(known_brands_snapshot(asset=asset, only=None)))
    job = DetectJob.objects.create(
        source_asset=asset, video_path=asset.path, known_brands=snapshot, request_digest="0" * 64
    )
    assert sender.get(f"/api/assets/{made['id']}").json()["jobs"] == 1
    refused = sender.delete(f"/api/assets/{made['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    job.delete()
    assert sender.delete(f"/api/assets/{made['id']}").status_code == 204
    assert not [path for path in (places / "storage").rglob("*") if path.is_file()]
    assert [sender.get(f"/api/assets/{made['id']}").status_code] == [404]
    assert send(sender, clip).status_code == 201


def test_file_of_a_folder_outlives_its_asset(sender: APIClient, root: Path) -> None:
    made = sender.post("/api/assets", {"path": "match.mp4"}).json()
    assert sender.delete(f"/api/assets/{made['id']}").status_code == 204
    assert (root / "match.mp4").is_file()


def test_viewers_look_and_change_nothing(sender: APIClient, clip: Path) -> None:
    made = send(sender, clip).json()
    viewer = APIClient()
    viewer.credentials(HTTP_X_API_KEY=ApiKey.objects.create_key(name="viewer", role="viewer")[1])
    assert viewer.get(f"/api/assets/{made['id']}").status_code == 200
    assert viewer.get(f"/api/assets/{made['id']}/thumbnail.jpg").status_code == 200
    assert viewer.get("/api/roots").status_code == 403
    assert viewer.delete(f"/api/assets/{made['id']}").status_code == 403
    assert send(viewer, clip).status_code == 403
    assert viewer.post("/api/uploads").status_code == 403
    assert APIClient().get("/api/assets").status_code == 401


def _picture(path: Path) -> Path:
    path.write_bytes(cv2.imencode(".png", numbered_picture(1))[1].tobytes())
    return path


def _text(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
