"""The whole system on one machine as people run it, its frames in a bucket, and what can be seen of it from outside."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import psutil
import psycopg
from botocore.config import Config

from mediaproc.datafolder import PROJECT_ROOT, DataFolder
from mediaproc.services.s3 import ACCESS_KEY, S3
from mediaproc.services.supervisor import bring_up
from tests.faults.conftest import PROVIDERS, Setup, answer
from tests.faults.footage import BRANDS, OPTIONS, WORDLESS
from tests.faults.installation import Row, installation
from tests.providers.chat_server import Ask, ChatServer, Reaction, chat_server

BUCKET = "frames"
PIPELINES = Path(__file__).parent / "pipelines"
#: What a job may take to go on after a fault.
PROMISE = 30.0


@dataclass
class Bucket:
    """An S3 server that belongs to the test: it is started again when the test says so."""

    server: S3
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def start(self) -> None:
        self.process = bring_up(self.server)

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@dataclass
class System:
    """``manage.py up`` on an installation of its own."""

    setup: Setup
    bucket: Bucket
    up: subprocess.Popen[str]
    clerk: subprocess.Popen[str]

    @property
    def data(self) -> DataFolder:
        return self.setup.installation.data

    @property
    def models(self) -> ChatServer:
        return self.setup.models

    def submit(self, *settings: str) -> str:
        """A job for the clip, done by the workers; returns its id."""
        logo = f"{WORDLESS}={self.setup.clip.with_name('emblem.png')}"
        options = [*OPTIONS[1::2], *settings]
        return self._ask("submit", str(self.setup.clip), BRANDS, logo, options)

    def replay(self, job: str, stage: str, *settings: str) -> str:
        return self._ask("replay", job, stage, list(settings))

    def children(self) -> dict[str, int]:
        """Process ids of what ``up`` keeps running, by name; what is down just now is left out."""
        state = json.loads((self.data.run / "up.json").read_text())
        return {name: child["pid"] for name, child in state["children"].items() if child["pid"]}

    def workers(self) -> list[int]:
        return [pid for name, pid in self.children().items() if name.startswith("worker")]

    def servers(self) -> dict[str, int]:
        """Process ids of Postgres, Valkey and their supervisor."""
        state = json.loads((self.data.run / "servers.json").read_text())
        return {"supervisor": state["supervisor"], **{name: item["pid"] for name, item in state["servers"].items()}}

    def horses(self) -> dict[int, int]:
        """The process that computes of each worker that has one."""
        found = {}
        for worker in self.workers():
            with suppress(psutil.Error):
                for child in psutil.Process(worker).children():
                    if "spawn_main" in "".join(child.cmdline()):
                        found[worker] = child.pid
        return found

    def rows(self, query: str) -> list[Row]:
        """Rows of the database, waited for while it is away."""
        until = time.monotonic() + PROMISE
        while True:
            try:
                return self.setup.installation.rows(query)
            except psycopg.Error:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def jobs(self) -> list[Row]:
        return self.rows("SELECT * FROM jobs_detectjob ORDER BY created_at")

    def unfinished(self) -> list[str]:
        return [str(job["id"]) for job in self.jobs() if job["status"] not in ("completed", "failed", "cancelled")]

    def held(self) -> list[Row]:
        """Units that a worker is at, with the worker's process id."""
        units = self.rows("SELECT * FROM jobs_workunit WHERE state = 'running' AND owner <> ''")
        return [{**unit, "pid": int(unit["owner"].split(":")[1])} for unit in units]

    def last_event(self) -> int:
        """How many events there are in all."""
        return int(self.rows("SELECT count(*) AS n FROM jobs_jobevent")[0]["n"])

    def web_answers(self) -> bool:
        state = json.loads((self.data.run / "up.json").read_text())
        try:
            return httpx.get(f"{state['address'].rstrip('/')}/api/health", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def report(self, job: str) -> Path:
        folder = self.setup.installation.folder / f"report-{job}"
        outcome = self.setup.installation.run("report", job, "--out", folder, plain=True)
        assert outcome.code == 0, outcome.err
        return folder

    def redone(self, wanted: Counter[str]) -> Counter[str]:
        """Units begun more often than ``wanted``, not counting those that met an outage and waited."""
        return self._journal("begun") - self._journal("left") - wanted

    def done(self) -> Counter[str]:
        """How often each unit, ``stage number``, was computed to its end."""
        return self._journal("done")

    def left(self) -> Counter[str]:
        """How often each unit met an outage, or was stopped, and was put off."""
        return self._journal("left")

    def lost(self) -> int:
        """How many units were begun and neither computed nor put off."""
        return self._journal("begun").total() - self._journal("left").total() - self._journal("done").total()

    def processes(self) -> set[str]:
        """Ids of the processes that computed units."""
        lines = self.setup.installation.journal.read_text().splitlines()
        return {line.split()[3] for line in lines if line.startswith("done")}

    def questions(self) -> list[tuple[str, str, tuple[bytes, ...]]]:
        return self.setup.questions()

    def billed(self) -> Counter[str]:
        """Questions by the key under which a provider that honours it charges for them once."""
        return Counter(ask.headers["idempotency-key"] for ask in self.models.asks)

    def log(self) -> str:
        return (self.setup.installation.folder / "up.log").read_text(errors="replace")

    def _journal(self, what: str) -> Counter[str]:
        lines = self.setup.installation.journal.read_text().splitlines()
        return Counter(" ".join(line.split()[1:3]) for line in lines if line.startswith(what))

    def _ask(self, *request: Any) -> str:
        assert self.clerk.stdin is not None
        assert self.clerk.stdout is not None
        self.clerk.stdin.write(json.dumps(request) + "\n")
        self.clerk.stdin.flush()
        told = self.clerk.stdout.readline().strip()
        assert told, "the clerk has ended"
        return told


def wait_until(condition: Callable[[], object], within: float, why: str = "") -> float:
    """Seconds until ``condition`` held; fails after ``within``."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within, why or "it did not come to pass"
        time.sleep(0.05)
    return time.monotonic() - began


@contextmanager
def running_system(clip: Path, weights: Path, *, workers: int, think: float = 0.0) -> Iterator[System]:
    """The system, ready for jobs; everything it started has ended afterwards. Models ``think`` seconds an answer."""

    def thoughtful(ask: Ask) -> Reaction:
        time.sleep(think)
        return answer(ask)

    with installation(MEDIAPROC_OBJECT_WEIGHTS=str(weights)) as made, chat_server(thoughtful) as models:
        made.data.create()
        made.data.create_sockets()
        (made.data.root / "providers.yaml").write_text(PROVIDERS.format(url=models.base_url))
        server = S3(made.data)
        bucket = Bucket(server, bring_up(server))
        try:
            made.environment |= _bucket_environment(made.data, server)
            made.environment |= {"MEDIAPROC_PIPELINES": str(PIPELINES), "PYTHONPATH": str(PROJECT_ROOT)}
            with _started(Setup(made, models, clip), bucket, workers) as system:
                yield system
        finally:
            bucket.thaw()
            bucket.kill()


@contextmanager
def _started(setup: Setup, bucket: Bucket, workers: int) -> Iterator[System]:
    with setup.installation.database(), (setup.installation.folder / "up.log").open("wb") as log:
        up = setup.installation.start(
            *("up", "--port", "0", "--workers", str(workers)), plain=True, stdout=log, stderr=log, text=False
        )
        clerk = setup.installation.start_module("tests.faults.clerk", stdin=subprocess.PIPE, stderr=None)
        try:
            assert clerk.stdout is not None
            assert clerk.stdout.readline() == "ready\n"
            system = System(setup, bucket, up, clerk)
            wait_until((setup.installation.data.run / "up.json").exists, 60, "up does not start")
            wait_until(lambda: system.web_answers() and len(system.workers()) == workers, 60, "no site, or no workers")
            yield system
        finally:
            clerk.kill()
            clerk.wait()
            up.send_signal(signal.SIGTERM)
            try:
                up.wait(40)
            finally:
                up.kill()
                up.wait()


def _bucket_environment(data: DataFolder, server: S3) -> dict[str, str]:
    secret = data.secret("s3_secret")
    boto3.client(
        "s3",
        endpoint_url=server.address(),
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=secret,
        region_name="us-east-1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    ).create_bucket(Bucket=BUCKET)
    return {
        "AWS_S3_BUCKET": BUCKET,
        "AWS_S3_ENDPOINT_URL": server.address(),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": secret,
    }
