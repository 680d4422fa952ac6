"""Jobs of the toy pipeline on the tests' own database, and workers as real processes on the same one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis
from django.conf import settings
from django.db import connection
from rq import Queue as RqQueue

import jobs.work.tokens
from detect.models import SourceAsset
from detect.registry import use_pipelines_of
from jobs.models import DetectJob, WorkUnit
from jobs.services import Order, job_submit
from jobs.work.execute import advance, work_once
from jobs.work.owners import this_process
from mediaproc import env
from mediaproc.datafolder import PROJECT_ROOT
from mediaproc.services import ensure_queue
from tests.workers import toy

SECONDS_A_CHUNK = 5


@dataclass(frozen=True)
class Toys:
    """Where toy stages are told what to do, and note what they did."""

    folder: Path

    def tell(self, stage: str, chunk: int, does: toy.Does) -> None:
        """From now on this unit does so."""
        draft = self.folder / "draft"
        draft.write_text(does)
        draft.replace(self.folder / f"{stage}.{chunk}")

    def let_go(self, stage: str, chunk: int) -> None:
        (self.folder / f"{stage}.{chunk}").unlink()

    def is_held(self, stage: str, chunk: int) -> bool:
        return (self.folder / f"{stage}.{chunk}.held").exists()

    def begun(self) -> Counter[str]:
        """How often each unit, ``stage chunk``, was begun."""
        return Counter(" ".join(words[:2]) for words in self._lines())

    def pids(self) -> list[int]:
        """The processes that began units, in order."""
        return [int(words[2]) for words in self._lines()]

    def _lines(self) -> list[list[str]]:
        journal = self.folder / "journal"
        return [line.split() for line in journal.read_text().splitlines()] if journal.exists() else []


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toys]:
    """The toy pipeline is known, to this process and to those it starts."""
    folder = tmp_path / "toys"
    folder.mkdir()
    monkeypatch.setenv("TOY_FOLDER", str(folder))
    monkeypatch.setenv("MEDIAPROC_PIPELINES", str(toy.PIPELINES))
    use_pipelines_of(toy.PIPELINES)
    yield Toys(folder)
    use_pipelines_of(settings.PIPELINES_FOLDER)


def toy_job(chunks: int = 3, *, letter: str = "x", order: Order | None = None, **options: Any) -> DetectJob:
    """A job of the toy pipeline for the workers; ``options`` are those of ``nap``."""
    sha256 = f"{chunks:064x}"
    duration = float(chunks * SECONDS_A_CHUNK)
    probe = {
        "duration": duration,
        "width": 16,
        "height": 16,
        "frame_rate": "25",
        "variable_frame_rate": False,
        "start_time": 0.0,
    }
    asset, _ = SourceAsset.objects.get_or_create(sha256=sha256, defaults={"path": "/toy.mp4", "probe": probe})
    return job_submit(
        asset=asset,
        video_path="/toy.mp4",
        profile="soccer_broadcast",
        overrides={"cut": {"letter": letter}, "nap": options},
        brands=None,
        pipeline_key="toy",
        order=order or Order(queued=True),
    ).job


def fresh(job: DetectJob) -> DetectJob:
    """The job as it is now."""
    return DetectJob.objects.get(id=job.id)


def units(job: DetectJob) -> list[WorkUnit]:
    return list(WorkUnit.objects.filter(job=job).order_by("stage_index", "chunk"))


def work_until_idle(most: int = 100) -> None:
    """Do in this process what workers would do now."""
    for job_id in DetectJob.objects.filter(status="pending").values_list("id", flat=True):
        advance(job_id)
    for _ in range(most):
        if not work_once(queue="cpu", owner=this_process()):
            return
    pytest.fail("there is always more to do")


def eventually(condition: Callable[[], object], within: float = 120.0) -> None:
    """Wait until ``condition`` holds; fails after ``within`` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


@pytest.fixture
def queue_url(worker_id: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty queue that this process has for itself; what it puts in goes there."""
    ensure_queue()
    number = 8 + int(worker_id.removeprefix("gw") if worker_id.startswith("gw") else 0) % 8
    url = f"unix://{env.DATA.valkey_socket}?db={number}"
    client = redis.Redis.from_url(url)
    client.flushdb()
    monkeypatch.setattr(jobs.work.tokens, "get_queue", lambda name: RqQueue(name, connection=client))
    return url


@dataclass
class Crew:
    """Workers and schedulers as processes, on the database and the queue of this test."""

    environment: dict[str, str]
    log: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def worker(self, *arguments: str) -> subprocess.Popen[bytes]:
        return self._start("worker", *arguments)

    def scheduler(self) -> subprocess.Popen[bytes]:
        return self._start("scheduler", "--interval", "0.3")

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=PROJECT_ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.started.append(process)
        return process

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()


@pytest.fixture
def crew(transactional_db: None, toys: Toys, queue_url: str, tmp_path: Path) -> Iterator[Crew]:
    database = connection.settings_dict
    made = Crew(
        {
            **os.environ,
            "DATABASE_URL": f"postgres://{database['USER']}@/{database['NAME']}?host={quote(database['HOST'])}",
            "REDIS_URL": queue_url,
            "DJANGO_SETTINGS_MODULE": "mediaproc.settings",
        },
        tmp_path / "crew.log",
    )
    yield made
    made.end()
