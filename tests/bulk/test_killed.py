"""The command as a process that is killed or stopped in the middle: the same command again does only the rest."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Setup, answer, clip, new_setup, weights
from tests.faults.footage import CHUNKS
from tests.faults.installation import Installation, finish
from tests.providers.chat_server import Ask, Reaction

__all__ = ["clip", "weights"]

COMMAND = ("replay_jobs", "--here", "--yes", "--tag", "first", "--set", "detect_objects.confidence=0.41")


@pytest.fixture(scope="module")
def two_jobs(clip: Path, weights: Path) -> Iterator[Setup]:
    """Jobs on one clip, different in an option of detect_objects. What the first one's replay computes of it is stored
    already, by a job that is no part of the batch: the second's replay is the first one to store any.
    """
    with new_setup(clip, weights, running=True) as made:
        for option in ("iou=0.5", "iou=0.6", "confidence=0.41"):
            outcome = made.installation.run(
                *made.request, "--set", "detect_objects.iou=0.5", "--set", f"detect_objects.{option}"
            )
            assert outcome.code == 0, outcome.err
        first, second, _ = (job["id"] for job in made.installation.jobs())
        tag = "UPDATE jobs_detectjob SET tags = ARRAY['first'] WHERE id IN ('%s', '%s') RETURNING id"
        assert len(made.installation.rows(tag % (first, second))) == 2
        yield made


def replays(place: Installation) -> list[dict[str, Any]]:
    return [job for job in place.jobs() if job["run_type"] == "replay"]


@pytest.mark.long
def test_killed_in_the_middle_the_same_command_does_the_rest(two_jobs: Setup) -> None:
    place = two_jobs.installation
    killed = place.run(*COMMAND, kill="detect_objects:working")
    assert killed.code == -signal.SIGKILL, killed.err
    assert [job["status"] for job in replays(place)] == ["completed", "running"]
    first, second = (str(job["id"]) for job in replays(place))
    begun, asked = place.begun(), len(two_jobs.models.asks)

    rest = place.run(*COMMAND, "--json")
    assert rest.code == 0, rest.err
    told = json.loads(rest.out)["jobs"]
    assert [one["outcome"] for one in told] == ["done before", "completed"]
    assert [one["replay_id"] for one in told] == [first, second]
    assert [job["status"] for job in replays(place)] == ["completed"] * 2
    again = place.begun() - begun
    computed = {unit: times for unit, times in again.items() if unit.startswith("detect_objects")}
    assert computed == {f"detect_objects {chunk}": 1 for chunk in range(1, CHUNKS)}, "the first chunk was done before"
    assert not any(unit.startswith(("extract_frames", "filter_scenes", "detect_edges", "run_ocr")) for unit in again)
    assert len(two_jobs.models.asks) == asked, "every answer had been paid for before"

    begun = place.begun()
    nothing = place.run(*COMMAND, "--json")
    assert [one["outcome"] for one in json.loads(nothing.out)["jobs"]] == ["done before"] * 2
    assert place.begun() == begun
    assert len(replays(place)) == 2


@pytest.mark.long
def test_stopped_it_says_how_to_go_on(two_jobs: Setup) -> None:
    place = two_jobs.installation
    before = len(replays(place))
    asking = ("replay_jobs", "--here", "--yes", "--tag", "first", "--set", "escalate_vlm.ask_again=1")
    asked, go_on = threading.Event(), threading.Event()

    def behave(ask: Ask) -> Reaction:
        asked.set()
        go_on.wait(120)
        return answer(ask)

    two_jobs.models.behave = behave
    process = place.start(*asking)
    assert asked.wait(120)
    process.send_signal(signal.SIGINT)
    go_on.set()
    stopped = finish(process)
    assert stopped.code == 130, stopped.err
    assert "Stopped; everything finished is kept. To go on:" in stopped.err
    assert "replay_jobs --here --yes --tag first --set escalate_vlm.ask_again=1" in stopped.err
    assert [job["status"] for job in replays(place)[before:]] == ["paused"]
    rest = place.run(*asking)
    assert rest.code == 0, rest.err
    assert "2 completed" in rest.out
    assert [job["status"] for job in replays(place)[before:]] == ["completed"] * 2
