"""What the embedded servers promise to processes that come, share, end and are killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import psutil
import pytest

from mediaproc.datafolder import DataFolder
from mediaproc.services import ServiceError, supervisor
from mediaproc.services.client import Claim
from mediaproc.services.postgres import Postgres
from tests.platform.processes import (
    assert_all_end,
    connect,
    eventually,
    family,
    holder,
    pid_of,
    start_holder,
    state,
    value,
)

_IDENTITY = "SELECT system_identifier FROM pg_control_system()"


def test_two_folders_run_side_by_side(new_folder: Callable[..., DataFolder]) -> None:
    first, second = new_folder("first"), new_folder("second")
    with holder(first, "postgres", "valkey"), holder(second, "postgres", "valkey"):
        assert value(first, _IDENTITY) != value(second, _IDENTITY)
        assert pid_of(first, "valkey") != pid_of(second, "valkey")


def test_postgres_listens_on_no_network(data: DataFolder) -> None:
    with holder(data, "postgres", "valkey"):
        for process in family(data):
            assert [item for item in process.net_connections("inet") if item.status == psutil.CONN_LISTEN] == []


def test_second_process_shares_the_servers_and_outlives_the_first(data: DataFolder) -> None:
    with holder(data, "postgres") as first:
        server = pid_of(data, "postgres")
        with holder(data, "postgres") as second:
            assert pid_of(data, "postgres") == server
            first.end()
            assert value(data, "SELECT 1") == 1
            assert pid_of(data, "postgres") == server
            started = family(data)
            second.end()
            assert_all_end(started, within=0.5)


def test_last_process_waits_until_everything_has_stopped(data: DataFolder) -> None:
    claim = Claim(data, durable=False)
    claim.ensure("postgres", "valkey")
    started = family(data)
    claim.release()
    assert_all_end(started, within=0.5)
    assert state(data) == {}
    assert not (data.postgres / "postmaster.pid").exists()


def test_killed_process_leaves_nothing_running(data: DataFolder) -> None:
    with holder(data, "postgres", "valkey") as only:
        started = family(data)
        only.kill()
        assert_all_end(started)


def test_killed_supervisor_takes_its_servers_along_and_the_next_command_recovers(data: DataFolder) -> None:
    with holder(data, "postgres", "valkey") as first:
        with connect(data) as connection:
            connection.execute("CREATE TABLE kept (x int)")
            connection.execute("INSERT INTO kept VALUES (42)")
        started = family(data)
        os.kill(state(data)["supervisor"], signal.SIGKILL)
        assert_all_end(started)
        with holder(data, "postgres"):
            assert value(data, "SELECT x FROM kept") == 42
        first.kill()


def test_process_whose_supervisor_was_killed_gets_another(data: DataFolder) -> None:
    claim = Claim(data, durable=False)
    claim.ensure("postgres")
    before = family(data)
    before[0].kill()
    assert_all_end(before)
    claim.ensure("postgres")
    assert value(data, "SELECT 1") == 1
    claim.release()


@pytest.mark.parametrize("server", ["postgres", "valkey"])
def test_killed_server_is_started_again_with_its_data(data: DataFolder, server: str) -> None:
    with holder(data, "postgres", "valkey"):
        with connect(data) as connection:
            connection.execute("CREATE TABLE kept (x int)")
            connection.execute("INSERT INTO kept VALUES (42)")
        killed = pid_of(data, server)
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: state(data).get("servers", {}).get(server, {}).get("pid") not in (None, killed))
        assert value(data, "SELECT x FROM kept") == 42


def test_many_processes_at_once_start_one_server(data: DataFolder) -> None:
    processes = [start_holder(data, "postgres") for _ in range(4)]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        servers = [child for child in family(data)[0].children() if child.name() == "postgres"]
        assert [child.pid for child in servers] == [pid_of(data, "postgres")]
        started = family(data)
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert_all_end(started)


def test_setup_killed_halfway_is_made_anew(data: DataFolder) -> None:
    (data.root / "postgres.new").mkdir()
    (data.root / "postgres.new/PG_VERSION").write_text("18\n")
    with holder(data, "postgres"):
        assert value(data, "SELECT current_database()") == "mediaproc"
    assert not (data.root / "postgres.new").exists()


def test_server_that_cannot_start_is_reported_with_its_log(data: DataFolder) -> None:
    server = Postgres(data, durable=False)
    data.postgres.mkdir()  # a cluster that lost its files
    server.account.take(data.postgres)
    with pytest.raises(ServiceError, match=r"postgres does not start:\n(.|\n)*postgresql.conf"):
        supervisor.bring_up(server, retry_for=0)


def test_server_that_stays_down_comes_back_once_it_can(data: DataFolder) -> None:
    needed, aside = data.postgres / "PG_VERSION", data.postgres / "aside"
    with holder(data, "postgres"):
        killed = pid_of(data, "postgres")
        needed.rename(aside)
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: "postgres stays down" in (data.logs / "supervisor.log").read_text())
        aside.rename(needed)
        eventually(lambda: pid_of(data, "postgres") != killed)
        assert value(data, "SELECT 1") == 1


def test_data_folder_that_cannot_be_made_is_named(new_folder: Callable[..., DataFolder]) -> None:
    blocked = new_folder().root / "a file"
    blocked.touch()
    with pytest.raises(ServiceError, match=r"a file/data cannot be used .* MEDIAPROC_DATA"):
        Claim(DataFolder(blocked / "data")).ensure("postgres")


def test_durable_unless_asked_otherwise(data: DataFolder) -> None:
    claim = Claim(data)
    claim.ensure("postgres")
    settings = [value(data, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")]
    claim.release()
    assert settings == ["on", "on", "on"]
