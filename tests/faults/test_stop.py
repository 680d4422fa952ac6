"""Ctrl-C and SIGTERM, and two commands at the same video."""

from __future__ import annotations

import csv
import io
import shlex
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.conftest import Setup, answer
from tests.faults.footage import OPTIONS
from tests.faults.installation import comparable, finish
from tests.providers.chat_server import Ask, Reaction


@contextmanager
def thinking(setup: Setup) -> Iterator[threading.Event]:
    """Models that have not answered until the block ends; the event is set once one was asked."""
    asked, go_on = threading.Event(), threading.Event()

    def behave(ask: Ask) -> Reaction:
        asked.set()
        go_on.wait(120)
        return answer(ask)

    setup.models.behave = behave
    try:
        yield asked
    finally:
        setup.models.behave = answer
        go_on.set()


def wait_for(process: subprocess.Popen[str], stage: str) -> None:
    """Until the command says that it is done with ``stage``."""
    assert process.stderr is not None
    for line in process.stderr:
        if f" {stage} " in line:
            return
    pytest.fail(f"the command ended before {stage} was done")


def test_ctrl_c_says_how_to_go_on(setup: Setup, expected: dict[str, bytes]) -> None:
    process = setup.installation.start(*setup.request)
    wait_for(process, "detect_objects")
    process.send_signal(signal.SIGINT)
    outcome = finish(process)

    assert outcome.code == 130, outcome.err
    assert "Traceback" not in outcome.err
    message = outcome.err.rstrip("\n").split("\n")[-1]
    assert message.startswith("Stopped; everything finished is kept. To go on: ")
    (job,) = setup.installation.jobs()
    assert job["status"] == "paused"
    assert not (setup.report / "report.json").exists()

    begun = setup.installation.begun()
    again = shlex.split(message.split("To go on: ")[1])
    assert again[-len(setup.request) :] == list(setup.request)
    outcome = setup.installation.run(*setup.request)
    assert outcome.code == 0, outcome.err
    assert comparable(setup.report) == expected
    twice = setup.installation.begun() - begun
    assert sum(begun[unit] for unit in twice) <= 1, "more than the unit that was stopped was computed again"
    (job,) = setup.installation.jobs()
    assert job["status"] == "completed"


def test_sigterm_does_so_too_and_beside_json(setup: Setup) -> None:
    with thinking(setup) as asked:
        process = setup.installation.start(*setup.request, "--json")
        assert asked.wait(120)
        process.send_signal(signal.SIGTERM)
    outcome = finish(process)
    assert (outcome.code, outcome.out) == (143, "")
    assert "Stopped; everything finished is kept. To go on: " in outcome.err
    (job,) = setup.installation.jobs()
    assert job["status"] == "paused"
    # the answer that was on its way is paid for, and kept
    assert len(setup.installation.rows("SELECT digest FROM detect_modelanswer")) == len(setup.models.asks) == 1


def test_second_ctrl_c_quits_at_once(setup: Setup, expected: dict[str, bytes]) -> None:
    """The first waits for the question that is being answered, as its answer is paid for; the second does not."""
    with thinking(setup) as asked:
        process = setup.installation.start(*setup.request)
        assert asked.wait(120)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert any("Ctrl-C again quits at once" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130, "it waits for the model"
        finish(process)
    outcome = setup.installation.run(*setup.request)
    assert outcome.code == 0, outcome.err
    assert comparable(setup.report) == expected


def test_ctrl_c_before_work_began(setup: Setup) -> None:
    outcome = setup.installation.run(*setup.request, interrupt="prepare")
    assert outcome.code == 130, outcome.err
    assert "Traceback" not in outcome.err
    assert outcome.err.startswith("Stopped; everything finished is kept. To go on: ")
    assert not (setup.report / "report.json").exists()


def test_stopped_while_the_report_is_written_it_finishes(setup: Setup, expected: dict[str, bytes]) -> None:
    outcome = setup.installation.run(*setup.request, interrupt="report")
    assert outcome.code == 0, outcome.err
    assert comparable(setup.report) == expected


def test_second_command_for_a_video_says_that_it_is_being_analysed(setup: Setup, expected: dict[str, bytes]) -> None:
    with thinking(setup) as asked:
        first = setup.installation.start(*setup.request)
        assert asked.wait(120)
        second = setup.installation.run(*setup.request)
        (job,) = setup.installation.jobs()
        assert second.error() == (
            f"Error: job {job['id']} is being worked on by another process: wait for it, or stop it first"
        )
        assert second.err.count("\n") == 1
    outcome = finish(first)
    assert outcome.code == 0, outcome.err
    assert comparable(setup.report) == expected
    (job,) = setup.installation.jobs()
    assert job["status"] == "completed"


def test_two_commands_that_start_together(fresh: Setup, expected: dict[str, bytes]) -> None:
    """Neither servers nor tables are there yet."""
    processes = [fresh.installation.start(*fresh.request) for _ in range(2)]
    outcomes = [finish(process) for process in processes]
    winners = [outcome for outcome in outcomes if outcome.code == 0]
    assert winners, [outcome.err for outcome in outcomes]
    for outcome in outcomes:
        if outcome.code != 0:
            assert "is being worked on by another process" in outcome.error()
    assert comparable(fresh.report) == expected
    with fresh.installation.database():
        jobs = fresh.installation.jobs()
    assert [job["status"] for job in jobs] == ["completed"] * len(winners)


def brand_rows(files: dict[str, bytes], brand: str) -> list[str]:
    """The exposures of one brand in a report's table, without its share of voice, for which others matter."""
    rows = csv.DictReader(io.StringIO(files["report.csv"].decode()))
    return [str({**row, "brand_share_of_voice": ""}) for row in rows if row["brand"] == brand]


def test_two_requests_share_their_frames(setup: Setup, expected: dict[str, bytes]) -> None:
    """The same video for other brands, at the same time: what both need is the same, whoever was first."""
    requests = [
        ("analyze", str(setup.clip), "--brands", brands, *OPTIONS, "--out", str(setup.installation.folder / brands))
        for brands in ("Acme Cola", "Globex")
    ]
    processes = [setup.installation.start(*request) for request in requests]
    outcomes = [finish(process) for process in processes]
    assert [outcome.code for outcome in outcomes] == [0, 0], [outcome.err for outcome in outcomes]
    assert len(setup.installation.rows("SELECT id FROM detect_timeline")) == 1
    for brand in ("Acme Cola", "Globex"):
        assert brand_rows(comparable(setup.installation.folder / brand), brand) == brand_rows(expected, brand)
