"""Videos in a bucket: stored there, fetched to where work is done, kept at hand as long as there is room."""

from __future__ import annotations

import hashlib
import os
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from pytest_django import Settings
from rest_framework.test import APIClient

from detect.errors import MediaError, NotFoundError, StorageError
from detect.models import SourceAsset
from jobs.assets import cache as asset_cache
from jobs.assets.sources import asset_from_storage, asset_local
from mediaproc.services import ensure_s3
from tests.uploads.sending import TUS
from tests.uploads.test_assets import send
from tests.uploads.test_protocol import begin, head, patch


@dataclass(frozen=True)
class Bucket:
    """A bucket of the embedded S3 server, and who is asked in its place to count what is fetched."""

    client: Any
    name: str
    endpoint: str

    def put(self, key: str, content: bytes) -> str:
        self.client.put_object(Bucket=self.name, Key=key, Body=content)
        return hashlib.sha256(content).hexdigest()

    def listed(self) -> list[str]:
        return [item["Key"] for item in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]


@pytest.fixture(scope="module")
def server() -> Bucket:
    access = ensure_s3()
    client = boto3.client(
        "s3",
        endpoint_url=access.endpoint_url,
        aws_access_key_id=access.access_key,
        aws_secret_access_key=access.secret_key,
        region_name="us-east-1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    return Bucket(client, "", access.endpoint_url)


@pytest.fixture
def bucket(server: Bucket, places: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    made = replace(server, name=f"videos-{os.urandom(4).hex()}")
    made.client.create_bucket(Bucket=made.name)
    _use(settings, made, made.endpoint)
    yield made


def _use(settings: Settings, bucket: Bucket, endpoint: str) -> None:
    access = ensure_s3()
    options = {
        "bucket_name": bucket.name,
        "region_name": "us-east-1",
        "endpoint_url": endpoint,
        "access_key": access.access_key,
        "secret_key": access.secret_key,
        "default_acl": None,
        "file_overwrite": True,
        "client_config": Config(
            signature_version="s3v4", s3={"addressing_style": "path"}, connect_timeout=5, retries={"max_attempts": 1}
        ),
    }
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options},
    }


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ranges that were asked for, one for each object fetched."""
    ranges: list[str] = []
    plain = asset_cache._client

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(plain(), name)

        def get_object(self, **options: Any) -> Any:
            ranges.append(options["Range"])
            return plain().get_object(**options)

    monkeypatch.setattr(asset_cache, "_client", Counting)
    return ranges


def cache(places: Path) -> list[str]:
    return sorted(path.name for path in (places / "cache" / "assets").iterdir() if path.suffix != ".lock")


def test_uploads_go_into_the_bucket_and_come_back(
    sender: APIClient, bucket: Bucket, clip: Path, places: Path, fetched: list[str]
) -> None:
    content = clip.read_bytes()
    last = patch(sender, begin(sender, len(content)), 0, content)
    assert last.status_code == 204
    asset = SourceAsset.objects.get()
    key = f"uploads/{asset.sha256[:2]}/{asset.sha256}.mp4"
    assert (asset.path, key in bucket.listed()) == (f"storage:{key}", True)
    assert send(sender, clip).status_code == 200
    for _ in range(3):
        with asset_local(asset.path, asset.sha256) as path:
            assert path.read_bytes() == content
    assert fetched == ["bytes=0-"]
    assert sender.get(f"/api/assets/{asset.id}/thumbnail.jpg").status_code == 200
    assert sender.delete(f"/api/assets/{asset.id}").status_code == 204
    assert (bucket.listed(), cache(places)) == ([], [])


def test_video_that_lies_in_the_bucket(sender: APIClient, bucket: Bucket, clip: Path, fetched: list[str]) -> None:
    sha256 = bucket.put("input/2024/match.mp4", clip.read_bytes())
    answer = sender.post("/api/assets", {"storage_key": "input/2024/match.mp4"})
    assert answer.status_code == 201, answer.content
    assert (answer.json()["sha256"], answer.json()["name"]) == (sha256, "match.mp4")
    with asset_local(answer.json()["path"], sha256) as path:
        assert path.read_bytes() == clip.read_bytes()
    assert len(fetched) == 1
    bucket.put("input/notes.mp4", b"no video" * 100)
    assert sender.post("/api/assets", {"storage_key": "input/notes.mp4"}).status_code == 400
    assert sender.post("/api/assets", {"storage_key": "input/none.mp4"}).status_code == 404
    assert sender.post("/api/assets", {"storage_key": "frames/match.mp4"}).status_code == 400


def test_object_that_is_too_large_is_not_fetched(bucket: Bucket, settings: Settings, fetched: list[str]) -> None:
    bucket.put("input/large.mp4", bytes(2**20 + 1))
    settings.MAX_FILE_SIZE_MB = 1
    with pytest.raises(MediaError, match="too large"):
        asset_from_storage("input/large.mp4")
    assert fetched == []


def test_bucket_that_is_down_leaves_the_upload_to_be_finished(
    sender: APIClient, bucket: Bucket, clip: Path, settings: Settings
) -> None:
    content = clip.read_bytes()
    path = begin(sender, len(content))
    _use(settings, bucket, "http://127.0.0.1:1")
    down = patch(sender, path, 0, content)
    assert (down.status_code, down.json()["code"]) == (503, "storage")
    assert head(sender, path)["Upload-Offset"] == str(len(content))
    _use(settings, bucket, bucket.endpoint)
    made = sender.post("/api/assets", {"upload_id": path.rsplit("/", 1)[-1]}, headers=TUS)
    assert made.status_code == 201, made.content


def test_bucket_that_is_down_says_so_to_work(bucket: Bucket, settings: Settings) -> None:
    sha256 = bucket.put("input/match.mp4", b"content")
    _use(settings, bucket, "http://127.0.0.1:1")
    with pytest.raises(StorageError), asset_local("storage:input/match.mp4", sha256):
        pass
    _use(settings, bucket, bucket.endpoint)
    with asset_local("storage:input/match.mp4", sha256) as path:
        assert path.read_bytes() == b"content"


def test_fetching_goes_on_where_it_was_cut_off(bucket: Bucket, places: Path, fetched: list[str]) -> None:
    content = random.Random(3).randbytes(3_000_000)
    sha256 = bucket.put("input/match.mp4", content)
    (places / "cache" / "assets").mkdir(parents=True)
    (places / "cache" / "assets" / f"{sha256}.part").write_bytes(content[:1_234_567])
    with asset_local("storage:input/match.mp4", sha256) as path:
        assert path.read_bytes() == content
    assert fetched == ["bytes=1234567-"]


def test_what_changed_in_the_bucket_is_not_taken_for_what_was_submitted(bucket: Bucket, places: Path) -> None:
    sha256 = bucket.put("input/match.mp4", b"what was submitted")
    bucket.put("input/match.mp4", b"something else")
    with pytest.raises(MediaError, match="no longer the video"), asset_local("storage:input/match.mp4", sha256):
        pass
    (places / "cache" / "assets" / f"{sha256}.part").write_bytes(b"half of")
    with pytest.raises(StorageError), asset_local("storage:input/match.mp4", sha256):
        pass
    bucket.client.delete_object(Bucket=bucket.name, Key="input/match.mp4")
    with pytest.raises(NotFoundError), asset_local("storage:input/match.mp4", sha256):
        pass
    assert cache(places) == []


def test_several_at_once_fetch_once(bucket: Bucket, fetched: list[str]) -> None:
    content = random.Random(4).randbytes(2_000_000)
    sha256 = bucket.put("input/match.mp4", content)
    start = threading.Barrier(6)

    def read(_: int) -> bytes:
        start.wait()
        with asset_local("storage:input/match.mp4", sha256) as path:
            return path.read_bytes()

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(read, range(6))) == {content}
    assert fetched == ["bytes=0-"]


def test_least_used_goes_first_and_what_is_read_stays(bucket: Bucket, places: Path, settings: Settings) -> None:
    settings.CACHE_GB = 3_500_000 / 2**30
    names = {}
    for number in range(5):
        content = random.Random(number).randbytes(1_000_000)
        names[number] = bucket.put(f"input/{number}.mp4", content)

    def use(number: int) -> Any:
        return asset_local(f"storage:input/{number}.mp4", names[number])

    def kept() -> set[int]:
        return {number for number, sha256 in names.items() if f"{sha256}.mp4" in cache(places)}

    for number in (0, 1, 2, 0):
        with use(number):
            pass
        for path in (places / "cache" / "assets").glob("*.mp4"):  # a minute goes by
            os.utime(path, (path.stat().st_atime - 60, path.stat().st_mtime - 60))
    assert kept() == {0, 1, 2}
    with use(3):
        assert kept() == {0, 2, 3}
        with use(0), use(2), use(4) as fourth:  # four in use, and room for three: nothing is taken away from anybody
            assert kept() == {0, 2, 3, 4}
            assert fourth.stat().st_size == 1_000_000
    with use(1):
        assert len(kept()) == 3
