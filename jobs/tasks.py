"""What messages in the queue call. A worker hands them to the process that does its work; anyone else does it here."""

from __future__ import annotations

from collections.abc import Callable

Task = tuple[str, str]


def work(queue: str) -> None:
    """Work on the most urgent units of a queue."""
    _perform(("work", queue))


def advance(job_id: str) -> None:
    """Plan what comes next in a job."""
    _perform(("advance", job_id))


def annotation_prepare(video_id: str) -> None:
    """Take a video of a batch in."""
    _perform(("annotation_prepare", video_id))


def annotation_export(run_id: str) -> None:
    """Write the files of a batch's run."""
    _perform(("annotation_export", run_id))


def perform_here(task: Task) -> None:
    """Do a task in this process."""
    from jobs.work.performing import perform

    perform(task)


_perform: Callable[[Task], None] = perform_here


def perform_with(perform: Callable[[Task], None]) -> None:
    """Have every task of this process done by ``perform`` from now on."""
    global _perform  # noqa: PLW0603 - the queue calls functions by name, so this is where a worker can step in
    _perform = perform
