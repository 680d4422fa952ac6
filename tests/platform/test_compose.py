"""docker-compose.yml and the Dockerfile: everything they name exists, and every service has what was promised.

There is no Docker where the tests run: the files are read, and each command in them is given to its own parser.
"""

from __future__ import annotations

import importlib
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from django.core.management import call_command, get_commands, load_command_class
from django.core.management.base import CommandError
from rq import Worker

from jobs.work.tokens import get_queue
from mediaproc.datafolder import PROJECT_ROOT
from mediaproc.services import ensure_s3

_SOURCE = (PROJECT_ROOT / "docker-compose.yml").read_text(encoding="utf-8")
_DOCKERFILE = (PROJECT_ROOT / "Dockerfile").read_text(encoding="utf-8")
_OPERATIONS = (PROJECT_ROOT / "docs/operations.md").read_text(encoding="utf-8")
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<text>[^}]*))?\}")

_PROGRAMS = {"web", "worker-cpu", "worker-gpu", "scheduler", "inference"}
_SERVERS = {"postgres", "valkey", "s3"}
# what a module's command line is, for those that services run with `python -m`
_PARSERS = {"detect.inference": ("detect.inference.__main__", "parser"), "mediaproc.up.health": ("", "arguments")}


def _resolved(value: Any) -> Any:
    """The file as Compose sees it: variables replaced by their defaults, or by `x` where they have none."""
    if isinstance(value, dict):
        return {key: _resolved(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item) for item in value]
    if isinstance(value, str):
        replaced = _VARIABLE.sub(lambda found: found["text"] if found["kind"] == "-" else "x", value)
        return replaced.replace("$$", "$")
    return value


_SERVICES: dict[str, dict[str, Any]] = _resolved(yaml.safe_load(_SOURCE))["services"]
_VOLUMES: dict[str, Any] = yaml.safe_load(_SOURCE)["volumes"]


def _words(command: str | list[str]) -> list[str]:
    return shlex.split(command) if isinstance(command, str) else command


def _commands() -> Iterator[tuple[str, list[str]]]:
    for name, service in _SERVICES.items():
        if name in _PROGRAMS:
            yield name, _words(service["command"])
        kind, *words = service["healthcheck"]["test"]
        if kind == "CMD":
            yield f"{name}-health", words


def _parse(parser: ArgumentParser, arguments: list[str]) -> None:
    try:
        parser.parse_args(arguments)
    except (SystemExit, CommandError) as error:
        pytest.fail(f"{parser.prog} does not take {arguments}: {error}")


@pytest.mark.parametrize(("where", "words"), [item for item in _commands() if item[1][0] == "python"])
def test_command_exists_and_takes_its_arguments(where: str, words: list[str]) -> None:
    match words[1:]:
        case ["manage.py", command, *arguments]:
            made = load_command_class(get_commands()[command], command)
            _parse(made.create_parser("manage.py", command), arguments)
        case ["-m", module, *arguments]:
            file, function = _PARSERS[module]
            _parse(getattr(importlib.import_module(file or module), function)(), arguments)
        case ["-c", code]:
            compile(code, where, "exec")
        case other:
            pytest.fail(f"{where} runs {other}")


def test_parser_of_a_command_finds_what_is_wrong() -> None:
    with pytest.raises(pytest.fail.Exception, match="does not take"):
        _parse(load_command_class("jobs", "worker").create_parser("manage.py", "worker"), ["--queues", "tape"])


def test_image_runs_the_whole_system_by_itself() -> None:
    words = yaml.safe_load(re.findall(r"^CMD (.*)$", _DOCKERFILE, re.MULTILINE)[-1])
    assert words[:3] == ["python", "manage.py", "up"]
    _parse(load_command_class("mediaproc", "up").create_parser("manage.py", "up"), words[3:])


def test_options_of_the_object_store_exist() -> None:
    weed = shutil.which("weed", path=str(Path(sys.executable).parent))
    assert weed is not None
    command, *options = _SERVICES["s3"]["command"]
    known = subprocess.run([weed, command, "-h"], capture_output=True, text=True, check=False, timeout=60)
    for option in options:
        assert re.search(rf"^  {re.escape(option.split('=')[0])}( |$)", known.stdout + known.stderr, re.MULTILINE), (
            option
        )
    assert f"-bucket={_SERVICES['web']['environment']['AWS_S3_BUCKET']}" in options


def test_object_store_says_that_it_is_well_where_the_health_check_asks() -> None:
    path = httpx.URL(_SERVICES["s3"]["healthcheck"]["test"][-1]).path
    assert httpx.get(ensure_s3().endpoint_url + path, timeout=30).status_code == 200


def test_services_are_those_promised() -> None:
    assert set(_SERVICES) == _PROGRAMS | _SERVERS


@pytest.mark.parametrize("name", sorted(_SERVICES))
def test_service_is_watched_kept_and_started_again(name: str) -> None:
    service = _SERVICES[name]
    assert set(service["healthcheck"]) >= {"test", "interval", "timeout", "retries"}
    assert service["restart"] == "unless-stopped"
    volumes = {volume.split(":")[0] for volume in service["volumes"] if not volume.startswith(".")}
    assert volumes
    assert volumes <= set(_VOLUMES)
    assert all(volume.endswith(":ro") for volume in service["volumes"] if volume.startswith("."))
    assert ("gpu" in service.get("profiles", [])) == (name in {"worker-gpu", "inference"})
    assert "privileged" not in service


@pytest.mark.parametrize("name", sorted(_SERVICES))
def test_service_waits_for_servers_that_are_well(name: str) -> None:
    needed = _SERVICES[name].get("depends_on", {})
    assert set(needed) == (_SERVERS if name in _PROGRAMS - {"inference"} else set())
    assert all(wait == {"condition": "service_healthy"} for wait in needed.values())


@pytest.mark.parametrize("name", sorted(_PROGRAMS))
def test_program_has_no_rights_beyond_its_own(name: str) -> None:
    assert _SERVICES[name]["cap_drop"] == ["ALL"]
    assert _SERVICES[name]["security_opt"] == ["no-new-privileges:true"]
    assert re.search(r"^USER mediaproc$", _DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize("name", ["worker-gpu", "inference"])
def test_gpu_service_asks_for_a_card(name: str) -> None:
    (device,) = _SERVICES[name]["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert _SERVICES[name]["build"]["args"]["TORCH_INDEX"] == ""
    assert re.search(r"^ARG TORCH_INDEX=", _DOCKERFILE, re.MULTILINE)


def test_every_queue_has_a_worker_without_a_card_too() -> None:
    from jobs.choices import Queue

    words = _words(_SERVICES["worker-cpu"]["command"])
    assert set(words[words.index("--queues") + 1 :]) == set(Queue.values)


def test_ports_are_open_to_this_machine_alone_and_servers_to_none() -> None:
    assert {name: service["ports"] for name, service in _SERVICES.items() if "ports" in service} == {
        "web": ["127.0.0.1:8000:8000"]
    }


def _names_read() -> set[str]:
    """Every environment variable that the project reads."""
    reader = re.compile(r'(?:env\.\w+|_setting|environ\.get|\benviron\.pop)\(\s*"([A-Z][A-Z0-9_]+)"')
    files = [
        file for folder in ("mediaproc", "detect", "jobs", "brands") for file in (PROJECT_ROOT / folder).rglob("*.py")
    ]
    return {name for file in files for name in reader.findall(file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("name", sorted(_PROGRAMS))
def test_settings_of_a_program_are_read_by_it_and_documented(name: str) -> None:
    given = set(_SERVICES[name]["environment"])
    assert given - _names_read() == set()
    first_cells = re.findall(r"^\|([^|]+)\|", _OPERATIONS, re.MULTILINE)
    assert given - {word for cell in first_cells for word in re.findall(r"`(\w+)`", cell)} == set()


def test_settings_reach_the_servers_they_name() -> None:
    settings = _SERVICES["web"]["environment"]
    assert httpx.URL(settings["DATABASE_URL"]).host == "postgres"
    assert httpx.URL(settings["REDIS_URL"]).host == "valkey"
    assert httpx.URL(settings["AWS_S3_ENDPOINT_URL"]).host == "s3"
    assert settings["AWS_ACCESS_KEY_ID"] == _SERVICES["s3"]["environment"]["AWS_ACCESS_KEY_ID"]
    assert f":{httpx.URL(settings['AWS_S3_ENDPOINT_URL']).port}" == ":8333"
    assert "-s3.port=8333" in _SERVICES["s3"]["command"]
    for name in ("worker-cpu", "worker-gpu", "scheduler"):
        assert _SERVICES[name]["environment"] == settings


def test_videos_are_where_the_programs_look_for_them() -> None:
    for name in ("web", "worker-cpu", "worker-gpu"):
        roots = _SERVICES[name]["environment"]["MEDIAPROC_ROOTS"]
        assert f"./videos:{roots}:ro" in _SERVICES[name]["volumes"]


def _variables() -> dict[str, set[str | None]]:
    found: dict[str, set[str | None]] = {}
    for variable in _VARIABLE.finditer(_SOURCE):
        found.setdefault(variable["name"], set()).add(variable["kind"])
    return found


def test_no_secret_has_a_default() -> None:
    secrets = {name for name in _variables() if re.search("PASSWORD|KEY|SECRET", name)}
    assert secrets == {"POSTGRES_PASSWORD", "VALKEY_PASSWORD", "S3_SECRET_KEY", "MEDIAPROC_SECRET_KEY", "INFERENCE_KEY"}
    for name, kinds in _variables().items():
        assert kinds == ({"?"} if name in secrets else {"-"}), name


def test_make_env_writes_what_the_file_needs(tmp_path: Path) -> None:
    shutil.copy(PROJECT_ROOT / "Makefile", tmp_path)
    written = []
    for _ in range(2):
        subprocess.run(["make", "env"], cwd=tmp_path, check=True, capture_output=True)
        written.append((tmp_path / ".env").read_text())
    assert written[0] == written[1], "one that is there is kept"
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    values = dict(line.split("=") for line in written[0].splitlines())
    assert set(values) == {name for name, kinds in _variables().items() if "?" in kinds}
    assert len(set(values.values())) == len(values)
    assert all(re.fullmatch("[0-9a-f]{48}", value) for value in values.values()), "they stand in URLs"


def test_variables_of_the_file_are_documented() -> None:
    section = _OPERATIONS.split("## Docker Compose")[1].split("\n## ")[0]
    assert {name for name in _variables() if f"`{name}`" not in _OPERATIONS} == set()
    assert {name for name in _variables() if name not in _names_read() and f"`{name}`" not in section} == set()


def test_images_are_pinned() -> None:
    images = [service["image"] for service in _SERVICES.values()]
    images += re.findall(r"^FROM (\S+)", _DOCKERFILE, re.MULTILINE)
    for image in images:
        assert re.search(r":\d+\.\d+", image), image


def test_files_that_the_image_copies_exist_and_are_not_left_out() -> None:
    copied = [name for line in re.findall(r"^COPY (.*)$", _DOCKERFILE, re.MULTILINE) for name in line.split()[:-1]]
    let_in = [line[1:] for line in (PROJECT_ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(copied) == sorted(let_in)
    assert [name for name in copied if not (PROJECT_ROOT / name).exists()] == []
    packages = {file.parent.name for file in PROJECT_ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert packages | {
        "manage.py",
        "requirements.txt",
        "requirements-models.txt",
        "constraints.txt",
        "templates",
        "static",
    } == set(copied)


def _is_well(command: str, beat: Path) -> bool:
    there = command.replace("/data/run/scheduler.beat", str(beat))
    assert there != command
    return subprocess.run(["sh", "-c", there], check=False, capture_output=True).returncode == 0


def test_scheduler_is_well_while_its_last_round_is_recent(tmp_path: Path) -> None:
    kind, command = _SERVICES["scheduler"]["healthcheck"]["test"]
    beat = tmp_path / "beat"
    assert kind == "CMD-SHELL"
    assert not _is_well(command, beat)
    beat.touch()
    assert _is_well(command, beat)
    os.utime(beat, (time.time() - 300, time.time() - 300))
    assert not _is_well(command, beat)


@pytest.fixture
def own_host(monkeypatch: pytest.MonkeyPatch) -> str:
    """A name that no other worker's host has."""
    monkeypatch.setattr(socket, "gethostname", lambda: "host-of-this-test")
    return "host-of-this-test"


def test_worker_is_well_while_it_tells_the_queue_of_itself(own_host: str, capsys: pytest.CaptureFixture[str]) -> None:
    queue = get_queue("gpu")
    worker = Worker([queue], connection=queue.connection, name="one")
    with pytest.raises(CommandError, match=f"no worker of {own_host}"):
        call_command("check_worker")
    worker.register_birth()  # type: ignore[no-untyped-call]
    worker.set_state("idle")
    try:
        call_command("check_worker")
        assert capsys.readouterr().out == "one: idle, takes gpu\n"
    finally:
        worker.register_death()  # type: ignore[no-untyped-call]
    with pytest.raises(CommandError):
        call_command("check_worker")
