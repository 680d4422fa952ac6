"""The upload protocol, header by header."""

from __future__ import annotations

import base64
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError
from pytest_django import Settings
from rest_framework.test import APIClient

from detect.models import SourceAsset
from jobs.api_keys import ApiKey
from jobs.assets import intake as asset_intake
from jobs.uploads.records import part_locked, part_path
from jobs.uploads.services import uploads_expire
from tests.faults.disks import disk
from tests.media.clips import write_clip
from tests.uploads.sending import PIECE, TUS, metadata


def begin(sender: APIClient, length: int, filename: str = "match.mp4") -> str:
    answer = sender.post(
        "/api/uploads", headers={**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata(filename)}
    )
    assert answer.status_code == 201, answer.content
    return str(answer["Location"])


def patch(sender: APIClient, path: str, offset: int | str, content: bytes) -> Any:
    return raw(sender, "PATCH", path, content, PIECE, {"Upload-Offset": str(offset)})


def raw(sender: APIClient, method: str, path: str, content: bytes, content_type: str, headers: dict[str, str]) -> Any:
    """A request whose body is sent as it is."""
    sent: Any = sender.generic
    return sent(method, path, content, content_type=content_type, headers={**TUS, **headers})


def head(sender: APIClient, path: str) -> Any:
    return sender.head(path, headers=TUS)


def identity(path: str) -> UUID:
    return UUID(path.rsplit("/", 1)[-1])


def test_upload_in_two_pieces_becomes_an_asset(sender: APIClient, clip: Path, places: Path) -> None:
    content = clip.read_bytes()
    path = begin(sender, len(content), "Finale Süd.mp4")
    first = patch(sender, path, 0, content[:1000])
    assert (first.status_code, first["Upload-Offset"], first["Tus-Resumable"]) == (204, "1000", "1.0.0")
    expires = datetime.strptime(first["Upload-Expires"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    assert timedelta(hours=23) < expires - datetime.now(UTC) < timedelta(hours=25)
    asked = head(sender, path)
    assert asked.status_code == 200
    assert (asked["Upload-Offset"], asked["Upload-Length"]) == ("1000", str(len(content)))
    assert asked["Upload-Metadata"] == metadata("Finale Süd.mp4")
    assert asked["Cache-Control"] == "no-store"

    last = patch(sender, path, 1000, content[1000:])
    assert (last.status_code, last["Upload-Offset"]) == (204, str(len(content)))
    asset = SourceAsset.objects.get()
    assert last["X-Asset-Id"] == str(asset.id)
    assert asset.probe["name"] == "Finale Süd.mp4"
    assert asset.path == f"storage:uploads/{asset.sha256[:2]}/{asset.sha256}.mp4"
    assert (places / "storage" / asset.path.removeprefix("storage:")).read_bytes() == content
    assert [file.suffix for file in (places / "uploads").iterdir()] == [".json"]  # moved, not copied
    assert head(sender, path)["Upload-Offset"] == str(len(content))
    told = sender.get(path).json()
    assert (told["state"], told["asset_id"], told["filename"]) == ("done", str(asset.id), "Finale Süd.mp4")


def test_upload_with_its_creation(sender: APIClient, clip: Path) -> None:
    content = clip.read_bytes()
    headers = {"Upload-Length": str(len(content)), "Upload-Metadata": metadata("match.mp4")}
    answer = raw(sender, "POST", "/api/uploads", content, PIECE, headers)
    assert (answer.status_code, answer["Upload-Offset"]) == (201, str(len(content)))
    assert SourceAsset.objects.get().probe["size_bytes"] == len(content)


def test_what_the_server_can_do(sender: APIClient, settings: Settings) -> None:
    settings.MAX_FILE_SIZE_MB = 7
    answer = sender.options("/api/uploads")
    assert answer.status_code == 204
    assert answer["Tus-Version"] == "1.0.0"
    assert answer["Tus-Extension"].split(",") == ["creation", "creation-with-upload", "expiration", "termination"]
    assert answer["Tus-Max-Size"] == str(7 * 2**20)


def test_the_same_content_is_one_asset(sender: APIClient, clip: Path) -> None:
    content = clip.read_bytes()
    ids = {patch(sender, begin(sender, len(content), name), 0, content)["X-Asset-Id"] for name in ("a.mp4", "b.m4v")}
    assert ids == {str(SourceAsset.objects.get().id)}


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412, "1.0.0"),
        ({"Tus-Resumable": ""}, 412, "1.0.0"),
        ({"Upload-Length": "0"}, 400, "is empty"),
        ({"Upload-Length": "-1"}, 400, "whole number"),
        ({"Upload-Length": "many"}, 400, "whole number"),
        ({"Upload-Length": "²"}, 400, "whole number"),
        ({"Upload-Length": str(5120 * 2**20 + 1)}, 413, "MAX_FILE_SIZE_MB"),
        ({"Upload-Metadata": ""}, 400, "filename"),
        ({"Upload-Metadata": "filename ?"}, 400, "base64"),
        ({"Upload-Metadata": f"{metadata('a.mp4')},{metadata('b.mp4')}"}, 400, "twice"),
        ({"Upload-Metadata": f"filename {base64.b64encode(bytes([255])).decode()}"}, 400, "UTF-8"),
        ({"Upload-Metadata": metadata("notes.txt")}, 400, "must end in one of"),
        ({"Upload-Metadata": metadata(".mp4")}, 400, "must end in one of"),
    ],
)
def test_refused_before_anything_is_sent(
    sender: APIClient, places: Path, headers: dict[str, str], status: int, words: str
) -> None:
    usual = {**TUS, "Upload-Length": "1000", "Upload-Metadata": metadata("match.mp4")}
    answer = sender.post("/api/uploads", headers={**usual, **headers})
    assert answer.status_code == status
    assert words in answer.json()["detail"]
    assert answer.json()["code"]
    assert not list((places / "uploads").iterdir())


def test_no_room_is_said_before_anything_is_sent(sender: APIClient, settings: Settings) -> None:
    settings.MAX_FILE_SIZE_MB = 10**12
    answer = sender.post(
        "/api/uploads", headers={**TUS, "Upload-Length": str(9 * 10**17), "Upload-Metadata": metadata("match.mp4")}
    )
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")


def test_name_is_a_name_and_no_path(sender: APIClient, clip: Path, places: Path) -> None:
    content = clip.read_bytes()
    path = begin(sender, len(content), "../../..\\etc/\0passwd\n.mp4")
    assert patch(sender, path, 0, content).status_code == 204
    assert SourceAsset.objects.get().probe["name"] == "passwd.mp4"
    assert sorted(folder.name for folder in places.iterdir()) == ["storage", "uploads"]


def test_wrong_offset_changes_nothing(sender: APIClient, clip: Path) -> None:
    path = begin(sender, clip.stat().st_size)
    assert patch(sender, path, 0, b"abc").status_code == 204
    for offset in (0, 2, 4):
        answer = patch(sender, path, offset, b"xyz")
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_offset")
    assert patch(sender, path, "-3", b"xyz").status_code == 400
    assert part_path(identity(path)).read_bytes() == b"abc"


def test_more_than_announced_is_refused(sender: APIClient) -> None:
    path = begin(sender, 10)
    assert patch(sender, path, 0, b"01234567890").status_code == 413
    assert head(sender, path)["Upload-Offset"] == "0"


def test_one_writer_at_a_time(sender: APIClient) -> None:
    path = begin(sender, 10)
    with part_locked(identity(path)):
        assert patch(sender, path, 0, b"01234").status_code == 423
        assert sender.delete(path, headers=TUS).status_code == 423
    assert patch(sender, path, 0, b"01234").status_code == 204


def test_other_content_types_are_refused(sender: APIClient) -> None:
    path = begin(sender, 10)
    answer = raw(sender, "PATCH", path, b"01234", "application/json", {"Upload-Offset": "0"})
    assert answer.status_code == 415


def test_what_is_no_video_is_refused_with_the_reason(sender: APIClient) -> None:
    path = begin(sender, 5000, "holiday.mp4")
    answer = patch(sender, path, 0, b"no film at all " * 333 + b"12345")
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("holiday.mp4: is not a video")
    assert not part_path(identity(path)).exists()
    assert head(sender, path).status_code == 410
    told = sender.get(path).json()
    assert (told["state"], told["detail"]) == ("refused", answer.json()["detail"])
    again = sender.post("/api/assets", {"upload_id": str(identity(path))})
    assert (again.status_code, again.json()["code"]) == (410, "gone")


def test_upload_given_up_is_gone(sender: APIClient) -> None:
    path = begin(sender, 10)
    patch(sender, path, 0, b"01234")
    assert sender.delete(path, headers=TUS).status_code == 204
    assert not part_path(identity(path)).exists()
    assert [head(sender, path).status_code, patch(sender, path, 5, b"5").status_code] == [404, 404]
    assert sender.delete(f"/api/uploads/{uuid4()}", headers=TUS).status_code == 404


def test_methods_by_way_of_post(sender: APIClient) -> None:
    path = begin(sender, 10)
    override = {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    sent = raw(sender, "POST", path, b"01234", PIECE, override)
    assert (sent.status_code, sent["Upload-Offset"]) == (204, "5")
    assert sender.post(path, headers={**TUS, "X-HTTP-Method-Override": "DELETE"}).status_code == 204
    assert head(sender, path).status_code == 404
    assert sender.post(path, headers=TUS).status_code == 405


def test_uploads_of_others_are_not_to_be_seen(sender: APIClient) -> None:
    path = begin(sender, 10)
    other = APIClient()
    other.credentials(HTTP_X_API_KEY=ApiKey.objects.create_key(name="sender", role="operator")[1])
    assert [head(other, path).status_code, patch(other, path, 0, b"0").status_code] == [404, 404]
    assert [other.get(path).status_code, other.delete(path, headers=TUS).status_code] == [404, 404]
    assert head(sender, path).status_code == 200


def test_asset_that_was_not_made_yet_is_made_when_asked_for(sender: APIClient, clip: Path) -> None:
    """As after a server that was killed between the last byte and its answer."""
    content = clip.read_bytes()
    path = begin(sender, len(content))
    early = sender.post("/api/assets", {"upload_id": str(identity(path))})
    assert (early.status_code, early.json()["code"]) == (409, "incomplete")
    part_path(identity(path)).write_bytes(content)
    assert head(sender, path)["Upload-Offset"] == str(len(content))
    made = sender.post("/api/assets", {"upload_id": str(identity(path))})
    assert made.status_code == 201, made.content
    assert made.json()["name"] == "match.mp4"
    again = patch(sender, path, len(content), b"")
    assert (again.status_code, again["X-Asset-Id"]) == (204, made.json()["id"])


def test_abandoned_uploads_are_removed(sender: APIClient, clip: Path, places: Path) -> None:
    abandoned, alive, busy = (begin(sender, clip.stat().st_size) for _ in range(3))
    finished = begin(sender, clip.stat().st_size)
    patch(sender, finished, 0, clip.read_bytes())
    (places / "uploads" / ".left-behind.mp4").touch()
    now = datetime.now(UTC)
    assert uploads_expire(now=now) == 0
    with part_locked(identity(busy)):
        later = now + timedelta(days=django_settings.UPLOAD_DAYS, minutes=1)
        os.utime(part_path(identity(alive)), (later.timestamp(), later.timestamp()))
        assert uploads_expire(now=later) == 2
    assert [head(sender, path).status_code for path in (abandoned, alive, busy, finished)] == [404, 200, 200, 404]
    assert not (places / "uploads" / ".left-behind.mp4").exists()
    assert SourceAsset.objects.count() == 1


def test_full_disk_keeps_what_came_and_goes_on_later(
    sender: APIClient, tmp_path_factory: pytest.TempPathFactory, settings: Settings
) -> None:
    folder = tmp_path_factory.mktemp("disk")
    film = write_clip(folder / "long.mp4", 20, size=(320, 240))
    content = film.read_bytes() + bytes(4_000_000)  # what follows a film in its file is not looked at
    with disk(folder / "small", "16m") as small:
        settings.UPLOADS_FOLDER = small.path / "uploads"
        path = begin(sender, len(content))
        ballast = small.path / "ballast"
        ballast.write_bytes(bytes(shutil.disk_usage(small.path).free - 100_000))
        full = patch(sender, path, 0, content)
        assert (full.status_code, full.json()["code"]) == (507, "disk_full")
        ballast.unlink()
        kept = int(head(sender, path)["Upload-Offset"])
        assert 0 < kept < len(content)
        assert part_path(identity(path)).read_bytes() == content[:kept]
        assert patch(sender, path, kept, content[kept:]).status_code == 204
    assert SourceAsset.objects.get().probe["size_bytes"] == len(content)


def test_what_fails_after_storing_is_made_good_by_asking_again(
    sender: APIClient, clip: Path, places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a server that dies when the file has been moved and its row not been written."""
    content = clip.read_bytes()
    path = begin(sender, len(content))

    def die(**_: Any) -> None:
        raise OperationalError("the database is gone")

    with monkeypatch.context() as broken:
        broken.setattr(asset_intake, "asset_record", die)
        assert patch(sender, path, 0, content).status_code == 500
    assert [file.suffix for file in (places / "storage" / "uploads").rglob("*.*")] == [".mp4"]
    assert head(sender, path)["Upload-Offset"] == str(len(content))
    made = sender.post("/api/assets", {"upload_id": str(identity(path))})
    assert (made.status_code, made.json()["size_bytes"]) == (201, len(content))
