"""Datasets over HTTP: registered, scanned, and never outside of the allowed roots."""

from __future__ import annotations

import os
import shutil
import wave
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from detect.errors import ConflictError, MediaError, MediaprocError, NotFoundError
from detect.media.probe import look_at, probe
from detect.models import SourceAsset
from jobs.annotation import scanning
from jobs.annotation.datasets import (
    dataset_asset,
    dataset_create,
    dataset_find,
    dataset_video,
    datasets_all,
    opened_video,
)
from jobs.annotation.records import AnnotationJob, Dataset, DatasetVideo
from jobs.annotation.scanning import dataset_scan
from jobs.api_keys import ApiKey
from mediaproc.roles import Role
from mediaproc.roots import RootError
from tests.media.clips import write_clip
from tests.uploads.conftest import clip, places, sender

__all__ = ["clip", "places", "sender"]


@pytest.fixture
def root(db: None, places: Path, settings: Settings, clip: Path) -> Path:
    """An allowed folder with two videos, sound, what is none of these, and links; a folder beside it."""
    root, secret = places / "media", places / "secret"
    (root / "cup" / "late").mkdir(parents=True)
    secret.mkdir()
    for place in (root / "cup" / "b.mp4", root / "cup" / "late" / "a.MP4", secret / "hidden.mp4"):
        shutil.copy(clip, place)
    with wave.open(str(root / "cup" / "talk.wav"), "wb") as talk:
        talk.setparams((1, 2, 8000, 0, "NONE", ""))
        talk.writeframes(bytes(2 * 12_000))
    (root / "cup" / "broken.mkv").write_bytes(b"no video")
    (root / "cup" / "empty.mp4").touch()
    (root / "cup" / "notes.txt").write_text("not looked at")
    (root / "cup" / ".hidden.mp4").touch()
    (root / "cup" / "out.mp4").symlink_to(secret / "hidden.mp4")
    (root / "cup" / "away").symlink_to(secret, target_is_directory=True)
    (root / "leads_out").symlink_to(secret, target_is_directory=True)
    settings.ROOTS = [root]
    return root


@pytest.fixture
def dataset(root: Path) -> Dataset:
    return dataset_create(name="Cup", base_path=str(root / "cup"))


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are looked at from here on."""
    names: list[str] = []

    def look(path: Path) -> Any:
        names.append(path.resolve().name)
        return look_at(path)

    monkeypatch.setattr(scanning, "look_at", look)
    return names


def send(client: APIClient, body: Any) -> Any:
    return client.post("/api/v0/datasets", body, format="json")


def problem_of(dataset: Dataset, path: str) -> str:
    return DatasetVideo.objects.get(dataset=dataset, path=path).problem


class TestRegistering:
    def test_what_the_contract_shows(self, sender: APIClient, root: Path) -> None:
        answer = send(sender, {"name": "Cup 2026", "base_path": str(root / "cup")})
        assert answer.status_code == 201, answer.content
        body = answer.json()
        assert body.keys() >= {"id", "name", "base_path", "created_at"}
        assert (body["name"], body["base_path"], body["created_by"]) == ("Cup 2026", str(root / "cup"), "key:sender")
        assert sender.get("/api/v0/datasets").json() == [body]
        assert sender.get(f"/api/v0/datasets/{body['id']}").json() == body
        assert sender.get(f"/api/v0/datasets/{body['id']}/videos").json() == []

    def test_a_relative_folder_is_sought_in_the_roots(self, sender: APIClient, root: Path) -> None:
        assert send(sender, {"name": "Cup", "base_path": "cup/late"}).status_code == 201

    @pytest.mark.parametrize(
        "base_path",
        [
            "..",
            "../secret",
            "cup/../../secret",
            "{root}/../secret",
            "{places}/secret",
            "/etc",
            "leads_out",
            "{root}/leads_out",
            "cup/away",
            "~",
        ],
    )
    def test_folders_outside_of_the_roots(self, sender: APIClient, root: Path, base_path: str) -> None:
        answer = send(sender, {"name": "Cup", "base_path": base_path.format(root=root, places=root.parent)})
        assert (answer.status_code, answer.json()["code"]) in [(403, "outside_roots"), (404, "not_found")]
        assert answer.status_code == 403 or base_path == "~"
        assert not Dataset.objects.exists()

    @pytest.mark.parametrize("base_path", ["none", "cup/b.mp4", "x" * 4000, "%2e%2e/secret", "..%2fsecret", "cup%00"])
    def test_folders_that_are_not_there(self, sender: APIClient, root: Path, base_path: str) -> None:
        answer = send(sender, {"name": "Cup", "base_path": base_path})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"name": "Cup"},
            {"base_path": "cup"},
            {"name": "", "base_path": "cup"},
            {"name": "Cup", "base_path": ""},
            {"name": "Cup", "base_path": 7},
            {"name": "n" * 201, "base_path": "cup"},
            {"name": "Cup", "base_path": "cup\0"},
            {"name": "Cup", "base_path": "x" * 4001},
            [],
        ],
    )
    def test_bodies_that_cannot_be_used(self, sender: APIClient, root: Path, body: Any) -> None:
        answer = send(sender, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")

    def test_without_roots_nothing_can_be_registered(self, sender: APIClient, settings: Settings) -> None:
        settings.ROOTS = []
        answer = send(sender, {"name": "Cup", "base_path": "/tmp"})
        assert answer.status_code == 403
        assert "MEDIAPROC_ROOTS" in answer.json()["detail"]

    def test_viewers_look_and_change_nothing(self, root: Path, dataset: Dataset) -> None:
        viewer = APIClient()
        viewer.credentials(HTTP_X_API_KEY=ApiKey.objects.create_key(name="v", role=Role.VIEWER)[1])
        assert viewer.get(f"/api/v0/datasets/{dataset.id}/videos").status_code == 200
        assert send(viewer, {"name": "Cup", "base_path": "cup"}).status_code == 403
        assert viewer.post(f"/api/v0/datasets/{dataset.id}/videos/scan").status_code == 403

    @pytest.mark.parametrize("address", ["/{id}", "/{id}/videos", "/{id}/videos/scan"])
    def test_unknown_ones(self, sender: APIClient, address: str) -> None:
        method = sender.post if address.endswith("scan") else sender.get
        answer = method("/api/v0/datasets" + address.format(id=uuid4()))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


class TestScanning:
    def test_videos_with_their_lengths_and_what_cannot_be_read(self, sender: APIClient, dataset: Dataset) -> None:
        answer = sender.post(f"/api/v0/datasets/{dataset.id}/videos/scan")
        assert answer.status_code == 200, answer.content
        told = {one["path"]: (one["duration_sec"], one["has_pictures"], one["has_sound"]) for one in answer.json()}
        assert told == {
            "away": (None, False, False),
            "b.mp4": (2.0, True, False),
            "broken.mkv": (None, False, False),
            "empty.mp4": (None, False, False),
            "late/a.MP4": (2.0, True, False),
            "out.mp4": (None, False, False),
            "talk.wav": (1.5, False, True),
        }
        assert [one["path"] for one in answer.json()] == sorted(told)
        reasons = {one["path"]: one["error"] for one in answer.json()}
        assert reasons["b.mp4"] is None
        assert reasons["out.mp4"] == reasons["away"] == "is a link: links are not followed"
        assert reasons["empty.mp4"] == "is empty (0 bytes)"
        assert reasons["broken.mkv"].startswith("is not a video")
        assert sender.get(f"/api/v0/datasets/{dataset.id}/videos").json() == answer.json()
        shown = sender.get(f"/api/v0/datasets/{dataset.id}").json()
        assert (shown["videos"], shown["scanned_at"] is None) == (3, False)
        assert "/proc/" not in answer.content.decode()

    def test_only_what_changed_is_looked_at_again(self, root: Path, dataset: Dataset, probed: list[str]) -> None:
        dataset_scan(dataset=dataset)
        assert sorted(probed) == ["a.MP4", "b.mp4", "broken.mkv", "empty.mp4", "talk.wav"]
        probed.clear()
        dataset_scan(dataset=dataset)
        assert probed == ["broken.mkv", "empty.mp4"]
        probed.clear()
        write_clip(root / "cup" / "b.mp4", 25)
        dataset_scan(dataset=dataset)
        assert "b.mp4" in probed
        assert dataset.videos.get(path="b.mp4").duration == 1.0

    def test_what_is_gone_is_forgotten(self, root: Path, dataset: Dataset) -> None:
        dataset_scan(dataset=dataset)
        (root / "cup" / "b.mp4").unlink()
        shutil.rmtree(root / "cup" / "late")
        dataset_scan(dataset=dataset)
        assert not dataset.videos.filter(path__in=["b.mp4", "late/a.MP4"]).exists()
        assert dataset.videos.filter(path="talk.wav").exists()

    def test_a_folder_that_is_gone_takes_nothing_with_it(
        self, sender: APIClient, root: Path, dataset: Dataset, settings: Settings
    ) -> None:
        dataset_scan(dataset=dataset)
        (root / "cup").rename(root / "moved")
        assert sender.post(f"/api/v0/datasets/{dataset.id}/videos/scan").status_code == 404
        settings.ROOTS = [root / "moved"]
        assert sender.post(f"/api/v0/datasets/{dataset.id}/videos/scan").status_code == 403
        assert dataset.videos.filter(problem="").count() == 3

    def test_a_folder_that_became_a_link_is_refused(self, sender: APIClient, root: Path, dataset: Dataset) -> None:
        (root / "cup").rename(root / "moved")
        (root / "cup").symlink_to(root.parent / "secret", target_is_directory=True)
        answer = sender.post(f"/api/v0/datasets/{dataset.id}/videos/scan")
        assert (answer.status_code, answer.json()["code"]) == (403, "outside_roots")
        assert not DatasetVideo.objects.exists()

    def test_many_files_are_taken_in_piece_by_piece(
        self, root: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(25):
            (root / "cup" / f"n{number:02}.mp4").touch()
        monkeypatch.setattr(scanning, "_BATCH", 4)
        dataset_scan(dataset=dataset)
        assert dataset.videos.count() == 7 + 25
        shutil.rmtree(root / "cup" / "late")
        for number in range(25):
            (root / "cup" / f"n{number:02}.mp4").unlink()
        dataset_scan(dataset=dataset)
        assert dataset.videos.count() == 7 - 1

    def test_two_scans_at_once(self, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(scanning, "task_lock", lambda _: nullcontext(False))
        with pytest.raises(ConflictError, match="being scanned"):
            dataset_scan(dataset=dataset)

    def test_our_own_outputs_are_passed_over(self, root: Path, settings: Settings, clip: Path) -> None:
        settings.MEDIA_ROOT = root / "cup" / "storage"
        (settings.MEDIA_ROOT / "outputs").mkdir(parents=True)
        shutil.copy(clip, settings.MEDIA_ROOT / "outputs" / "annotated.mp4")
        dataset = dataset_create(name="Cup", base_path="cup")
        dataset_scan(dataset=dataset)
        assert not dataset.videos.filter(path__startswith="storage").exists()

    def test_names_that_no_database_keeps(self, root: Path, dataset: Dataset) -> None:
        deep = (root / "cup").joinpath("d" * 200, "e" * 200, "f" * 200)
        deep.mkdir(parents=True)
        (deep / "long.mp4").touch()
        os.close(os.open(os.fsencode(root / "cup") + b"/\xff.mp4", os.O_CREAT | os.O_WRONLY))
        dataset_scan(dataset=dataset)
        problems = {path[:6]: problem for path, problem in dataset.videos.values_list("path", "problem")}
        assert "longer than" in problems["dddddd"]
        assert "rename it" in problems["\\udcff"]


class TestOneVideo:
    def test_it_is_known_from_the_scan_or_looked_at_now(self, dataset: Dataset, probed: list[str]) -> None:
        assert dataset_video(dataset, "b.mp4").duration == 2.0
        assert dataset_video(dataset, "./b.mp4").path == "b.mp4"
        assert dataset_video(dataset, "talk.wav").has_pictures is False
        assert probed == ["b.mp4", "talk.wav"]
        assert dataset.videos.count() == 2

    @pytest.mark.parametrize(
        "path",
        [
            "",
            "../secret/hidden.mp4",
            "late/../b.mp4",
            "/etc/passwd",
            "{root}/cup/b.mp4",
            "b\0",
            "out.mp4",
            "away/x.mp4",
        ],
    )
    def test_paths_that_lead_out(self, root: Path, dataset: Dataset, path: str) -> None:
        for use in (dataset_video, dataset_asset):
            with pytest.raises(RootError):
                use(dataset, path.format(root=root) or "..")
        assert not SourceAsset.objects.exists()

    @pytest.mark.parametrize("path", ["none.mp4", "x" * 4000 + ".mp4", "%2e%2e/secret/hidden.mp4", "b%00.mp4"])
    def test_paths_where_nothing_is(self, dataset: Dataset, path: str) -> None:
        with pytest.raises(NotFoundError):
            dataset_video(dataset, path)

    @pytest.mark.parametrize(
        ("path", "kind", "reason"),
        [("broken.mkv", MediaError, "is not a video"), ("notes.txt", NotFoundError, "not named as")],
    )
    def test_what_cannot_be_read_says_why(
        self, dataset: Dataset, path: str, kind: type[MediaprocError], reason: str
    ) -> None:
        with pytest.raises(kind, match=reason) as refused:
            dataset_video(dataset, path)
        assert "/proc/" not in refused.value.message

    def test_a_swap_behind_its_back_changes_nothing(self, root: Path, dataset: Dataset, clip: Path) -> None:
        with opened_video(dataset, "b.mp4") as file:
            (root / "cup" / "b.mp4").unlink()
            (root / "cup" / "b.mp4").symlink_to(root.parent / "secret" / "hidden.mp4")
            assert file.read_bytes() == clip.read_bytes()
        with pytest.raises(RootError), opened_video(dataset, "b.mp4"):
            pass

    def test_assets_of_pictures_and_of_sound_alone(self, root: Path, dataset: Dataset) -> None:
        video, sound = dataset_asset(dataset, "b.mp4"), dataset_asset(dataset, "talk.wav")
        assert (video.path, video.probe["width"]) == (str(root / "cup" / "b.mp4"), 128)
        assert (sound.path, sound.probe["name"]) == (str(root / "cup" / "talk.wav"), "talk.wav")
        assert (sound.probe["width"], sound.probe["frame_rate"], sound.probe["duration"]) == (0, "0", 1.5)
        assert dataset_asset(dataset, "talk.wav") == sound

    def test_a_sound_has_no_thumbnail(self, sender: APIClient, dataset: Dataset) -> None:
        asset = dataset_asset(dataset, "talk.wav")
        answer = sender.get(f"/api/assets/{asset.id}/thumbnail.jpg")
        assert answer.status_code == 400
        assert "sound only" in answer.json()["detail"]
        assert sender.get(f"/api/assets/{asset.id}").json()["frame_rate"] == "0"

    def test_sound_alone_is_no_video_elsewhere(self, sender: APIClient, root: Path) -> None:
        assert sender.post("/api/assets", {"path": "cup/talk.wav"}).status_code == 400
        with pytest.raises(MediaError, match="sound only"):
            probe(root / "cup" / "talk.wav")


def test_an_unknown_dataset(db: None) -> None:
    with pytest.raises(NotFoundError):
        dataset_find(UUID(int=0))


class TestVideosOfJobs:
    """The paths in a job's ``videos`` are held to the same."""

    def ask(self, client: APIClient, dataset: Dataset, path: str) -> Any:
        body = {"dataset_id": str(dataset.id), "videos": [{"path": path}], "overrides": {"scenes": {}}}
        return client.post("/api/v0/jobs", body, format="json")

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("../secret/hidden.mp4", 403),
            ("late/../../secret/hidden.mp4", 403),
            ("{root}/cup/b.mp4", 403),
            ("/etc/passwd", 403),
            ("out.mp4", 403),
            ("away/hidden.mp4", 403),
            ("%2e%2e/secret/hidden.mp4", 404),
            ("b.mp4%00", 404),
            ("notes.txt", 404),
            ("b.mp4\0", 400),
            ("none.mp4", 404),
            ("x" * 3990 + ".mp4", 404),
            ("x" * 4997 + ".mp4", 400),
        ],
    )
    def test_paths_that_are_refused(
        self, sender: APIClient, root: Path, dataset: Dataset, path: str, status: int
    ) -> None:
        answer = self.ask(sender, dataset, path.format(root=root))
        assert (answer.status_code, AnnotationJob.objects.count()) == (status, 0), answer.content

    def test_a_folder_swapped_between_the_check_and_the_use(
        self, sender: APIClient, root: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = os.open
        swapped: list[object] = []

        def opened(path: str | Path, flags: int, *args: int, dir_fd: int | None = None) -> int:
            if str(path) == "cup" and not swapped:
                swapped.append(path)
                (root / "cup").rename(root / "was")
                (root / "cup").symlink_to(root.parent / "secret", target_is_directory=True)
            return real(path, flags, *args, dir_fd=dir_fd)

        monkeypatch.setattr("mediaproc.beneath.os.open", opened)
        answer = self.ask(sender, dataset, "hidden.mp4")
        assert (bool(swapped), answer.status_code, answer.json()["code"]) == (True, 403, "outside_roots")
        assert not AnnotationJob.objects.exists()

    @pytest.mark.parametrize("path", ["%2e%2e/secret", "..%2fsecret", "%00", "cup/../../secret"])
    def test_parts_of_addresses_lead_nowhere(self, sender: APIClient, dataset: Dataset, path: str) -> None:
        answer = sender.get(f"/api/v0/datasets/{dataset.id}/videos/{path}")
        assert answer.status_code == 404


def test_the_newest_comes_first(root: Path) -> None:
    made = [dataset_create(name=name, base_path=str(root)).id for name in ("one", "two", "three")]
    assert [dataset.id for dataset in datasets_all()] == made[::-1]
