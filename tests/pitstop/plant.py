"""A site with a worker and a scheduler, whose stages do what a test says, and weights that a test puts there."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

from mediaproc.datafolder import PROJECT_ROOT
from tests.engines.tiny_onnx import constant_network
from tests.media.clips import write_clip
from tests.pitstop.acting import Does, acting_pipeline
from tests.pitstop.conftest import PitstopSite, running_site
from tests.platform.processes import connect

JOBS = "/api/pitstop/jobs"
NAMES = ("car", "person")
#: What the weights find in every picture of 128x96: a car in the middle, a person at the left edge.
ZONES = [
    {"name": "Box", "points": [[0.2, 0.2], [0.8, 0.2], [0.8, 1.0], [0.2, 1.0]], "classes": ["car"]},
    {"name": "Fuel", "points": [[0.0, 0.0], [0.15, 0.0], [0.15, 1.0], [0.0, 1.0]], "measure": "fuel"},
]
#: Three windows of 30 s, frames at uneven times, so few that a run takes a second or two.
CHUNKS, SECONDS = 3, 78
_MILLISECOND = Fraction(1, 1000)
_FRONT = {"movflags": "faststart"}
#: What belongs to videos and jobs, in the database.
_TABLES = (
    "detect_sourceasset",
    "detect_timeline",
    "detect_checkpoint",
    "jobs_detectjob",
    "jobs_workunit",
    "jobs_jobevent",
    "jobs_pitstoprun",
    "jobs_metricbyhand",
)


def long_clip(path: Path, *, sound: bool = True) -> Path:
    """A clip of variable rate in as many chunks as CHUNKS says, its first frame at 0.2 s."""
    pts, at = [], 200
    while at < SECONDS * 1000:
        pts.append(at)
        at += (400, 700, 550)[len(pts) % 3]
    return write_clip(path, len(pts), pts=pts, time_base=_MILLISECOND, audio=sound, container_options=_FRONT)


def tiny_weights(path: Path) -> Path:
    found = np.zeros((1, 6, 84), np.float32)
    found[0, :, 0] = (32, 32, 24, 20, 0.9, 0)
    found[0, :, 1] = (4, 34, 6, 16, 0, 0.8)
    metadata = {"names": str(dict(enumerate(NAMES))), "imgsz": "[64, 64]", "stride": "32"}
    path.write_bytes(constant_network(found, metadata=metadata))
    return path


@dataclass
class Plant:
    """What a test works with. ``acting`` is the folder that the stages look into."""

    site: PitstopSite
    http: httpx.Client
    acting: Path
    weights: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def use(self, weights: Path | None) -> None:
        """The weights from now on; None where there are to be none."""
        models = self.site.data.root / "models.yaml"
        models.unlink(missing_ok=True)
        if weights is not None:
            models.write_text(json.dumps({"models": {"pitstop": {"path": str(weights)}}}))

    def send(self, video: Path, **fields: str) -> str:
        answer = self.http.post(JOBS, files={"file": (video.name, video.read_bytes())}, data=fields)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["job_id"])

    def job(self, job: str) -> dict[str, Any]:
        answer = self.http.get(f"{JOBS}/{job}")
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def until_ended(self, job: str, look: Callable[[dict[str, Any]], object] = lambda told: None) -> dict[str, Any]:
        """The job once it has ended; ``look`` is given each answer on the way."""
        found: dict[str, Any] = {}

        def ended() -> bool:
            found.update(self.job(job))
            look(found)
            return found["status"] in ("COMPLETE", "FAILED")

        self.eventually(ended)
        return found

    def complete(self, job: str) -> bytes:
        """The annotated video, waited for."""
        told = self.until_ended(job)
        assert told["status"] == "COMPLETE", told
        answer = self.http.get(f"{JOBS}/{job}/output")
        assert answer.status_code == 200
        return answer.content

    def delete(self, *jobs: str) -> None:
        for job in jobs:
            answer = self.http.delete(f"{JOBS}/{job}")
            assert answer.status_code == 200, answer.text

    def rezone(self, job: str, zones: list[dict[str, Any]]) -> str:
        """A replay in other zones, for the worker."""
        (made,) = self.site.build({"rezone": job, "zones": zones})
        return str(made["id"])

    def tell(self, place: str, does: Does) -> None:
        """From now on this is done at ``stage.unit.moment``."""
        draft = self.acting / "draft"
        draft.write_text(does)
        draft.replace(self.acting / place)

    def until_held(self, place: str) -> None:
        self.eventually((self.acting / f"{place}.held").exists)

    def let_go(self, place: str) -> None:
        for name in (place, f"{place}.held"):
            (self.acting / name).unlink(missing_ok=True)

    def begun(self) -> Counter[str]:
        """How often each unit was begun so far."""
        journal = self.acting / "journal"
        return Counter(line.split()[0] for line in journal.read_text().splitlines()) if journal.exists() else Counter()

    def left(self) -> set[str]:
        """Whatever is there of videos and jobs: files in storage, uploads, cache and drafts, and counts of rows."""
        root = self.site.data.root
        places = [self.site.data.storage, self.site.uploads, root / "cache"]
        files = {str(path.relative_to(root)) for place in places for path in place.rglob("*") if path.is_file()}
        return files | {f"{table}: {self.value(f'SELECT count(*) FROM {table}')}" for table in _TABLES}

    def forget_outputs(self) -> None:
        """Have everything computed anew: what was detected is found again by a job on the same video otherwise."""
        with connect(self.site.data) as connection:
            connection.execute("DELETE FROM detect_stageoutput")

    def value(self, query: str) -> Any:
        with connect(self.site.data) as connection:
            row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None

    def drafts(self) -> list[Path]:
        return [path for path in (self.site.data.root / "cache" / "drafts").rglob("*") if path.is_file()]

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.site.data.root / "plant.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=PROJECT_ROOT,
                env=self.site.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def worker(self) -> None:
        self.workers.append(self.start("worker"))

    def replace_worker(self) -> None:
        """Kill the worker and what it computes with, and start another."""
        worker = self.workers.pop()
        family = [*psutil.Process(worker.pid).children(recursive=True), psutil.Process(worker.pid)]
        for process in family:
            process.kill()
        worker.wait()
        psutil.wait_procs(family, 10)
        self.worker()

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def eventually(self, condition: Callable[[], object], within: float = 60.0) -> None:
        deadline = time.monotonic() + within
        while not condition():
            assert time.monotonic() < deadline, (self.site.data.root / "plant.log").read_text()[-4000:]
            time.sleep(0.05)


@contextmanager
def running_plant(folder: Path) -> Iterator[Plant]:
    """The site with a scheduler and one worker; ``folder`` is for what lies outside of it."""
    (folder / "pipelines").mkdir()
    acting_pipeline(folder / "pipelines")
    environment = {
        "STORAGE_BACKEND": "local",
        "MEDIAPROC_DURABLE": "false",
        "MEDIAPROC_PIPELINES": str(folder / "pipelines"),
        "ACTING_FOLDER": str(folder),
        "PYTHONPATH": str(PROJECT_ROOT),
    }
    with running_site(**environment) as site, site.client() as http:
        plant = Plant(site, http, folder, tiny_weights(folder / "tiny.onnx"))
        plant.use(plant.weights)
        try:
            plant.start("scheduler", "--interval", "0.3")
            plant.worker()
            yield plant
        finally:
            plant.end()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
