"""How runs look in a terminal: a bar for each stage, tables of results, trees of checkpoints."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.tree import Tree

from detect.checkpoints.store import CheckpointRecord
from detect.events import StageResult
from detect.report import Report, ReportStage
from jobs.pitstop.metrics import STOP, WORDS
from jobs.progress import describe_stage

_STEPS = 1000


class ConsoleProgress:
    """A :class:`~detect.events.RunListener` that draws a bar a stage, with what is left of its time.

    Where the output is no terminal it prints one line a stage instead.
    """

    def __init__(self, console: Console, stages: int) -> None:
        self._console = console
        self._stages = stages
        self._task: TaskID | None = None
        self._progress = Progress(
            TextColumn("{task.fields[number]}/{task.fields[stages]} {task.description:<16}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>4.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> ConsoleProgress:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def stage_started(self, stage: str, index: int, units: int) -> None:
        self._task = self._progress.add_task(stage, total=_STEPS, number=index + 1, stages=self._stages, note="")

    def stage_progress(self, stage: str, fraction: float) -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=fraction * _STEPS)

    def stage_finished(self, result: StageResult) -> None:
        note = describe_stage(result)
        if self._task is not None:
            self._progress.update(self._task, completed=_STEPS, note=note)
        if not self._console.is_terminal:
            line = f"{result.index + 1}/{self._stages} {result.stage:<16} {result.seconds:7.2f} s  {note}"
            self._console.print(line, highlight=False, soft_wrap=True)


def brand_table(report: Report) -> Table:
    """Brands and what they were given, most seconds first."""
    table = Table(title=None, header_style="bold", caption=None)
    for heading, right in (
        ("brand", False),
        ("seconds", True),
        ("±", True),
        ("times", True),
        ("share of voice", True),
        ("mean area", True),
        ("quality", True),
        ("where", False),
        ("", False),
    ):
        table.add_column(heading, justify="right" if right else "left")
    for brand in report.brands:
        table.add_row(
            brand.name,
            f"{brand.seconds:.1f}",
            f"{brand.seconds_uncertainty:.1f}",
            str(brand.occurrences),
            f"{brand.share_of_voice:.1%}",
            f"{brand.mean_area_share:.2%}",
            f"{brand.quality_score:.0f}",
            ", ".join(f"{place} {seconds:.1f} s" for place, seconds in brand.by_placement.items()),
            "" if brand.confirmed else "unconfirmed",
        )
    return table


def metrics_table(metrics: dict[str, Any]) -> Table:
    """Times of a pit stop: what was measured or set, then the zones."""
    table = Table(header_style="bold")
    for heading in ("time", "seconds", "±", "visits"):
        table.add_column(heading, justify="left" if heading == "time" else "right")
    if metrics[STOP] is None:
        table.add_row(WORDS[STOP], "[dim]nothing stood still", "", "")
    for name, word in WORDS.items():
        if metrics.get(name) is not None:
            measured = metrics["measured"][name] if metrics["sources"][name] == "measured" else None
            off = "by hand" if measured is None else f"{measured['uncertainty_s']:.2f}"
            table.add_row(word, f"{metrics[name]:.2f}", off, "")
    for zone in metrics["zones"]:
        name = escape(f"zone {zone['name']}")
        table.add_row(name, f"{zone['seconds']:.2f}", f"{zone['uncertainty_s']:.2f}", str(len(zone["visits"])))
    return table


def reuse_table(stages: list[ReportStage]) -> Table:
    """Which stages were reused and which ran."""
    table = Table(header_style="bold")
    for heading in ("stage", "what happened", "seconds"):
        table.add_column(heading, justify="right" if heading == "seconds" else "left")
    for stage in stages:
        if stage.reused:
            happened = "reused"
        elif stage.skipped:
            happened = f"skipped: {stage.skipped}"
        else:
            happened = "ran" if not stage.reused_units else f"ran, {stage.reused_units} of {stage.units} chunks reused"
        table.add_row(stage.stage, happened, f"{stage.seconds:.2f}")
    return table


def checkpoint_tree_view(nodes: list[CheckpointRecord], title: str) -> Tree:
    """The tree of checkpoints. What follows one another stands below one another; only branches are set in."""
    children: dict[UUID | None, list[CheckpointRecord]] = defaultdict(list)
    for node in nodes:
        children[node.parent_id].append(node)
    view = Tree(title)
    places: dict[UUID | None, Tree] = {None: view}
    for node in nodes:
        siblings = children[node.parent_id]
        place = places.get(node.parent_id, view)
        label = _checkpoint_label(node)
        if len(siblings) == 1:
            place.add(label)
            places[node.id] = place
        else:
            places[node.id] = place.add(f"[bold]branch[/bold] of job {str(node.job_id)[:8]}")
            places[node.id].add(label)
    return view


def _checkpoint_label(node: CheckpointRecord) -> str:
    stats = node.stats[node.stage]
    happened = "skipped" if stats["skipped"] else f"{float(stats['seconds']):.2f} s"
    own = ", ".join(f"{name}={value}" for name, value in node.config_overrides.get(node.stage, {}).items())
    label = f"{node.stage:<16}[dim]{str(node.id)[:8]}  {happened}[/dim]" + (f"  [cyan]{own}[/cyan]" if own else "")
    return f"{label}  [bold]★ {node.scenario_label}" if node.is_scenario else label


def consoles(*, quiet: bool = False) -> tuple[Console, Console]:
    """For results (stdout) and for progress (stderr). Results are not wrapped where stdout is no terminal."""
    output = Console(file=sys.stdout, quiet=quiet, width=None if sys.stdout.isatty() else 160)
    return output, Console(file=sys.stderr, quiet=quiet, width=None if sys.stderr.isatty() else 160)
