"""Files in a bucket and work in a queue, on the embedded servers."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
import redis
from botocore.config import Config
from django.core.files.base import ContentFile

from detect.errors import StorageError
from detect.persistence import StorageFrames
from mediaproc.bucketfiles import BucketFiles
from mediaproc.datafolder import DataFolder
from mediaproc.services.client import Claim
from mediaproc.services.s3 import ACCESS_KEY
from mediaproc.settings.storage import bucket_options
from tests.platform.processes import eventually, pid_of, state


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("AWS_S3_REGION", "AWS_S3_ADDRESSING_STYLE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def _storage(data: DataFolder, endpoint: str, aws: pytest.MonkeyPatch) -> BucketFiles:
    """The storage the settings make of the environment that names this server."""
    aws.setenv("AWS_S3_ENDPOINT_URL", endpoint)
    aws.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    aws.setenv("AWS_SECRET_ACCESS_KEY", data.secret("s3_secret"))
    return BucketFiles(**bucket_options("frames"))


def test_bucket_keeps_files_over_a_restart(data: DataFolder, aws: pytest.MonkeyPatch) -> None:
    claim = Claim(data, durable=False)
    endpoint = claim.ensure("s3")["s3"]
    boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=data.secret("s3_secret"),
        region_name="us-east-1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    ).create_bucket(Bucket="frames")
    storage = _storage(data, endpoint, aws)
    content = bytes(range(256)) * 1000
    assert storage.save("match/0001.jpg", ContentFile(content)) == "match/0001.jpg"
    claim.release()

    storage = _storage(data, claim.ensure("s3")["s3"], aws)
    assert storage.exists("match/0001.jpg")
    assert not storage.exists("match/0002.jpg")
    with pytest.raises(FileNotFoundError, match=r"there is no match/0002\.jpg"):
        storage.open("match/0002.jpg").read()
    with storage.open("match/0001.jpg") as file:
        assert file.read() == content
    storage.delete("match/0001.jpg")
    assert storage.listdir("match/")[1] == []
    claim.release()


def test_bucket_server_that_is_killed_comes_back_where_it_was(data: DataFolder) -> None:
    claim = Claim(data, durable=False)
    endpoint = claim.ensure("s3")["s3"]
    killed = pid_of(data, "s3")
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: pid_of(data, "s3") != killed)
    assert state(data)["servers"]["s3"]["address"] == endpoint
    claim.release()


def test_bucket_is_closed_to_other_keys(data: DataFolder, aws: pytest.MonkeyPatch) -> None:
    claim = Claim(data, durable=False)
    storage = _storage(data, claim.ensure("s3")["s3"], aws)
    aws.setenv("AWS_SECRET_ACCESS_KEY", "guessed")
    stranger = BucketFiles(**bucket_options("frames"))
    assert stranger.endpoint_url == storage.endpoint_url
    with pytest.raises(OSError, match=r"SignatureDoesNotMatch|AccessDenied|Forbidden"):
        stranger.save("a", ContentFile(b"x"))
    claim.release()


def test_queue_keeps_its_work_over_a_restart(data: DataFolder) -> None:
    claim = Claim(data)
    with redis.Redis.from_url(claim.ensure("valkey")["valkey"]) as queue:
        queue.rpush("rq:queue:cpu", "a job")
    claim.release()
    with redis.Redis.from_url(claim.ensure("valkey")["valkey"]) as queue:
        assert queue.lrange("rq:queue:cpu", 0, -1) == [b"a job"]
    claim.release()


class _Silent(BaseHTTPRequestHandler):
    """Takes requests and never answers them."""

    def do_HEAD(self) -> None:
        time.sleep(30)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Quiet."""


def _tries(storage: BucketFiles) -> list[Callable[[], object]]:
    return [
        lambda: storage.open("a").read(),
        lambda: storage.save("a", ContentFile(b"x")),
        lambda: storage.exists("a"),
        lambda: storage.delete("a"),
        lambda: storage.size("a"),
        lambda: storage.listdir(""),
    ]


def test_bucket_that_is_away_is_told_as_any_disk_would(data: DataFolder, aws: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens there
        storage = _storage(data, f"http://127.0.0.1:{taken.getsockname()[1]}", aws)
        for attempt in _tries(storage):
            with pytest.raises(OSError, match="the bucket cannot be reached"):
                attempt()
        with pytest.raises(StorageError, match="cannot be read: the bucket cannot be reached"):
            StorageFrames(storage, "t").load(1)
        with pytest.raises(StorageError, match="cannot be stored: the bucket cannot be reached"):
            StorageFrames(storage, "t").save_jpeg(1, b"x")


def test_bucket_that_hangs_is_given_up(data: DataFolder, aws: pytest.MonkeyPatch) -> None:
    """With the limits of the settings, shortened here: three tries, none longer than its time."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Silent) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        storage = _storage(data, f"http://127.0.0.1:{server.server_address[1]}", aws)
        limits = storage.client_config
        assert (limits.connect_timeout, limits.read_timeout) == (5, 10)
        assert limits.retries == {"mode": "standard", "total_max_attempts": 3}
        storage.client_config = limits.merge(Config(read_timeout=0.1))
        with pytest.raises(OSError, match="the bucket cannot be reached: Read timeout"):
            storage.exists("a")
        server.shutdown()
