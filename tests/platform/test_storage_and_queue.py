"""Files in a bucket and work in a queue, on the embedded servers."""

from __future__ import annotations

import boto3
import pytest
import redis
from botocore.config import Config
from django.core.files.base import ContentFile
from storages.backends.s3 import S3Storage

from mediaproc.datafolder import DataFolder
from mediaproc.services.client import Claim
from mediaproc.services.s3 import ACCESS_KEY
from mediaproc.settings.storage import bucket_options


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("AWS_S3_REGION", "AWS_S3_ADDRESSING_STYLE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def _storage(data: DataFolder, endpoint: str, aws: pytest.MonkeyPatch) -> S3Storage:
    """The storage the settings make of the environment that names this server."""
    aws.setenv("AWS_S3_ENDPOINT_URL", endpoint)
    aws.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    aws.setenv("AWS_SECRET_ACCESS_KEY", data.secret("s3_secret"))
    return S3Storage(**bucket_options("frames"))


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
    with storage.open("match/0001.jpg") as file:
        assert file.read() == content
    storage.delete("match/0001.jpg")
    assert storage.listdir("match/")[1] == []
    claim.release()


def test_bucket_is_closed_to_other_keys(data: DataFolder, aws: pytest.MonkeyPatch) -> None:
    claim = Claim(data, durable=False)
    storage = _storage(data, claim.ensure("s3")["s3"], aws)
    aws.setenv("AWS_SECRET_ACCESS_KEY", "guessed")
    stranger = S3Storage(**bucket_options("frames"))
    assert stranger.endpoint_url == storage.endpoint_url
    with pytest.raises(Exception, match=r"SignatureDoesNotMatch|AccessDenied|Forbidden"):
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
