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


def perform_here(task: Task) -> None:
    """Do a task in this process."""
    from uuid import UUID

    from jobs.work.execute import advance as advance_job
    from jobs.work.execute import work as work_on
    from jobs.work.owners import this_process

    name, argument = task
    if name == "work":
        work_on(queue=argument, owner=this_process())
    else:
        advance_job(UUID(argument))


_perform: Callable[[Task], None] = perform_here


def perform_with(perform: Callable[[Task], None]) -> None:
    """Have every task of this process done by ``perform`` from now on."""
    global _perform  # noqa: PLW0603 - the queue calls functions by name, so this is where a worker can step in
    _perform = perform
