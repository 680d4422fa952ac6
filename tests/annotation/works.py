"""A site with workers and a scheduler over a folder of videos, whose processes a test stops and starts."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from mediaproc.datafolder import PROJECT_ROOT
from tests.pitstop.conftest import PitstopSite, running_site

ENDED = ("succeeded", "failed", "canceled")


@dataclass
class Works:
    """What a test works with; ``roots`` is the allowed folder."""

    site: PitstopSite
    roots: Path
    log: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def client(self) -> httpx.Client:
        return self.site.client()

    def start(self, name: str, *arguments: str) -> None:
        with self.log.open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=PROJECT_ROOT,
                env=self.site.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def start_all(self) -> None:
        self.start("scheduler", "scheduler")
        self.start("worker", "worker")

    def kill(self, name: str) -> None:
        """Kill a process and whatever it has started."""
        process = self.processes.pop(name)
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        for one in family:
            one.kill()
        process.wait()
        psutil.wait_procs(family, 10)

    def end(self) -> None:
        for name in list(self.processes):
            self.kill(name)

    def eventually(self, condition: Callable[[], Any], within: float = 180.0) -> Any:
        """What the condition comes to give; fails with the end of the log where it does not."""
        deadline = time.monotonic() + within
        while not (found := condition()):
            assert time.monotonic() < deadline, self.log.read_text()[-6000:]
            time.sleep(0.1)
        return found

    def until_ended(self, http: httpx.Client, job: str) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            told: dict[str, Any] = http.get(f"/api/v0/jobs/{job}").json()
            return told if told["state"] in ENDED else None

        found: dict[str, Any] = self.eventually(ended)
        return found


@contextmanager
def running_works(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Works]:
    """The site with one worker; what is below ``folder`` may be registered as datasets."""
    given = {"STORAGE_BACKEND": "local", "MEDIAPROC_DURABLE": "false", "MEDIAPROC_ROOTS": str(folder)}
    with running_site(**{**given, **(environment or {})}) as site:
        works = Works(site, folder, site.data.root / "works.log")
        works.start_all()
        try:
            yield works
        finally:
            works.end()
