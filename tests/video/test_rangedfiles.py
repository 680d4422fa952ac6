"""Pieces of files on the disk and in a bucket, each of the content that was opened, and none without need."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from pytest_django import Settings

from mediaproc import rangedfiles
from mediaproc.rangedfiles import BucketObject, DiskFile, stored_file
from tests.uploads.test_bucket import Bucket, _use

CONTENT = random.Random(6).randbytes(3_000_000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "match.mp4"
    path.write_bytes(CONTENT)
    return path


class TestOnTheDisk:
    def test_any_piece_of_it(self, file: Path) -> None:
        opened = DiskFile.open(file)
        assert opened.size == len(CONTENT)
        assert opened.modified.timestamp() == int(file.stat().st_mtime)
        for start, length in [(0, 1), (17, 1000), (2_999_990, 10), (0, 3_000_000)]:
            assert opened.read(start, length) == CONTENT[start : start + length]

    def test_the_same_content_has_the_same_tag(self, file: Path) -> None:
        tag = DiskFile.open(file).etag
        assert (tag[0], tag[-1], DiskFile.open(file).etag) == ('"', '"', tag)
        os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))
        assert DiskFile.open(file).etag != tag

    def test_another_content_in_its_place_is_not_sent(self, file: Path) -> None:
        opened = DiskFile.open(file)
        other = file.with_name("other")
        other.write_bytes(bytes(len(CONTENT)))
        os.utime(other, ns=(0, file.stat().st_mtime_ns))
        other.replace(file)
        with pytest.raises(OSError, match="changed"):
            opened.read(0, 10)
        assert DiskFile.open(file).etag != opened.etag

    def test_a_link_in_its_place_that_leads_elsewhere_is_not_followed(self, file: Path, tmp_path: Path) -> None:
        opened = DiskFile.open(file)
        secret = tmp_path / "secret"
        secret.write_bytes(CONTENT)
        file.unlink()
        file.symlink_to(secret)
        with pytest.raises(OSError, match="changed"):
            opened.read(0, 10)

    def test_one_that_is_gone(self, file: Path) -> None:
        opened = DiskFile.open(file)
        file.unlink()
        with pytest.raises(FileNotFoundError):
            opened.read(0, 10)
        with pytest.raises(FileNotFoundError):
            DiskFile.open(file)

    def test_what_is_no_file(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.mp4")
        for path in (tmp_path, tmp_path / "pipe.mp4"):
            with pytest.raises(FileNotFoundError):
                DiskFile.open(path)

    def test_beyond_its_end_there_is_nothing(self, file: Path) -> None:
        with pytest.raises(OSError, match="cut off"):
            DiskFile.open(file).read(len(CONTENT) - 5, 10)

    def test_by_its_key(self, places: Path) -> None:
        stored = places / "storage" / "uploads" / "match.mp4"
        stored.parent.mkdir(parents=True)
        stored.write_bytes(CONTENT)
        assert stored_file("uploads/match.mp4").read(5, 5) == CONTENT[5:10]
        with pytest.raises(FileNotFoundError):
            stored_file("uploads/none.mp4")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, bucket: Bucket) -> list[str]:
    """Ranges that were asked of the bucket."""
    ranges: list[str] = []
    plain = rangedfiles._client(storages["default"])

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(plain, name)

        def get_object(self, **options: Any) -> Any:
            ranges.append(options["Range"])
            return plain.get_object(**options)

    monkeypatch.setattr(rangedfiles, "_client", lambda storage: Counting())
    return ranges


class TestInABucket:
    def test_only_the_pieces_that_are_asked_for_are_fetched(self, bucket: Bucket, asked: list[str]) -> None:
        bucket.put("uploads/match.mp4", CONTENT)
        opened = stored_file("uploads/match.mp4")
        assert isinstance(opened, BucketObject)
        assert (opened.size, asked) == (len(CONTENT), [])
        assert opened.read(1000, 500) == CONTENT[1000:1500]
        assert opened.read(2_999_999, 1) == CONTENT[-1:]
        assert asked == ["bytes=1000-1499", "bytes=2999999-2999999"]

    def test_its_tag_and_date(self, bucket: Bucket) -> None:
        bucket.put("uploads/match.mp4", CONTENT)
        opened = stored_file("uploads/match.mp4")
        assert (opened.etag[0], opened.etag[-1], opened.modified.utcoffset()) == ('"', '"', opened.modified.dst())
        bucket.put("uploads/match.mp4", CONTENT[::-1])
        assert stored_file("uploads/match.mp4").etag != opened.etag

    def test_another_content_in_its_place_is_not_sent(self, bucket: Bucket) -> None:
        bucket.put("uploads/match.mp4", CONTENT)
        opened = stored_file("uploads/match.mp4")
        bucket.put("uploads/match.mp4", CONTENT[::-1])
        with pytest.raises(OSError, match="refuses"):
            opened.read(0, 10)

    def test_one_that_is_gone(self, bucket: Bucket) -> None:
        bucket.put("uploads/match.mp4", CONTENT)
        opened = stored_file("uploads/match.mp4")
        bucket.client.delete_object(Bucket=bucket.name, Key="uploads/match.mp4")
        with pytest.raises(FileNotFoundError):
            opened.read(0, 10)
        with pytest.raises(FileNotFoundError):
            stored_file("uploads/match.mp4")

    def test_a_bucket_that_is_down(self, bucket: Bucket, settings: Settings) -> None:
        _use(settings, bucket, "http://127.0.0.1:1")
        with pytest.raises(OSError, match="cannot be reached"):
            stored_file("uploads/match.mp4")

    def test_a_server_without_ranges_is_not_read_to_its_end(
        self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bucket.put("uploads/match.mp4", CONTENT)
        plain = rangedfiles._client(storages["default"])

        class Whole:
            def __getattr__(self, name: str) -> Any:
                return getattr(plain, name)

            def get_object(self, **options: Any) -> Any:
                del options["Range"]
                return plain.get_object(**options)

        monkeypatch.setattr(rangedfiles, "_client", lambda storage: Whole())
        with pytest.raises(OSError, match="does not give"):
            stored_file("uploads/match.mp4").read(0, 10)
