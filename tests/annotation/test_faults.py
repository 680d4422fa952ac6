"""Batches whose workers, queue, scheduler and database are killed: nothing is lost, left over or done by halves."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis
from redis.exceptions import RedisError

from mediaproc.datafolder import PROJECT_ROOT
from tests.annotation import acting
from tests.annotation.streams import numbers_of, read_stream
from tests.annotation.works import Works, running_works
from tests.media.clips import write_clip
from tests.platform.processes import connect, state

pytestmark = pytest.mark.long

VIDEOS = ("a.mp4", "b.mp4", "c.mp4", "d.mp4")
_DEATHS = ("asked", "stage", "b.mp4.files", "c.mp4.rows", "manifest", "commit")


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    folder = tmp_path_factory.mktemp("roots")
    for number, name in enumerate(VIDEOS):
        write_clip(folder / name, 25 + number)
    told = tmp_path_factory.mktemp("acting")
    environment = {
        "MEDIAPROC_PIPELINES": str(acting.PIPELINES),
        "PYTHONPATH": str(PROJECT_ROOT),
        "ACTING_FOLDER": str(told),
    }
    with running_works(folder, environment) as made:
        yield made


@pytest.fixture(scope="module")
def http(works: Works) -> Iterator[httpx.Client]:
    with works.client() as client:
        yield client


@pytest.fixture(scope="module")
def dataset(works: Works, http: httpx.Client) -> str:
    answer = http.post("/api/v0/datasets", json={"name": "clips", "base_path": str(works.roots)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.fixture
def told(works: Works) -> Iterator[Path]:
    """What the stages look at."""
    folder = Path(works.site.environment["ACTING_FOLDER"])
    yield folder
    for left in folder.iterdir():
        left.unlink()


def submit(http: httpx.Client, dataset: str, *videos: str, **pipelines: dict[str, Any]) -> str:
    body = {"dataset_id": dataset, "videos": [{"path": name} for name in videos], "overrides": pipelines}
    answer = http.post("/api/v0/jobs", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def forget_outputs(works: Works) -> None:
    """Have everything computed anew: what a stage gave is found again by another job otherwise."""
    with connect(works.site.data) as connection:
        connection.execute("DELETE FROM detect_stageoutput")


def digests(works: Works, http: httpx.Client, job: str) -> dict[str, str]:
    """Every listed file's digest, held against what is sent; and nothing else lies in storage."""
    listed = [one for files in http.get(f"/api/v0/jobs/{job}/artifacts").json()["outputs"].values() for one in files]
    for one in listed:
        content = http.get(f"/api/v0/jobs/{job}/artifacts/{one['path']}").content
        assert hashlib.sha256(content).hexdigest() == one["meta"]["sha256"]
    below = works.site.data.storage / "outputs" / job
    there = {str(path.relative_to(below)) for path in below.rglob("*") if path.is_file()}
    assert there == {"manifest.json", *(one["path"] for one in listed)}
    return {one["path"]: one["meta"]["sha256"] for one in listed}


def test_killed_at_every_moment_a_batch_ends_as_if_nothing_had_been(
    works: Works, http: httpx.Client, dataset: str, told: Path
) -> None:
    for moment in _DEATHS:
        (told / f"die.{moment}").touch()
    job = submit(http, dataset, *VIDEOS, acting={}, leaves={"names": "left.json|sub/left.vtt"})

    def ended() -> bool:
        if works.processes["worker"].poll() is not None:
            works.processes.pop("worker")
            works.start("worker", "worker")
        return http.get(f"/api/v0/jobs/{job}").json()["state"] in ("succeeded", "failed")

    works.eventually(ended)
    assert not [path.name for path in told.glob("die.*")]
    after = http.get(f"/api/v0/jobs/{job}").json()
    assert (after["state"], after["error"]) == ("succeeded", None)
    found = digests(works, http, job)
    assert len(found) == 4 * len(VIDEOS)
    forget_outputs(works)
    calm = submit(http, dataset, *VIDEOS, acting={}, leaves={"names": "left.json|sub/left.vtt"})
    assert works.until_ended(http, calm)["state"] == "succeeded"
    assert digests(works, http, calm) == found
    numbers_of(read_stream(http, job=job))
    assert not list((works.site.data.root / "cache" / "drafts").rglob("*.*"))


def test_it_goes_on_when_all_servers_were_killed_and_nobody_who_listens_notices(
    works: Works, http: httpx.Client, dataset: str, told: Path
) -> None:
    forget_outputs(works)
    (told / "hold").touch()
    job = submit(http, dataset, *VIDEOS, acting={}, leaves={})
    heard: list[dict[str, Any]] = []
    listening = threading.Thread(target=lambda: heard.extend(read_stream(http, job=job)))
    listening.start()
    works.eventually(lambda: (told / "journal").exists())
    with connect(works.site.data) as connection:  # nothing is lost that a stage made before the database goes
        connection.execute("CHECKPOINT")
    for server in ("valkey", "postgres"):
        os.kill(state(works.site.data)["servers"][server]["pid"], signal.SIGKILL)
    works.kill("scheduler")
    works.start("scheduler", "scheduler")
    empty_queue(works)
    (told / "hold").unlink()
    assert works.until_ended(http, job)["state"] == "succeeded"
    assert len(digests(works, http, job)) == 3 * len(VIDEOS)
    listening.join(30)
    assert not listening.is_alive()
    last = numbers_of(heard)
    assert last == numbers_of(read_stream(http, job=job))
    assert heard[-1]["data"]["state"] == "succeeded"


def empty_queue(works: Works) -> None:
    def emptied() -> bool:
        with suppress(RedisError):
            return bool(Redis(unix_socket_path=str(works.site.data.valkey_socket)).flushall())
        return False

    works.eventually(emptied, 30)
