"""The source video of an asset, for a player: whose, from where, and what is said when it is gone."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from detect.models import SourceAsset
from jobs.models import DetectJob
from jobs.pages.video import player_context
from mediaproc.roles import Role
from tests.uploads.test_bucket import Bucket, _use
from tests.video.conftest import MakeAsset

CONTENT = random.Random(7).randbytes(200_000)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "cup final.mp4"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def get(client: Client, key_of: Callable[[Role], dict[str, str]]) -> Callable[..., Any]:
    """Asks for an asset's video as somebody who may only look."""

    def ask(asset: SourceAsset | UUID, method: str = "GET", **headers: str) -> Any:
        asset_id = asset.id if isinstance(asset, SourceAsset) else asset
        path = reverse("asset-video", args=[asset_id])
        return client.generic(method, path, headers={"Accept": "*/*", **key_of(Role.VIEWER), **headers})

    return ask


def test_a_file(get: Any, make_asset: MakeAsset, video: Path) -> None:
    answer = get(make_asset(video, name="Cup final.mp4"))
    assert (answer.status_code, answer["Content-Type"]) == (200, "video/mp4")
    assert answer["Content-Disposition"] == 'inline; filename="Cup final.mp4"'
    assert answer.getvalue() == CONTENT


def test_a_part_of_it(get: Any, make_asset: MakeAsset, video: Path) -> None:
    answer = get(make_asset(video), Range="bytes=1000-1999")
    assert (answer.status_code, answer["Content-Range"]) == (206, "bytes 1000-1999/200000")
    assert answer.getvalue() == CONTENT[1000:2000]
    assert get(make_asset(video), "HEAD")["Content-Length"] == "200000"


def test_one_in_storage(get: Any, make_asset: MakeAsset, places: Path) -> None:
    stored = places / "storage" / "uploads" / "ab" / "abc.mov"
    stored.parent.mkdir(parents=True)
    stored.write_bytes(CONTENT)
    asset = make_asset("storage:uploads/ab/abc.mov", size=len(CONTENT))
    answer = get(asset, Range="bytes=-5")
    assert (answer.status_code, answer["Content-Type"], answer.getvalue()) == (206, "video/quicktime", CONTENT[-5:])
    stored.unlink()
    assert_gone(get(asset))


def test_one_in_a_bucket(get: Any, make_asset: MakeAsset, bucket: Bucket, settings: Settings) -> None:
    bucket.put("input/match.mp4", CONTENT)
    asset = make_asset("storage:input/match.mp4", size=len(CONTENT))
    answer = get(asset, Range="bytes=0-9,50000-50009")
    assert answer.status_code == 206
    assert CONTENT[:10] in answer.getvalue()
    assert get(asset).getvalue() == CONTENT
    bucket.client.delete_object(Bucket=bucket.name, Key="input/match.mp4")
    assert_gone(get(asset))
    _use(settings, bucket, "http://127.0.0.1:1")
    down = get(asset)
    assert (down.status_code, down.json()["code"]) == (503, "storage_unavailable")


def assert_gone(answer: Any) -> None:
    told = {"detail": "The video file is not there any more.", "code": "not_found"}
    assert (answer.status_code, answer.json()) == (404, told)


@pytest.mark.parametrize("place", ["/nowhere/at/all.mp4", "/etc/passwd/match.mp4", "/tmp"])
def test_a_file_that_is_gone(get: Any, make_asset: MakeAsset, place: str) -> None:
    assert_gone(get(make_asset(place)))


def test_a_person_is_told_so_in_a_page(get: Any, make_asset: MakeAsset) -> None:
    answer = get(make_asset("/nowhere/at/all.mp4"), Accept="text/html")
    assert answer.status_code == 404
    assert "The video file is not there any more" in answer.content.decode()


def test_another_file_in_its_place_is_not_the_video(get: Any, make_asset: MakeAsset, video: Path) -> None:
    asset = make_asset(video)
    video.write_bytes(CONTENT + b"!")
    answer = get(asset)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "not the one that was analysed" in answer.json()["detail"]


def test_an_asset_that_nobody_knows(get: Any) -> None:
    assert get(UUID(int=5)).status_code == 404


def test_a_link_that_leads_out_of_the_allowed_folders(
    get: Any, make_asset: MakeAsset, tmp_path: Path, settings: Settings
) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside.mp4"
    inside.mkdir()
    outside.write_bytes(CONTENT)
    (inside / "match.mp4").write_bytes(CONTENT)
    settings.ROOTS = [inside]
    asset = make_asset(inside / "match.mp4")
    assert get(asset).getvalue() == CONTENT
    (inside / "match.mp4").unlink()
    (inside / "match.mp4").symlink_to(outside)
    assert_gone(get(asset))


def test_what_cannot_be_read_is_no_fault_of_the_program(
    get: Any, make_asset: MakeAsset, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("jobs.assets.playing.DiskFile.open", refuse)
    answer = get(make_asset(video))
    assert (answer.status_code, answer.json()["detail"]) == (503, "The video file cannot be read: Permission denied")


def test_only_to_people_and_programs_that_are_known(client: Client, make_asset: MakeAsset, video: Path) -> None:
    path = reverse("asset-video", args=[make_asset(video).id])
    assert client.get(path, headers={"Accept": "*/*"}).status_code == 401


def test_it_is_read_only(get: Any, make_asset: MakeAsset, video: Path) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert get(make_asset(video), method).status_code == 405
    assert video.read_bytes() == CONTENT


def test_what_the_player_is_told(job: DetectJob) -> None:
    player = player_context(job)["player"]
    assert (player["width"], player["height"]) == (640, 360)
    setup = player["setup"]
    assert setup["video"] == f"/assets/{job.source_asset_id}/video"
    assert setup["boxes"] == f"/jobs/{job.id}/boxes.json"
    assert setup["frame"] == f"/jobs/{job.id}/frames/0.jpg"
    assert (setup["duration"], setup["start"], setup["frameRate"]) == (8.0, 0.0, 30.0)


def test_of_a_video_of_which_little_is_known(make_asset: MakeAsset) -> None:
    job = DetectJob(source_asset=make_asset("/nowhere.mp4"))
    player = player_context(job)["player"]
    assert (player["width"], player["height"], player["setup"]["duration"]) == (16, 9, 0.0)


def test_times_of_the_sampled_frames(client: Client, key_of: Callable[[Role], dict[str, str]], job: DetectJob) -> None:
    answer = client.get(reverse("job-frame-times", args=[job.id]), headers=key_of(Role.VIEWER))
    frames = answer.json()["frames"]
    assert frames == [[row["sequence"], row["timestamp"]] for row in job.timeline.frames_meta]  # type: ignore[union-attr]
    assert len(frames) == 16
    job.timeline = None
    job.save()
    assert client.get(reverse("job-frame-times", args=[job.id]), headers=key_of(Role.VIEWER)).json() == {"frames": []}
    unknown = client.get(reverse("job-frame-times", args=[UUID(int=5)]), headers=key_of(Role.VIEWER))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
