"""Sites to which pit stops are sent, over storage on a disk and in a bucket, and jobs in the state that tests need."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from mediaproc.datafolder import PROJECT_ROOT, DataFolder
from mediaproc.services import ensure_s3
from tests.uploads.conftest import clip, places
from tests.uploads.sending import Site

__all__ = ["clip", "places"]

ROLES = ("viewer", "reviewer", "operator")


@dataclass
class PitstopSite(Site):
    """A server without workers: what is sent waits. ``bucket`` is None where files lie in the data folder."""

    keys: dict[str, str] = field(default_factory=dict)
    bucket: Any = None
    builder: subprocess.Popen[str] | None = None

    def build(self, *wanted: dict[str, Any]) -> list[dict[str, Any]]:
        """Jobs and keys, made by a process beside the server (``building.py``)."""
        log = self.data.root / "builder.log"
        if self.builder is None:
            with log.open("ab") as errors:
                self.builder = subprocess.Popen(
                    [sys.executable, "-m", "tests.pitstop.building"],
                    cwd=PROJECT_ROOT,
                    env=self.environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                )
        assert self.builder.stdin is not None and self.builder.stdout is not None
        self.builder.stdin.write(json.dumps(wanted) + "\n")
        self.builder.stdin.flush()
        line = self.builder.stdout.readline()
        assert line, log.read_text()
        answer: list[dict[str, Any]] = json.loads(line)
        return answer

    def kill(self) -> None:
        super().kill()
        if self.builder is not None:
            self.builder.kill()
            self.builder.communicate()
            self.builder = None

    def of_role(self, role: str) -> httpx.Client:
        return httpx.Client(base_url=self.address, headers={"X-API-Key": self.keys[role]}, timeout=60)

    def stored(self) -> set[str]:
        """Keys of every file in storage."""
        if self.bucket is not None:
            return {item.key for item in self.bucket.objects.all()}
        root = self.data.storage
        return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


@contextmanager
def running_site(**environment: str) -> Iterator[PitstopSite]:
    """A server over a data folder of its own; not below pytest's folder, which Postgres may not enter."""
    base = Path(tempfile.mkdtemp(prefix="mediaproc-pitstop-"))
    base.chmod(0o711)
    data = DataFolder(base / "data")
    data.create()
    mine = {"MEDIAPROC_DATA": str(data.root), "DJANGO_SETTINGS_MODULE": "mediaproc.settings"}
    site = PitstopSite(data=data, environment={**os.environ, **mine, **environment})
    try:
        keys = site.build(*({"key": role} for role in ROLES))
        site.keys = {role: made["key"] for role, made in zip(ROLES, keys, strict=True)}
        site.key = site.keys["operator"]
        site.start()
        yield site
    finally:
        site.kill()
        data.wait_until_stopped()
        shutil.rmtree(base)


@pytest.fixture(scope="package")
def local_site() -> Iterator[PitstopSite]:
    with running_site(STORAGE_BACKEND="local", MAX_FILE_SIZE_MB="300") as site:
        yield site


@pytest.fixture(scope="package")
def bucket_site() -> Iterator[PitstopSite]:
    """Its files lie in a bucket of the embedded S3 server of these tests."""
    access, name = ensure_s3(), f"pitstop-{os.urandom(4).hex()}"
    resource = boto3.resource(
        "s3",
        endpoint_url=access.endpoint_url,
        aws_access_key_id=access.access_key,
        aws_secret_access_key=access.secret_key,
        region_name="us-east-1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    bucket = resource.create_bucket(Bucket=name)
    environment = {
        "STORAGE_BACKEND": "s3",
        "AWS_S3_BUCKET": name,
        "AWS_S3_ENDPOINT_URL": access.endpoint_url,
        "AWS_ACCESS_KEY_ID": access.access_key,
        "AWS_SECRET_ACCESS_KEY": access.secret_key,
        "MAX_FILE_SIZE_MB": "300",
    }
    with running_site(**environment) as site:
        site.bucket = bucket
        yield site


@pytest.fixture(scope="package", params=["local", "bucket"])
def site(request: pytest.FixtureRequest) -> PitstopSite:
    found: PitstopSite = request.getfixturevalue(f"{request.param}_site")
    return found


@pytest.fixture
def http(site: PitstopSite) -> Iterator[httpx.Client]:
    with site.client() as client:
        yield client


@pytest.fixture(scope="package")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A site with a worker and a scheduler (``plant.py``); tests leave it without jobs."""
    from tests.pitstop.plant import running_plant  # it builds on what is here

    with running_plant(tmp_path_factory.mktemp("plant")) as made:
        yield made


@pytest.fixture(scope="package")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.pitstop.plant import long_clip

    return long_clip(tmp_path_factory.mktemp("long") / "stop.mp4")
