"""What `manage.py up` promises: children started, told apart, started again, ended in order, never left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from django.core.management import call_command, load_command_class
from django.core.management.base import CommandError
from pytest_django import Settings

from detect.inference import __main__ as inference
from mediaproc.datafolder import PROJECT_ROOT, DataFolder
from mediaproc.up import health
from mediaproc.up.child import Child, Pauses, Spec
from mediaproc.up.health import HealthProbe
from mediaproc.up.logs import Lines, Output
from mediaproc.up.plan import Plan
from mediaproc.up.statefile import AlreadyUpError, StateFile
from tests.platform.processes import assert_all_end, eventually, family, holder, state, value

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


def test_lines_are_put_together_from_pieces() -> None:
    lines = Lines()
    assert lines.feed(b"one\ntw") == [b"one"]
    assert lines.feed(b"o\r\n\nthree") == [b"two", b""]
    assert (lines.end(), lines.end()) == ([b"three"], [])


def test_endless_line_is_cut() -> None:
    lines = Lines()
    assert [len(line) for line in lines.feed(b"x" * 70_000)] == [70_000]
    assert lines.end() == []


@pytest.mark.parametrize(
    ("line", "written"),
    [
        (b"hello", b"web  | hello\n"),
        (b'{"event": "x"}', b'{"from": "web", "event": "x"}\n'),
        (b"{}", b'{"from": "web"}\n'),
        (b"{not json}", b"web  | {not json}\n"),
        (b"\xff", b"web  | \xff\n"),
    ],
)
def test_line_says_whose_it_is(tmp_path: Path, line: bytes, written: bytes) -> None:
    path = tmp_path / "out"
    with path.open("wb") as stream:
        Output(stream, ["web", "long"], colour=False).write("web", line)
    assert path.read_bytes() == written


def test_prefix_is_coloured_at_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("wb") as stream:
        Output(stream, ["web"], colour=True).write("web", b"hello")
    assert path.read_bytes() == b"\x1b[36mweb | \x1b[0mhello\n"


def test_output_that_nobody_reads_disturbs_nobody() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as stream:
        Output(stream, ["web"], colour=False).write("web", b"hello")


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


def _answer(listener: socket.socket, text: bytes) -> bytes:
    """Take the request that waits, send ``text``; returns what was asked."""
    connection, _ = listener.accept()
    with connection:
        asked = connection.recv(4096)
        connection.sendall(text)
    return asked


def test_probe_asks_until_the_site_is_well() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        probe = HealthProbe("0.0.0.0", listener.getsockname()[1], "media.example")
        assert not probe.poll(), "it does not wait for an answer"
        asked = _answer(listener, b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
        assert asked == b"GET /healthz HTTP/1.0\r\nHost: media.example\r\n\r\n"
        for _ in range(20):
            assert not probe.poll()
            time.sleep(0.01)
        eventually(lambda: probe.poll() or probe._socket is not None)
        _answer(listener, b"HTTP/1.1 200 OK\r\n\r\n")
        eventually(probe.poll)


def test_probe_survives_a_site_that_hangs_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        probe = HealthProbe("127.0.0.1", listener.getsockname()[1], "localhost")
        probe.poll()
        _answer(listener, b"")
        eventually(lambda: not probe.poll() and probe._socket is None)
        eventually(lambda: probe.poll() or probe._socket is not None)
        _answer(listener, b"HTTP/1.1 200 OK\r\n\r\n")
        eventually(probe.poll)


@pytest.mark.parametrize("arguments", [["--queues", "cpu,tape"], ["--queues", ","], ["--workers", "-1"]])
def test_what_cannot_be_run_is_said_before_anything_starts(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"use a whole number|name some of cpu, gpu, cloud"):
        call_command("up", *arguments)


def test_children_of_an_installation() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        plan = Plan(listener=listener, host_header="x", queues=["gpu", "cpu"], workers=2, inference=True)
        specs = {spec.name: spec for spec in plan.children()}
    assert list(specs) == ["inference", "web", "scheduler", "worker-1", "worker-2"]
    assert sorted(specs, key=lambda name: specs[name].stop_rank) == [
        *("web", "worker-1", "worker-2", "scheduler", "inference"),
    ]
    assert specs["worker-1"].command[-4:] == ("worker", "--queues", "gpu", "cpu")
    port = specs["inference"].command[-1]
    assert {spec.environment["INFERENCE_URL"] for spec in specs.values()} == {f"http://127.0.0.1:{port}"}
    for name in ("scheduler", "worker-1"):
        program, *arguments = specs[name].command[2:]
        load_command_class("jobs", program).create_parser("manage.py", program).parse_args(arguments)
    inference.parser().parse_args(list(specs["inference"].command[3:]))


@contextmanager
def installation(data: DataFolder, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`manage.py up` as a person runs it, and the site's address."""
    with (data.logs / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", "0", "--workers", "1"],
            cwd=PROJECT_ROOT,
            env=_environment(data) | settings,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("Site: "), (data.logs / "up.log").read_text()
        yield process, first.split()[1]
    finally:
        process.kill()
        process.communicate()


def _environment(data: DataFolder) -> dict[str, str]:
    return {**os.environ, "MEDIAPROC_DATA": str(data.root), "DJANGO_SETTINGS_MODULE": "mediaproc.settings"}


def _children(data: DataFolder) -> dict[str, Any]:
    state = StateFile(data).read()
    assert state is not None
    children: dict[str, Any] = state["children"]
    return children


def _everything(data: DataFolder, up: subprocess.Popen[str]) -> list[psutil.Process]:
    return [*psutil.Process(up.pid).children(recursive=True), *family(data)]


def test_whole_system_comes_up_stays_up_and_ends_in_order(data: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    with installation(data) as (process, address), httpx.Client(timeout=60) as http:
        assert http.get(address + "healthz").json()["status"] == "ok"
        eventually(lambda: all(child["state"] == "ready" for child in _children(data).values()), 60)
        before = _children(data)
        assert list(before) == ["web", "scheduler", "worker-1"]

        os.kill(before["web"]["pid"], signal.SIGKILL)
        assert httpx.get(address + "healthz", timeout=60).status_code == 200, "who asks meanwhile is kept waiting"
        os.kill(state(data)["supervisor"], signal.SIGKILL)
        eventually(lambda: _is_well(address), 60)
        eventually(lambda: all(child["state"] == "ready" for child in _children(data).values()), 60)
        after = _children(data)
        assert after["web"]["pid"] != before["web"]["pid"]
        assert after["web"]["restarts"] == 1

        assert (data.run / "scheduler.beat").exists()
        port = str(httpx.URL(address).port)
        monkeypatch.setattr("sys.argv", ["health", "--port", port])
        assert health.main() == 0

        started = _everything(data, process)
        assert len(started) >= 6
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert_all_end(started, within=1)
        assert health.main() == 1
        ends = [told["child"] for told in _told(data) if told["event"] == "stopped"]
        assert ends == ["web", "worker-1", "scheduler"]


def test_servers_that_settings_name_are_used_and_none_started(new_folder: Callable[..., DataFolder]) -> None:
    data, other = new_folder(), new_folder("other")
    with holder(other, "postgres", "valkey"):
        addresses = {name: server["address"] for name, server in state(other)["servers"].items()}
        theirs = {"DATABASE_URL": addresses["postgres"], "REDIS_URL": addresses["valkey"]}
        with installation(data, **theirs) as (process, address):
            assert httpx.get(address + "healthz", timeout=60).json()["status"] == "ok"
            eventually(lambda: all(child["state"] == "ready" for child in _children(data).values()), 60)
            assert not data.postgres.exists()
            assert not (data.run / "servers.json").exists()
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        assert value(other, "SELECT 1") == 1, "they are not ours to stop"


@pytest.mark.parametrize(
    ("hosts", "header"), [(["media.example", "localhost"], "media.example"), (["*"], "localhost"), ([".a.b"], "a.b")]
)
def test_site_is_asked_by_a_name_that_it_answers_to(settings: Settings, hosts: list[str], header: str) -> None:
    settings.ALLOWED_HOSTS = hosts
    assert health.host_header() == header


def test_killed_up_leaves_nothing_running(data: DataFolder) -> None:
    with installation(data) as (process, _):
        started = _everything(data, process)
        process.kill()
        process.wait()
        assert_all_end(started)


def test_taken_port_is_said_before_anything_starts(data: DataFolder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "manage.py", "up", "--port", str(port)],
            cwd=PROJECT_ROOT,
            env=_environment(data),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: cannot listen on 127.0.0.1:{port} (Address already in use)")
    assert not data.postgres.exists()


def _is_well(address: str) -> bool:
    try:
        return httpx.get(address + "healthz", timeout=60).status_code == 200
    except httpx.HTTPError:
        return False


def _told(data: DataFolder) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (data.logs / "up.log").read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["from"] == "up"]
