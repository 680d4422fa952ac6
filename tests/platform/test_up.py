"""The supervisor of `manage.py up`: children started, told apart, started again, ended in order, never left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest

from mediaproc.datafolder import PROJECT_ROOT, DataFolder
from mediaproc.up.child import Child, Pauses, Spec
from mediaproc.up.statefile import AlreadyUpError, StateFile
from tests.platform.processes import assert_all_end, eventually

_TELL = "import os; os.write(int(os.environ['MEDIAPROC_READY_FD']), b'ready\\n'); "
_SLEEP = _TELL + "import time; print('here'); time.sleep(600)"
_STUBBORN = _TELL + "import signal, time; signal.signal(15, signal.SIG_IGN); print('here'); time.sleep(600)"
# says when it was asked to end and when it has
_ORDERLY = """
import signal, sys, time
def end(*_):
    print("asked", time.monotonic())
    time.sleep(0.2)
    print("ended", time.monotonic())
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("here")
while True:
    time.sleep(1)
"""


@dataclass
class Up:
    """A supervisor over made-up children, in a process of its own."""

    process: subprocess.Popen[bytes]
    folder: Path
    data: DataFolder

    def state(self) -> dict[str, Any]:
        path = self.data.run / "up.json"
        children: dict[str, Any] = json.loads(path.read_text())["children"] if path.exists() else {}
        return children

    def told(self) -> list[dict[str, Any]]:
        """What the supervisor has told, in order."""
        return [json.loads(line) for line in (self.folder / "told").read_text().splitlines()]

    def said(self, name: str) -> list[str]:
        """What a child has said, in order."""
        lines = (self.folder / "said").read_text().splitlines()
        parted = [line.partition(" | ") for line in lines]
        return [text for prefix, _, text in parted if prefix.rstrip() == name]

    def wait_ready(self, *names: str) -> dict[str, int]:
        """Process ids of the children ``names`` once all are ready."""
        eventually(lambda: all(self.state().get(name, {}).get("state") == "ready" for name in names))
        return {name: self.state()[name]["pid"] for name in names}

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(30)


@contextmanager
def running(tmp_path: Path, *specs: dict[str, Any], servers_fail: int = 0) -> Iterator[Up]:
    data = DataFolder(tmp_path / "data")
    with (tmp_path / "told").open("wb") as told, (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.platform.up_driver", str(data.root), json.dumps(specs), str(servers_fail)],
            cwd=PROJECT_ROOT,
            stdout=told,
            stderr=said,
        )
    try:
        yield Up(process, tmp_path, data)
    finally:
        process.kill()
        process.wait()


def test_pauses_double_up_to_half_a_minute() -> None:
    assert [Pauses().before_start(failures) for failures in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]
    assert Pauses().before_start(10_000) == 30


@pytest.mark.parametrize(("healthy_after", "pauses"), [(60.0, [1, 2, 4]), (0.0, [1, 1, 1])])
def test_healthy_while_makes_a_child_be_started_at_once_again(healthy_after: float, pauses: list[float]) -> None:
    child = Child(Spec("x", (sys.executable, "-S", "-c", "")), Pauses(healthy_after=healthy_after))
    found = []
    for _ in pauses:
        child.start()
        assert child.process is not None
        child.process.wait(30)
        found.append(child.put_off())
    assert found == pauses


def test_killed_child_is_started_again(tmp_path: Path) -> None:
    with running(tmp_path, {"name": "a", "command": _SLEEP}, {"name": "b", "command": _SLEEP}) as up:
        first = up.wait_ready("a", "b")
        os.kill(first["a"], signal.SIGKILL)
        eventually(lambda: up.state()["a"]["restarts"] == 1)
        second = up.wait_ready("a", "b")
        assert second["a"] != first["a"]
        assert second["b"] == first["b"]
        assert up.end() == 0


def test_child_that_keeps_ending_is_started_ever_less_often_and_then_given_up(tmp_path: Path) -> None:
    script = "import os, time; print(time.monotonic()); os.write(2, b'no end of line'); os._exit(3)"
    dies = {"name": "dies", "command": script}
    with running(tmp_path, {"name": "lives", "command": _SLEEP}, dies) as up:
        assert up.process.wait(30) == 1
        starts = [float(line) for line in up.said("dies")[::2]]
        assert up.said("dies")[1::2] == ["no end of line"] * 5, "its last words are kept"
        gaps = [after - before for before, after in pairwise(starts)]
        assert len(gaps) == 4
        assert all(gap >= pause for gap, pause in zip(gaps, [0.1, 0.2, 0.4, 0.8], strict=True))
        ends = [told for told in up.told() if told["event"] in ("ended by itself", "does not start; giving up")]
        assert [told["code"] for told in ends] == [3] * 5
        assert {"event": "stopped", "child": "lives", "code": -15, "level": "info"} in up.told()


def test_child_whose_program_is_missing_is_named(tmp_path: Path) -> None:
    child = Child(Spec("x", (str(tmp_path / "nothing"),)), Pauses())
    with pytest.raises(FileNotFoundError):
        child.start()
    assert child.put_off() == 1


def test_children_end_rank_by_rank(tmp_path: Path) -> None:
    ranks = {"scheduler": 2, "worker-1": 1, "web": 0, "worker-2": 1}
    specs = [{"name": name, "command": _ORDERLY, "stop_rank": rank} for name, rank in ranks.items()]
    with running(tmp_path, *specs) as up:
        eventually(lambda: all(up.said(name) == ["here"] for name in ranks))
        assert up.end() == 0
        at = {name: dict(line.split() for line in up.said(name)[1:]) for name in ranks}
        for first, second in [("web", "worker-1"), ("web", "worker-2"), ("worker-1", "scheduler")]:
            assert float(at[first]["ended"]) < float(at[second]["asked"])
        assert float(at["worker-2"]["asked"]) < float(at["worker-1"]["ended"])
        assert not (up.data.run / "up.json").exists()


def test_child_that_does_not_end_is_killed_when_patience_ends(tmp_path: Path) -> None:
    stubborn = {"name": "stubborn", "command": _STUBBORN, "patience": 0.3}
    with running(tmp_path, stubborn) as up:
        eventually(lambda: up.said("stubborn") == ["here"])
        assert up.end(signal.SIGINT) == 0
        assert {"event": "stopped", "child": "stubborn", "code": -9, "level": "info"} in up.told()


def test_second_signal_kills(tmp_path: Path) -> None:
    stubborn = {"name": "stubborn", "command": _STUBBORN, "patience": 600}
    with running(tmp_path, stubborn, {"name": "later", "command": _STUBBORN, "patience": 600, "stop_rank": 1}) as up:
        eventually(lambda: up.said("stubborn") == up.said("later") == ["here"])
        up.process.send_signal(signal.SIGINT)
        eventually(lambda: any(told["event"] == "stopping" for told in up.told()))
        assert up.process.poll() is None
        assert up.end(signal.SIGINT) == 130


def test_killed_parent_leaves_no_child(tmp_path: Path) -> None:
    with running(tmp_path, {"name": "a", "command": _STUBBORN}, {"name": "b", "command": _STUBBORN}) as up:
        pids = up.wait_ready("a", "b")
        children = [psutil.Process(pid) for pid in pids.values()]
        up.end(signal.SIGKILL)
        assert_all_end(children)
        assert StateFile(up.data).read() is None, "what a killed one left is not what runs"


def test_child_is_ready_once_it_tells(tmp_path: Path) -> None:
    go = tmp_path / "go"
    waits = f"import os, time\nprint('here')\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\n{_SLEEP}"
    with running(tmp_path, {"name": "slow", "command": waits}, {"name": "quick", "command": _SLEEP}) as up:
        up.wait_ready("quick")
        eventually(lambda: up.said("slow") == ["here"])
        assert up.state()["slow"]["state"] == "starting"
        go.touch()
        up.wait_ready("slow")
        ready = [told["child"] for told in up.told() if told["event"] == "ready"]
        assert ready == ["quick", "slow"]


def test_servers_that_stay_down_are_asked_for_again(tmp_path: Path) -> None:
    with running(tmp_path, {"name": "a", "command": _SLEEP}, servers_fail=2) as up:
        first = up.wait_ready("a")
        eventually(lambda: len([told for told in up.told() if told["event"] == "servers are down"]) == 2)
        assert up.wait_ready("a") == first
        assert up.end() == 0


def test_second_up_on_one_folder_is_refused_and_told_where_the_first_is(tmp_path: Path) -> None:
    with running(tmp_path, {"name": "a", "command": _SLEEP}) as up:
        up.wait_ready("a")
        where = rf"already runs on {up.data.root} at http://localhost:1/ \(process {up.process.pid}\)"
        with pytest.raises(AlreadyUpError, match=where), StateFile(up.data).alone():
            pass
        table = StateFile(up.data).table()
        assert table is not None
        address, head, row = table.splitlines()
        assert address == f"http://localhost:1/ (process {up.process.pid})"
        assert head.split() == ["name", "pid", "state", "restarts", "since"]
        assert row.split()[:4] == ["a", str(up.state()["a"]["pid"]), "ready", "0"]
        up.end()
    with StateFile(up.data).alone():
        assert StateFile(up.data).read() == {}
    assert StateFile(up.data).table() is None
