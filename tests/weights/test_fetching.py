"""Weights that are fetched: once, whole, and only those that were meant."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django import Settings

from detect.engines.objects import WeightsError
from detect.errors import StorageError
from detect.weights_catalog import ModelEntry
from jobs import model_files
from jobs.model_files import model_fetch
from mediaproc.services import ensure_s3
from tests.weights.conftest import CONTENT, SHA256, FileServer


def kept(places: Path) -> list[str]:
    return sorted(path.name for path in (places / "cache" / "models").iterdir() if path.suffix != ".lock")


def test_fetched_once_and_offline_ever_after(places: Path, server: FileServer) -> None:
    entry = ModelEntry(url=server.url("/models/best.ONNX?token=x"), sha256=SHA256)
    path = model_fetch(entry)
    assert path == places / "cache" / "models" / f"{SHA256}.onnx"
    assert path.read_bytes() == CONTENT and server.asked == ["/models/best.ONNX?token=x"]
    server.status = 500
    assert model_fetch(entry) == path and len(server.asked) == 1
    assert model_fetch(ModelEntry(url="http://127.0.0.1:1/moved.onnx", sha256=SHA256)) == path


def test_an_address_that_points_on_is_followed(places: Path, server: FileServer) -> None:
    server.status = 302
    assert model_fetch(ModelEntry(url=server.url("/old.onnx"), sha256=SHA256)).read_bytes() == CONTENT
    assert server.asked == ["/old.onnx", "/models/best.onnx"]


def test_several_at_once_fetch_once(places: Path, server: FileServer) -> None:
    start = threading.Barrier(6)

    def fetch(_: int) -> bytes:
        start.wait()
        return model_fetch(ModelEntry(url=server.url(), sha256=SHA256)).read_bytes()

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(fetch, range(6))) == {CONTENT}
    assert len(server.asked) == 1


def test_another_file_than_was_meant_is_refused_with_both_digests(places: Path, server: FileServer) -> None:
    meant = "0" * 64
    with pytest.raises(WeightsError, match=rf"{SHA256}.*models\.yaml says {meant}") as caught:
        model_fetch(ModelEntry(url=server.url("/best.pt?token=hidden"), sha256=meant))
    assert kept(places) == [] and "hidden" not in caught.value.message


def test_what_is_cut_off_is_removed_and_fetched_anew(places: Path, server: FileServer) -> None:
    entry = ModelEntry(url=server.url(), sha256=SHA256)
    server.sent = 100_000
    with pytest.raises(StorageError, match="cannot be fetched"):
        model_fetch(entry)
    assert kept(places) == []
    server.sent = None
    assert model_fetch(entry).read_bytes() == CONTENT


def test_what_a_killed_process_left_is_written_over(places: Path, server: FileServer) -> None:
    folder = places / "cache" / "models"
    folder.mkdir(parents=True)
    (folder / f"{SHA256}.part").write_bytes(b"x" * 1_000_000)
    assert model_fetch(ModelEntry(url=server.url(), sha256=SHA256)).read_bytes() == CONTENT
    assert kept(places) == [f"{SHA256}.onnx"]


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, WeightsError), (403, WeightsError), (429, StorageError), (500, StorageError), (503, StorageError)],
)
def test_only_what_may_pass_is_tried_again(
    places: Path, server: FileServer, status: int, error: type[Exception]
) -> None:
    server.status = status
    with pytest.raises(error, match=f"answers {status}"):
        model_fetch(ModelEntry(url=server.url(), sha256=SHA256))
    assert kept(places) == []


def test_a_server_that_is_not_there(places: Path) -> None:
    with pytest.raises(StorageError, match=r"http://127\.0\.0\.1:1/best\.pt cannot be fetched"):
        model_fetch(ModelEntry(url="http://127.0.0.1:1/best.pt", sha256=SHA256))


def test_a_file_that_is_too_large_or_takes_too_long_is_given_up(
    places: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = ModelEntry(url=server.url(), sha256=SHA256)
    with monkeypatch.context() as patch:
        patch.setattr(model_files, "_MOST_BYTES", len(CONTENT) - 1)
        with pytest.raises(WeightsError, match="are larger than"):
            model_fetch(entry)
    with monkeypatch.context() as patch:
        patch.setattr(model_files, "_PATIENCE", -1.0)
        with pytest.raises(StorageError, match="take too long"):
            model_fetch(entry)
    assert kept(places) == []


def _local(settings: Settings) -> None:
    """Storage as ``places`` has made it."""


def _bucket(settings: Settings, endpoint: str = "") -> None:
    access, name = ensure_s3(), f"models-{os.urandom(4).hex()}"
    client = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    keys = {"aws_access_key_id": access.access_key, "aws_secret_access_key": access.secret_key}
    s3 = boto3.client("s3", endpoint_url=access.endpoint_url, region_name="us-east-1", config=client, **keys)
    s3.create_bucket(Bucket=name)
    options = {
        "bucket_name": name,
        "region_name": "us-east-1",
        "endpoint_url": endpoint or access.endpoint_url,
        "access_key": access.access_key,
        "secret_key": access.secret_key,
        "client_config": client,
        "file_overwrite": True,
    }
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "mediaproc.bucketfiles.BucketFiles", "OPTIONS": options},
    }


@pytest.mark.parametrize("use", [_local, _bucket], ids=["local", "bucket"])
def test_weights_in_storage(
    places: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, use: Callable[[Settings], None]
) -> None:
    use(settings)
    entry = ModelEntry(key="models/best.pt", sha256=SHA256)
    with pytest.raises(WeightsError, match=r"no weights at 'models/best\.pt' in storage"):
        model_fetch(entry)
    default_storage.save("models/best.pt", ContentFile(CONTENT))
    with pytest.raises(WeightsError, match=f"{SHA256}.*says {'1' * 64}"):
        model_fetch(ModelEntry(key="models/best.pt", sha256="1" * 64))
    with monkeypatch.context() as patch:
        patch.setattr(model_files, "_MOST_BYTES", 1000)
        with pytest.raises(WeightsError, match="are larger than"):
            model_fetch(entry)
    assert kept(places) == []
    path = model_fetch(entry)
    assert path.name == f"{SHA256}.pt" and path.read_bytes() == CONTENT
    default_storage.delete("models/best.pt")
    assert model_fetch(entry) == path


def test_a_bucket_that_is_away_is_asked_again_later(places: Path, settings: Settings) -> None:
    _bucket(settings, "http://127.0.0.1:1")
    with pytest.raises(StorageError, match="cannot be fetched from storage: the bucket cannot be reached"):
        model_fetch(ModelEntry(key="models/best.pt", sha256=SHA256))
