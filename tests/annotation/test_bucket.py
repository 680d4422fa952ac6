"""Batches whose files lie in a bucket, which is away for a while."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import httpx
import pytest
from botocore.config import Config

from mediaproc.datafolder import PROJECT_ROOT, DataFolder
from mediaproc.services.s3 import ACCESS_KEY, S3
from mediaproc.services.supervisor import bring_up
from tests.annotation import acting
from tests.annotation.works import Works, running_works
from tests.faults.system import Bucket
from tests.media.clips import write_clip
from tests.platform.processes import connect

pytestmark = pytest.mark.long

VIDEOS = ("a b#1%?.mp4", "Ä🏎️.mp4")


@dataclass
class Bucketful:
    """What a test works with."""

    works: Works
    http: httpx.Client
    server: Bucket
    objects: Any
    told: Path
    dataset: str

    def submit(self, *videos: str, **pipelines: dict[str, Any]) -> str:
        body = {"dataset_id": self.dataset, "videos": [{"path": name} for name in videos], "overrides": pipelines}
        answer = self.http.post("/api/v0/jobs", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def listed(self, job: str) -> list[dict[str, Any]]:
        outputs = self.http.get(f"/api/v0/jobs/{job}/artifacts").json()["outputs"]
        return [one for files in outputs.values() for one in files]

    def stored(self, job: str) -> set[str]:
        prefix = f"outputs/{job}/"
        return {found.key.removeprefix(prefix) for found in self.objects.filter(Prefix=prefix)}

    def count(self, query: str) -> int:
        with connect(self.works.site.data) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucketful]:
    roots, told = tmp_path_factory.mktemp("roots"), tmp_path_factory.mktemp("acting")
    for number, name in enumerate(VIDEOS):
        write_clip(roots / name, 5 + number)
    base = Path(tempfile.mkdtemp(prefix="mediaproc-bucket-"))
    data = DataFolder(base / "data")
    data.create()
    data.create_sockets()
    server = S3(data)
    bucket = Bucket(server, bring_up(server))
    try:
        access = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": data.secret("s3_secret")}
        config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
        resource = boto3.resource("s3", endpoint_url=server.address(), region_name="us-east-1", config=config, **access)
        environment = {
            "STORAGE_BACKEND": "s3",
            "AWS_S3_BUCKET": "batches",
            "AWS_S3_ENDPOINT_URL": server.address(),
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": access["aws_secret_access_key"],
            "MEDIAPROC_PIPELINES": str(acting.PIPELINES),
            "PYTHONPATH": str(PROJECT_ROOT),
            "ACTING_FOLDER": str(told),
        }
        objects = resource.create_bucket(Bucket="batches").objects
        with running_works(roots, environment) as works, works.client() as http:
            made = http.post("/api/v0/datasets", json={"name": "clips", "base_path": str(roots)}).json()["id"]
            yield Bucketful(works, http, bucket, objects, told, made)
    finally:
        bucket.kill()
        shutil.rmtree(base)
        shutil.rmtree(data.sockets, ignore_errors=True)


def test_what_a_batch_leaves_lies_in_the_bucket_and_comes_back_from_it(full: Bucketful) -> None:
    names = "one.json|deep/ö #2.vtt"
    job = full.submit(*VIDEOS, acting={}, leaves={"names": names})
    assert full.works.until_ended(full.http, job)["state"] == "succeeded"
    listed = full.listed(job)
    assert len(listed) == 4 * len(VIDEOS)
    assert full.stored(job) == {"manifest.json", *(one["path"] for one in listed)}
    whole: dict[str, bytes] = {}
    for one in listed:
        place = f"/api/v0/jobs/{job}/artifacts/{quote(one['path'])}"
        whole[one["path"]] = full.http.get(place).content
        assert hashlib.sha256(whole[one["path"]]).hexdigest() == one["meta"]["sha256"]
        part = full.http.get(place, headers={"Range": "bytes=2-5"})
        assert (part.status_code, part.content) == (206, whole[one["path"]][2:6])
    answer = full.http.get(f"/api/v0/jobs/{job}/artifacts.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as zipped:
        kept = full.objects.filter(Prefix=f"outputs/{job}/manifest.json")
        assert zipped.read("manifest.json") == next(iter(kept)).get()["Body"].read()
        assert {name: zipped.read(name) for name in zipped.namelist() if name != "manifest.json"} == whole
    assert full.http.delete(f"/api/v0/jobs/{job}").status_code == 204
    assert full.stored(job) == set()


def test_a_bucket_that_is_away_is_waited_for(full: Bucketful) -> None:
    """By a batch that writes its files, and by one whose video is taken in."""
    with connect(full.works.site.data) as connection:
        for table in ("detect_stageoutput", "jobs_annotationjob"):
            connection.execute(f"TRUNCATE {table} CASCADE".encode())
    (full.told / "journal").unlink()
    (full.told / "hold").touch()
    first = full.submit(VIDEOS[0], acting={})
    full.works.eventually((full.told / "journal").exists)
    full.server.kill()
    second = full.submit(VIDEOS[1], leaves={})
    (full.told / "hold").unlink()
    full.works.eventually(lambda: full.count("SELECT count(*) FROM jobs_annotationrun WHERE not_before IS NOT NULL"))
    full.works.eventually(
        lambda: (
            full.count("SELECT count(*) FROM jobs_annotationvideo WHERE not_before IS NOT NULL")
            or full.count("SELECT count(*) FROM jobs_workunit WHERE error <> ''")
        )
    )
    for job in (first, second):
        assert full.http.get(f"/api/v0/jobs/{job}").json()["state"] in ("queued", "running")
    full.server.start()
    for job, files in ((first, 2), (second, 1)):
        ended = full.works.until_ended(full.http, job)
        assert (ended["state"], ended["error"]) == ("succeeded", None)
        assert len(full.listed(job)) == files
        assert full.stored(job) == {"manifest.json", *(one["path"] for one in full.listed(job))}
