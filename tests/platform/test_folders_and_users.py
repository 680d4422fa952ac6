"""Long paths, closed folders, root and other users."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mediaproc.datafolder import PROJECT_ROOT, DataFolder
from mediaproc.services.client import Claim
from mediaproc.services.postgres import Postgres
from tests.platform.processes import NOBODY, assert_all_end, family, holder, pid_of, python_for_nobody, value

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs Postgres as another user")


def test_sockets_lie_in_the_data_folder(data: DataFolder) -> None:
    assert data.sockets == data.run


def test_long_path_has_its_sockets_in_a_short_folder_while_running(new_folder: Callable[..., DataFolder]) -> None:
    data = new_folder("long" * 30)
    with holder(data, "postgres", "valkey"):
        assert data.sockets == data.short_folder
        assert value(data, "SELECT 1") == 1
        started = family(data)
    assert_all_end(started)
    assert not data.short_folder.exists()


def test_short_folder_of_somebody_else_is_not_used(new_folder: Callable[..., DataFolder]) -> None:
    data = new_folder("long" * 30)
    data.short_folder.mkdir(mode=0o777)
    data.short_folder.chmod(0o777)
    try:
        with pytest.raises(Exception, match="only this user can write"):
            Claim(data).ensure("postgres")
    finally:
        data.short_folder.rmdir()


@needs_root
def test_root_runs_postgres_as_another_user(data: DataFolder) -> None:
    with holder(data, "postgres"):
        assert psutil.Process(pid_of(data, "postgres")).uids().real != 0
        assert data.postgres.stat().st_uid != 0


@needs_root
def test_root_in_a_folder_closed_to_others(new_folder: Callable[..., DataFolder]) -> None:
    data = new_folder("home/data", create=False)
    data.root.parent.mkdir(mode=0o700)
    with holder(data, "postgres", "valkey"):
        assert value(data, "SELECT 1") == 1
        assert data.postgres.is_dir()
    with holder(data, "postgres"):  # and again, over what the first left
        assert value(data, "SELECT 1") == 1


@needs_root
def test_root_with_programs_closed_to_others_runs_a_copy(data: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Postgres(data, durable=False)
    private_folder = data.short_folder
    monkeypatch.setattr(
        "mediaproc.services.postgres.runnable_by", lambda account, program: private_folder in program.parents
    )
    try:
        assert server.programs.is_relative_to(data.short_folder)
        monkeypatch.undo()
        for program in ("postgres", "initdb"):
            done = subprocess.run(
                [server.programs / program, "--version"], user=NOBODY, capture_output=True, text=True, check=False
            )
            assert done.stdout.endswith("18.4\n"), done.stderr
    finally:
        subprocess.run(["rm", "-r", str(data.short_folder)], check=True)


def test_unprivileged_user(new_folder: Callable[..., DataFolder]) -> None:
    python = python_for_nobody(PROJECT_ROOT / "manage.py")
    if python is None:
        pytest.skip("needs root, and a Python and a project folder that `nobody` can read")
    data = new_folder("home/data", create=False)
    data.root.parent.mkdir()
    os.chown(data.root.parent, NOBODY, NOBODY)
    with holder(data, "postgres", "valkey", python=python, uid=NOBODY) as only:
        assert psutil.Process(pid_of(data, "postgres")).uids().real == NOBODY
        assert stat.S_IMODE(data.root.stat().st_mode) == 0o700
        started = family(data)
        only.end()
    assert_all_end(started)


def test_secret_is_made_once_for_its_owner_alone(data: DataFolder) -> None:
    made = data.secret("secret_key")
    assert len(made) > 50
    assert data.secret("secret_key") == made
    assert stat.S_IMODE((data.root / "secret_key").stat().st_mode) == 0o600
    assert DataFolder(data.root).secret("another") != made


def test_folder_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MEDIAPROC_DATA")
    assert DataFolder.from_environment().root == PROJECT_ROOT / "data"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDIAPROC_DATA", "elsewhere")
    assert DataFolder.from_environment().root == tmp_path / "elsewhere"
