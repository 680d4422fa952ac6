"""Processes of an installation, as the tests of its servers start, kill and count them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

from mediaproc.datafolder import PROJECT_ROOT, DataFolder
from mediaproc.services.postgres import DATABASE, USER

NOBODY = 65534

_HOLD = """
import sys
from pathlib import Path
from mediaproc.datafolder import DataFolder
from mediaproc.services.client import claim_on
claim_on(DataFolder(Path(sys.argv[1])), durable=False).ensure(*sys.argv[2:])
print("ready", flush=True)
sys.stdin.readline()
"""


@dataclass(frozen=True)
class Holder:
    """A process that holds servers until told to end."""

    process: subprocess.Popen[str]

    def end(self) -> None:
        """Let it end as programs do; returns once it has."""
        self.process.communicate("\n", timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def holder(data: DataFolder, *servers: str, python: str = sys.executable, uid: int | None = None) -> Iterator[Holder]:
    """A process that holds ``servers`` of ``data``; killed at the end of the block if it is still there."""
    process = start_holder(data, *servers, python=python, uid=uid)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", "the servers did not start; the message is above"
        yield Holder(process)
    finally:
        process.kill()
        process.communicate()


def start_holder(
    data: DataFolder, *servers: str, python: str = sys.executable, uid: int | None = None
) -> subprocess.Popen[str]:
    """As :func:`holder`, without waiting until it is ready."""
    return subprocess.Popen(
        [python, "-c", _HOLD, str(data.root), *servers],
        cwd=PROJECT_ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT_ROOT), *_packages()])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **_as(uid),
    )


def _packages() -> list[str]:
    """Where this interpreter finds its packages, for another one that has none."""
    return [path for path in sys.path if path.endswith("site-packages")]


def state(data: DataFolder) -> dict[str, Any]:
    """What the supervisor says is running; nothing when it does not run."""
    path = data.run / "servers.json"
    loaded: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return loaded


def pid_of(data: DataFolder, server: str) -> int:
    pid: int = state(data)["servers"][server]["pid"]
    return pid


def family(data: DataFolder) -> list[psutil.Process]:
    """The supervisor of ``data`` and all that descends from it."""
    supervisor = psutil.Process(state(data)["supervisor"])
    return [supervisor, *supervisor.children(recursive=True)]


def assert_all_end(processes: list[psutil.Process], within: float = 20) -> None:
    """Fail when one of ``processes`` is still running after ``within`` seconds."""
    eventually(lambda: not any(map(_running, processes)), within)


def _running(process: psutil.Process) -> bool:
    """A zombie has ended: whether process 1 of a container collects it is not our affair."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def eventually(condition: Callable[[], object], within: float = 20) -> None:
    """Wait until ``condition`` holds; fails after ``within`` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def connect(data: DataFolder) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(dbname=DATABASE, user=USER, host=str(data.postgres_socket_folder), autocommit=True)


def value(data: DataFolder, query: str) -> Any:
    """The one value a query gives."""
    with connect(data) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def python_for_nobody(*readable: Path) -> str | None:
    """A Python of this version that `nobody` can run and that sees ``readable``; None where there is none."""
    if os.geteuid() != 0:
        return None
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    probe = f"import sys, os; [os.stat(p) for p in {[str(path) for path in readable]!r} + [sys.executable]]"
    for python in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        try:
            done = subprocess.run([python, "-c", probe], capture_output=True, check=False, cwd="/", **_as(NOBODY))
        except (FileNotFoundError, PermissionError):
            continue
        if done.returncode == 0:
            return python
    return None


def _as(uid: int | None) -> dict[str, Any]:
    return {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
