"""How a batch looks in a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import PurePath
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from detect.providers.budget import as_text
from jobs.bulk.batches import BatchSettings, Planned, batch_totals
from jobs.bulk.book import Outcome, Result

_SHOWN = 8


class BatchBar:
    """A :class:`~jobs.bulk.book.BatchWatch` with one bar over all replays; no terminal gets a line a replay."""

    def __init__(self, console: Console, replays: int) -> None:
        self._console = console
        self._ended = 0
        self._shares: dict[UUID, float] = {}
        self._progress = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>4.0f} %"),
            TextColumn("{task.fields[ended]} of {task.total:.0f}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("replays", total=replays, ended=0)

    def __enter__(self) -> BatchBar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._progress.stop()

    def started(self, planned: Planned, replay_id: UUID) -> None:
        self._shares[planned.wanted.parent_id] = 0.0

    def progress(self, planned: Planned, share: float) -> None:
        self._shares[planned.wanted.parent_id] = min(share, 1.0)
        self._show()

    def ended(self, result: Result) -> None:
        self._shares.pop(result.planned.wanted.parent_id, None)
        if result.outcome == Outcome.NOT_STARTED:
            return
        self._ended += 1
        self._show()
        replay = str(result.replay_id)[:_SHOWN] if result.replay_id else "-"
        line = f"{str(result.planned.wanted.parent_id)[:_SHOWN]} -> {replay} {result.outcome} {result.reason}".rstrip()
        self.note(line)

    def note(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _show(self) -> None:
        done = self._ended + sum(self._shares.values())
        self._progress.update(self._task, completed=done, ended=self._ended)


@contextmanager
def looking(console: Console, jobs: int) -> Iterator[Callable[[], None]]:
    """A bar for the time in which a batch is planned; what it gives is called once a job."""
    columns = (TextColumn("looking"), BarColumn(bar_width=30), MofNCompleteColumn())
    if not console.is_terminal:
        yield lambda: None
        return
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=jobs)
        yield lambda: bar.advance(task)


def plan_table(plan: Sequence[Planned]) -> Table:
    """What each replay of a plan would take, and all together."""
    totals = batch_totals(plan)
    table = _table(("job", "video", "stages reused", "model calls", "USD", "seconds", ""), right=(2, 3, 4, 5))
    for one in plan:
        estimate = one.estimate
        figures = ("", "", "", "")
        if estimate is not None:
            unknown = any(stage.seconds is None for stage in estimate.stages)
            figures = (
                f"{len(estimate.reused_stages)} of {len(estimate.stages)}",
                str(estimate.model_calls),
                as_text(estimate.usd),
                f"{estimate.seconds:.2f}{'+' if unknown else ''}",
            )
        table.add_row(_short(one.wanted.parent_id), escape(_video(one)), *figures, escape(_standing(one)))
    table.add_section()
    table.add_row(
        f"{totals.to_run} of {totals.jobs}",
        "",
        f"{totals.stages_reused} of {totals.stages}",
        str(totals.model_calls),
        as_text(totals.usd),
        f"{totals.seconds:.2f}",
        "",
    )
    return table


def failure_table(results: Sequence[Result]) -> Table:
    """Which replays failed, and why."""
    table = _table(("job", "replay", "video", "reason"))
    for one in results:
        replay = _short(one.replay_id) if one.replay_id else ""
        video = escape(_video(one.planned))
        table.add_row(_short(one.planned.wanted.parent_id), replay, video, escape(one.reason))
    return table


def batch_line(results: Sequence[Result]) -> str:
    """What became of a batch, in one line."""
    counts = [(outcome, sum(result.outcome == outcome for result in results)) for outcome in Outcome]
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts if count)
    return f"{told or 'nothing to do'}; ${as_text(_spent(results))} spent on models"


def batch_json(settings: BatchSettings, plan: Sequence[Planned], results: Sequence[Result] | None) -> dict[str, Any]:
    """The batch for programs; ``results`` is None where it was only looked at."""
    ended = {result.planned.wanted.parent_id: result for result in results or ()}
    totals = batch_totals(plan)
    return {
        "batch": settings.tag,
        "start_stage": settings.start_stage,
        "config_overrides": settings.overrides,
        "dry_run": results is None,
        "jobs": [_job_json(one, ended.get(one.wanted.parent_id)) for one in plan],
        "totals": {
            "jobs": totals.jobs,
            "to_run": totals.to_run,
            "done_before": totals.done,
            "stages": totals.stages,
            "stages_reused": totals.stages_reused,
            "model_calls": totals.model_calls,
            "usd": as_text(totals.usd),
            "seconds": totals.seconds,
            "spent_usd": as_text(_spent(results or ())),
            "failed": sum(result.outcome == Outcome.FAILED for result in results)
            if results is not None
            else totals.problems,
        },
    }


def _job_json(planned: Planned, result: Result | None) -> dict[str, Any]:
    estimate = planned.estimate
    return {
        "job_id": str(planned.wanted.parent_id),
        "video_path": planned.wanted.video_path,
        "estimate": None
        if estimate is None
        else {
            "stages": len(estimate.stages),
            "reused_stages": estimate.reused_stages,
            "model_calls": estimate.model_calls,
            "usd": as_text(estimate.usd),
            "seconds": estimate.seconds,
        },
        "outcome": None if result is None else result.outcome.value,
        "replay_id": _text(result.replay_id if result else planned.done or planned.begun),
        "reason": result.reason if result else planned.problem,
        "spent_usd": as_text(result.usd) if result else "0",
        "brands_found": result.brands_found if result else None,
    }


def _standing(planned: Planned) -> str:
    if planned.problem:
        return planned.problem
    if planned.done is not None:
        return f"done before: {_short(planned.done)}"
    return "" if planned.begun is None else f"goes on with {_short(planned.begun)}"


def _spent(results: Sequence[Result]) -> Decimal:
    return sum((result.usd for result in results), Decimal(0))


def _table(headings: Sequence[str], right: Sequence[int] = ()) -> Table:
    table = Table(header_style="bold")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number in right else "left", overflow="fold")
    return table


def _video(planned: Planned) -> str:
    return PurePath(planned.wanted.video_path).name


def _short(identifier: UUID) -> str:
    return str(identifier)[:_SHOWN]


def _text(identifier: UUID | None) -> str | None:
    return None if identifier is None else str(identifier)
