"""`manage.py up` as a person runs it: the whole system comes up, stays up and ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest
from django.core.management import call_command, load_command_class
from django.core.management.base import CommandError

from detect.inference import __main__ as inference
from mediaproc.datafolder import PROJECT_ROOT, DataFolder
from mediaproc.up import health
from mediaproc.up.plan import Plan
from mediaproc.up.statefile import StateFile
from tests.platform.processes import assert_all_end, eventually, family, holder, state, value


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
