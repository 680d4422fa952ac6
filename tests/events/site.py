"""A site of its own: servers that stay, a web server that is killed and started again on the same port."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from mediaproc.services.client import Claim
from tests.faults.installation import Installation, installation
from tests.platform.processes import state


@dataclass
class Site:
    """An installation with one key. ``port`` is that of its web server, the same over restarts."""

    installation: Installation
    port: int = 0
    key: str = ""
    web: subprocess.Popen[str] | None = None
    children: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def address(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def start(self) -> None:
        """Start the web server; returns once it says that it listens."""
        self.web = self.installation.start("serve", "--port", str(self.port), plain=True)
        assert self.web.stdout is not None
        line = self.web.stdout.readline()
        assert line.startswith("Site: "), line + self.web.communicate()[1]
        self.port = int(line.split()[1].rstrip("/").rpartition(":")[2])
        threading.Thread(target=self.web.communicate, daemon=True).start()  # nobody waits for a full pipe

    def kill(self) -> None:
        assert self.web is not None
        self.web.kill()
        self.web.wait()

    def kill_server(self, name: str) -> int:
        """Kill -9 ``postgres`` or ``valkey``, which is then started again; returns its process id."""
        pid: int = state(self.installation.data)["servers"][name]["pid"]
        os.kill(pid, signal.SIGKILL)
        return pid

    def writer(self, *arguments: object) -> subprocess.Popen[str]:
        process = self.installation._start(["-m", "tests.events.writer", *map(str, arguments)], {})
        self.children.append(process)
        return process

    def write(self, *arguments: object) -> str:
        """Run a writer to its end; returns what it printed."""
        out, err = self.writer(*arguments).communicate(timeout=60)
        assert not err, err
        return out

    def new_job(self) -> str:
        made: dict[str, Any] = json.loads(self.write("make"))
        self.key = made["key"]
        return str(made["job"])


@contextmanager
def running_site() -> Iterator[Site]:
    with installation() as made:
        claim = Claim(made.data, durable=False)
        claim.ensure("postgres", "valkey")
        site = Site(made)
        try:
            yield site
        finally:
            for process in [*site.children, *([site.web] if site.web else [])]:
                process.kill()
                process.wait()
            claim.release()
