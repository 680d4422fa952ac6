"""Nudges leave by themselves: who writes an event waits for nothing."""

from __future__ import annotations

import asyncio
import os
import time
import uuid

import pytest

from mediaproc import nudges


class _Hanging:
    """A channel layer whose server answers nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def group_send(self, group: str, message: dict[str, str]) -> None:
        self.asked.append(message["job_id"])
        await asyncio.sleep(3600)


def _about(job_id: uuid.UUID) -> nudges.Nudge:
    return "jobs", (("job_id", str(job_id)),)


def test_writers_do_not_wait_for_a_channel_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = _Hanging()
    monkeypatch.setattr(nudges, "get_channel_layer", lambda: layer)
    monkeypatch.setattr(nudges, "_SEND_WITHIN", 0.2)
    sender = nudges._Sender()
    first, others = uuid.uuid4(), [uuid.uuid4() for _ in range(3)]
    started = time.perf_counter()
    sender.add(_about(first))
    while not layer.asked:
        time.sleep(0.005)
    for job_id in others * 100:
        sender.add(_about(job_id))
    assert not sender.flush(0.01)
    assert sender.flush(5)
    # the three hundred went together: one more time limit, not three hundred
    assert time.perf_counter() - started < 4
    assert layer.asked[0] == str(first)
    assert layer.asked[1] in map(str, others)
    assert len(layer.asked) == 2


def test_forked_process_sends_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = _Quick()
    monkeypatch.setattr(nudges, "get_channel_layer", lambda: layer)
    nudges.nudge("jobs", job_id=str(uuid.uuid4()))
    assert nudges.nudges_flush(5)
    child = os.fork()
    if child == 0:  # without the thread of its parent
        mine = uuid.uuid4()
        nudges.nudge("jobs", job_id=str(mine))
        os._exit(0 if nudges.nudges_flush(5) and layer.asked[-1] == str(mine) else 1)
    assert os.waitpid(child, 0)[1] == 0


class _Quick:
    def __init__(self) -> None:
        self.asked: list[str] = []

    async def group_send(self, group: str, message: dict[str, str]) -> None:
        self.asked.append(message["job_id"])


async def test_nudge_under_a_running_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = _Quick()
    monkeypatch.setattr(nudges, "get_channel_layer", lambda: layer)
    job_id = uuid.uuid4()
    nudges.nudge("jobs", job_id=str(job_id))
    assert nudges.nudges_flush(5)
    assert layer.asked == [str(job_id)]
