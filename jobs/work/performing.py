"""What each kind of message in the queue means."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from jobs.annotation.exporting import run_export
from jobs.annotation.preparing import video_prepare
from jobs.work.execute import advance, persistently, work
from jobs.work.owners import this_process


def perform(task: tuple[str, str], *, owner: str = "", stop: Callable[[], bool] = lambda: False) -> None:
    """Do what a message asks for; between the frames of a unit ``stop`` is asked. ``owner`` is the worker that does it,
    by default this process.
    """
    name, argument = task
    if name == "work":
        work(queue=argument, owner=owner or this_process(), stop=stop)
    elif name == "advance":
        advance(UUID(argument))
    elif name == "annotation_prepare":
        persistently(lambda: video_prepare(int(argument)))
    elif name == "annotation_export":
        persistently(lambda: run_export(int(argument)))
    else:
        raise ValueError(f"nobody knows the task {name!r}")
