"""An installation as its users have it: ``manage.py up`` on a data folder of its own, and what is in it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mediaproc.datafolder import PROJECT_ROOT
from mediaproc.up.statefile import StateFile
from tests.faults.installation import Installation, finish, installation

PASSWORD = "a long enough phrase"


@dataclass
class Site:
    """``manage.py up``: stopped and started again, it has the same address; its children may be killed."""

    installation: Installation
    workers: int
    port: int = 0
    process: subprocess.Popen[str] | None = None

    @property
    def log(self) -> Path:
        """What all its processes say."""
        return self.installation.folder / "up.log"

    def address(self, path: str) -> str:
        return f"http://localhost:{self.port}{path}"

    def start(self) -> None:
        """Returns once the site answers."""
        with self.log.open("a") as log:
            self.process = self.installation.start(
                *("up", "--port", str(self.port), "--workers", str(self.workers)), plain=True, stderr=log
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("Site: "), f"{line}\n{self.log.read_text()}"
        self.port = int(line.split()[1].rstrip("/").rpartition(":")[2])
        threading.Thread(target=_drain, args=[self.process.stdout], daemon=True).start()

    def stop(self) -> None:
        """As with Ctrl-C; returns once every process has ended."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()
        self.process = None

    def kill(self, child: str) -> None:
        """Kill -9 ``web``, ``scheduler`` or ``worker-1``: `up` starts it again."""
        state = StateFile(self.installation.data).read()
        assert state is not None
        os.kill(state["children"][child]["pid"], signal.SIGKILL)

    def fill(self, what: str) -> dict[str, Any]:
        """Run a step of ``tests/browser/contents.py`` on the installation; returns what it tells."""
        told = self.installation.folder / f"{what}.json"
        arguments = ["-m", "tests.browser.contents", what, str(told)]
        environment = {"DJANGO_SETTINGS_MODULE": "mediaproc.settings"}
        outcome = finish(self.installation._start(arguments, environment))
        assert outcome.code == 0, outcome.err
        answer: dict[str, Any] = json.loads(told.read_text())
        return answer


@contextmanager
def running_site(name: str, *, workers: int = 0, **environment: str) -> Iterator[Site]:
    """A site with an account for each role, whose name is its user's, and nothing else in it yet.

    What its processes said is kept as ``name.log``.
    """
    with installation(**environment) as made:
        site = Site(made, workers)
        try:
            site.start()
            site.fill("people")
            yield site
        finally:
            site.stop()
            shutil.copy(site.log, kept() / f"{name}.log")


def kept() -> Path:
    """The folder of what a run leaves to be looked at: ``MEDIAPROC_SCREENSHOTS``, else ``outputs/screenshots``."""
    folder = Path(os.environ.get("MEDIAPROC_SCREENSHOTS") or PROJECT_ROOT / "outputs/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _drain(pipe: IO[str]) -> None:
    """Nobody waits for a full pipe."""
    for _ in pipe:
        pass
