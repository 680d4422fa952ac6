"""Disks that are full or closed, and a database that goes away: a clear line, nothing half done, and the way on."""

from __future__ import annotations

import os
import resource
import signal

import psutil
import pytest

from tests.faults.conftest import Setup
from tests.faults.disks import disk
from tests.faults.installation import Outcome, comparable, finish
from tests.faults.test_stop import thinking
from tests.platform.processes import pid_of, state

pytestmark = pytest.mark.long

#: Queries for what must never be there.
_BROKEN = {
    "one root a job": (
        "SELECT job_id FROM detect_checkpoint WHERE parent_id IS NULL GROUP BY job_id HAVING count(*) > 1"
    ),
    "no checkpoint without its outputs": (
        "SELECT c.id FROM detect_checkpoint c, jsonb_each_text(c.outputs) o"
        " WHERE NOT EXISTS (SELECT 1 FROM detect_stageoutput s WHERE s.key = o.value)"
    ),
    "no completed job without its last checkpoint": (
        "SELECT j.id FROM jobs_detectjob j WHERE j.status = 'completed' AND NOT EXISTS"
        " (SELECT 1 FROM detect_checkpoint c WHERE c.job_id = j.id AND c.stage = 'compile_report')"
    ),
}


def assert_consistent(setup: Setup) -> None:
    for rule, query in _BROKEN.items():
        assert setup.installation.rows(query) == [], rule


def failed(setup: Setup, outcome: Outcome, *words: str) -> None:
    """The run failed in its middle with one line, which its job tells as well."""
    error = outcome.error()
    assert [word for word in words if word not in error] == [], error
    (job,) = setup.installation.jobs()
    assert (job["status"], job["error_message"]) == ("failed", error.removeprefix("Error: "))
    assert_consistent(setup)


def goes_on(setup: Setup, expected: dict[str, bytes]) -> None:
    """The same command ends well, with the same report."""
    outcome = setup.installation.run(*setup.request)
    assert outcome.code == 0, outcome.err
    assert outcome.err.startswith("Going on with job ")
    assert comparable(setup.report) == expected
    assert_consistent(setup)
    (job,) = setup.installation.jobs()
    assert (job["status"], job["error_message"]) == ("completed", "")


def test_storage_in_trouble(setup: Setup, expected: dict[str, bytes]) -> None:
    """One job, with one thing after the other put right."""
    place = setup.installation
    with disk(place.data.storage, "8m") as storage:
        storage.close()
        assert "emblem.png cannot be stored: Read-only file system" in place.run(*setup.request).error()
        assert place.jobs() == []
        storage.open()
        storage.resize("100k")
        failed(setup, place.run(*setup.request), "frame timelines/", "cannot be stored: No space left on device")
        storage.close()
        failed(setup, place.run(*setup.request), "frame timelines/", "cannot be stored: Read-only file system")
        storage.open()
        storage.resize("8m")
        goes_on(setup, expected)


def test_quota(setup: Setup, expected: dict[str, bytes]) -> None:
    """A limit on the size of files, between that of the emblem and those of frames: it needs no rights to try."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))

    outcome = setup.installation.run(*setup.request, preexec_fn=limit)
    failed(setup, outcome, "frame timelines/", "cannot be stored: File too large")
    stored = [path.suffix for path in setup.installation.data.storage.rglob("*") if path.is_file()]
    assert stored == [".png"], "half a frame was left"
    goes_on(setup, expected)


def test_report_folder_in_trouble(setup: Setup, expected: dict[str, bytes]) -> None:
    place = setup.installation
    with disk(setup.report, "8m") as out:
        out.close()
        assert f"cannot write into the folder {setup.report}" in place.run(*setup.request).error()
        assert not place.begun(), "what could be known at once was found out after all the work"
        out.open()
        out.resize("24k")
        failed(setup, place.run(*setup.request), f"cannot write {setup.report}", "No space left on device")
        assert not (setup.report / "report.json").exists()
        begun = place.begun()
        out.resize("8m")
        goes_on(setup, expected)
        assert place.begun() == begun, "a stage ran again, and only files were missing"


def test_data_disk_fills_up(fresh: Setup, expected: dict[str, bytes]) -> None:
    """First it is a frame that finds no room, then, when all frames are stored, the database."""
    place = fresh.installation
    providers = (place.data.root / "providers.yaml").read_text()
    with disk(place.data.root, "400m") as whole:
        place.data.create()
        (place.data.root / "providers.yaml").write_text(providers)
        with place.database():
            assert place.run("migrate", "--verbosity=0").code == 0
            ballast = whole.fill(leave=300_000)
            assert "No space left on device" in place.run(*fresh.request).error()
            assert_consistent(fresh)
            ballast.unlink()
            assert place.run(*fresh.request, kill="filter_scenes:working").code == -signal.SIGKILL
            ballast = whole.fill()
            error = place.run(*fresh.request).error()
            assert error.startswith("Error: the database cannot go on: ")
            assert "No space left on device" in error
            assert_consistent(fresh)
            ballast.unlink()
            goes_on(fresh, expected)


def test_no_room_to_set_up_the_database(fresh: Setup) -> None:
    with disk(fresh.installation.data.root, "2m"):
        outcome = fresh.installation.run(*fresh.request)
        assert outcome.code == 1
        assert "Traceback" not in outcome.err
        assert "No space left on device" in outcome.err
        assert not fresh.installation.data.postgres.exists(), "half a database was left"


def test_database_goes_away_in_the_middle(setup: Setup, expected: dict[str, bytes]) -> None:
    """For longer than a restart takes: what would start it again stands still meanwhile."""
    place = setup.installation
    supervisor = psutil.Process(state(place.data)["supervisor"])
    with thinking(setup) as asked:
        process = place.start(*setup.request)
        assert asked.wait(120)
        supervisor.suspend()
        os.kill(pid_of(place.data, "postgres"), signal.SIGKILL)
    try:
        outcome = finish(process)
    finally:
        supervisor.resume()
    assert "the database cannot go on: " in outcome.error()
    goes_on(setup, expected)


def test_database_restarts_in_the_middle(setup: Setup, expected: dict[str, bytes]) -> None:
    """A run that was only waiting for a model goes on by itself; one that was just asking the database is run again."""
    with thinking(setup) as asked:
        process = setup.installation.start(*setup.request)
        assert asked.wait(120)
        os.kill(pid_of(setup.installation.data, "postgres"), signal.SIGKILL)
    outcome = finish(process)
    if outcome.code:
        assert "the database cannot go on: " in outcome.error()
        goes_on(setup, expected)
    assert comparable(setup.report) == expected
    assert_consistent(setup)
    questions = setup.questions()
    assert len(questions) == len(set(questions)), "an answer that was paid for was asked for again"
