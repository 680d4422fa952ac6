"""Figures as tables for people; everything printed is in the results file too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.accuracy import AccuracyFigures, GroupReader, ReaderFigures
from bench.machine import Machine
from bench.memory import MemoryFigures
from bench.promises import Verdict
from bench.replay import ReplayFigures
from bench.results import Change
from bench.scale import ScaleFigures
from bench.speed import SpeedFigures
from bench.tuning import TuningFigures
from bench.workers import WorkersFigures


def machine_line(machine: Machine) -> Text:
    """Where this is measured, with a warning where other work is going on."""
    line = Text(
        f"{machine.cores} cores, {machine.processor}, {machine.memory / 2**30:.1f} GiB, Python {machine.python}, "
        f"rapidocr {machine.packages['rapidocr']}, openvino {machine.packages['openvino']}"
    )
    if machine.busy:
        line.append(f"\nThe machine is busy (load {machine.load}): trust the ratios, not the seconds.", style="yellow")
    return line


def accuracy_tables(figures: AccuracyFigures) -> RenderableType:
    """Groups, then clips, then the brands of ours that lose most."""
    groups = _table("Accuracy by seconds, all clips of a kind together", "", "reader", "precision", "recall", "F1")
    for heading in ("mean F1", "worst brand off", "starts: median, 95 %", "ends: median, 95 %", "edges missed"):
        groups.add_column(heading, justify="right")
    for name, group in figures.groups.items():
        for reader, found in (("ours", group.ours), ("plain", group.plain)):
            groups.add_row(f"{name} ({group.clips})" if reader == "ours" else "", reader, *_group_cells(found))
    clips = _table("By clip", "", "reader", "precision", "recall", "F1", "wall s", "× real time")
    for name, clip in figures.clips.items():
        for label, one in (("ours", clip.ours), ("plain", clip.plain)):
            clips.add_row(name if label == "ours" else "", label, *_scores(one), *_times(one, clip.seconds))
    return Group(groups, _trust_table(figures), clips, _brand_table(figures))


def _trust_table(figures: AccuracyFigures) -> Table:
    """What else is told of ours: edges within their stated uncertainty, places, time."""
    table = _table("Ours besides", "", "lowest F1", "starts as sure as stated", "ends as sure as stated")
    for heading in ("placed right", "work over length"):
        table.add_column(heading, justify="right")
    for name, group in figures.groups.items():
        shares = (group.ours.starts.covered, group.ours.ends.covered, group.placed)
        told = ("" if share is None else f"{share:.0%}" for share in shares)
        table.add_row(name, f"{group.ours.lowest_f1:.3f}", *told, f"{group.real_time:.2f}")
    return table


def _brand_table(figures: AccuracyFigures, most: int = 15) -> Table:
    lost = sorted(
        (
            (brand.true - brand.correct + brand.reported - brand.correct, clip, name, brand)
            for clip, both in figures.clips.items()
            for name, brand in both.ours.brands.items()
        ),
        key=lambda row: (-row[0], row[1], row[2]),
    )
    table = _table(
        "Brands with most wrong seconds", "clip", "brand", "true s", "missed s", "false s", "recall", "total off"
    )
    for wrong, clip, name, brand in lost[:most]:
        if wrong > 0:
            missed, false = brand.true - brand.correct, brand.reported - brand.correct
            off = "" if brand.off is None else f"{brand.off:+.0%}"
            recall = f"{brand.recall:.2f}"
            table.add_row(clip, name, f"{brand.true:.1f}", f"{missed:.1f}", f"{false:.1f}", recall, off)
    return table


def speed_tables(figures: SpeedFigures) -> RenderableType:
    """Both readers side by side, then where our time goes."""
    parts: list[RenderableType] = []
    for name, clip in figures.clips.items():
        table = _table(f"Speed on {name} ({clip.seconds:.1f} s), seconds", "round", "ours", "plain")
        for heading in ("ours, processor", "plain, processor", "ours, stages only", "plain, frames only"):
            table.add_column(heading, justify="right")
        for number, item in enumerate(clip.rounds, start=1):
            values = (
                *(item.ours_wall, item.plain_wall, item.ours_cpu),
                *(item.plain_cpu, item.ours_work, item.plain_work),
            )
            table.add_row(str(number), *(f"{value:.2f}" for value in values))
        ratios = (clip.wall_ratio, clip.cpu_ratio, clip.work_ratio)
        table.add_row("ratio", *(cell for ratio in ratios for cell in (f"{ratio:.3f}", "1")))
        stages = _table("", "stage", "seconds", "share")
        total = sum(clip.stages.values()) or 1.0
        for stage, seconds in clip.stages.items():
            stages.add_row(stage, f"{seconds:.2f}", f"{seconds / total:.0%}")
        notes = Text(
            f"Whole process {1 / clip.wall_ratio:.1f} times as fast as plain, {clip.real_time:.2f} of real time; "
            f"stages with the loading of their models {1 / clip.work_ratio:.1f} times.\n"
            f"In a process that has its models loaded, as plain has: {clip.loaded_work:.2f} s, "
            f"{1 / clip.loaded_ratio:.1f} times as fast.\n"
            f"Start-up {clip.start_up:.2f} s with the database up, {clip.start_up_cold:.2f} s with its start. "
            f"The same command again: {clip.second_wall:.2f} s, {clip.second_share:.1%} of the work; "
            f"it computed {', '.join(clip.second_ran) or 'no stage'}."
        )
        parts += [table, stages, notes]
    return Group(*parts)


def memory_tables(figures: MemoryFigures) -> RenderableType:
    """Lengths side by side, and the peak while each stage ran."""
    table = _table("Peak resident memory of all processes of analyze, servers apart, MB", "")
    for length in figures.lengths:
        table.add_column(f"{length.seconds / 60:.1f} minutes", justify="right")
    table.add_row("whole run", *(f"{length.peak / 1e6:.0f}" for length in figures.lengths), style="bold")
    table.add_row("largest process (kernel)", *(f"{length.maxrss / 1e6:.0f}" for length in figures.lengths))
    for stage in figures.lengths[0].stages:
        table.add_row(stage, *(_megabytes(length.stages.get(stage, 0)) for length in figures.lengths))
    table.add_section()
    table.add_row("wall, seconds", *(f"{length.wall:.1f}" for length in figures.lengths))
    table.add_row("× real time", *(f"{length.real_time:.2f}" for length in figures.lengths))
    table.add_row("processor, seconds", *(f"{length.cpu:.1f}" for length in figures.lengths))
    return Group(table, Text(f"Memory grows by {figures.growth:+.1%} from the shortest to the longest."))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f}" if size else "too short to see"


def replay_tables(figures: ReplayFigures) -> RenderableType:
    """What replays took, and what is stored of each stage before and after them."""
    title = f"Replay of {figures.clip} from {figures.stage}"
    runs = _table(title, "settings", "work s", "of it report, closing s", "whole process s", "stages that ran")
    runs.add_row("first run", f"{figures.first_work:.2f}", "", "", "all")
    for run in figures.replays:
        ran = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in run.ran.items())
        seconds = (f"{value:.2f}" for value in (run.work, run.closing, run.wall))
        runs.add_row(run.settings or "unchanged", *seconds, ran or "none")
    kept = _table("Stage outputs stored", "stage", "rows before", "after", "bytes before", "after")
    for stage, after in figures.after.items():
        before = figures.before.get(stage)
        rows, size = (before.rows, before.bytes) if before else (0, 0)
        kept.add_row(stage, str(rows), str(after.rows), f"{size:,}", f"{after.bytes:,}")
    added = f"Added to the stages before it: {figures.rows_added} rows, {figures.bytes_added} bytes (frames included)."
    return Group(runs, kept, Text(added))


def tuning_tables(figures: TuningFigures) -> RenderableType:
    """What one request takes, from sending it to having read its answer."""
    title = f"One {figures.width}x{figures.height} frame of {figures.clip} through /detect/replay-stage, milliseconds"
    table = _table(title, "", "median", "95 %", "answer, bytes")
    rows = (("detect_edges", figures.plain), ("with overlays", figures.debug), ("/api/health", figures.health))
    for name, found in rows:
        table.add_row(name, f"{found.median:.1f}", f"{found.p95:.1f}", f"{found.answer_bytes:,}")
    return table


def scale_tables(figures: ScaleFigures) -> RenderableType:
    """What each list, the tree and a comparison take."""
    title = f"{figures.jobs:,} jobs, {figures.sightings:,} sightings, {figures.branches} branches: milliseconds"
    table = _table(title, "request", "median", "95 %", "processor", "queries", "answer, bytes")
    for name, one in figures.asked.items():
        times = (f"{value:.1f}" for value in (one.median, one.p95, one.cpu))
        table.add_row(name, *times, str(one.queries), f"{one.answer_bytes:,}")
    return table


def workers_table(figures: WorkersFigures) -> RenderableType:
    """What workers took for jobs whose stages compute nothing."""
    table = _table("Workers, seconds", "", "seconds")
    waiting = f"{figures.waiting_chunks} chunks that wait {figures.waiting_seconds:g} s"
    for workers, seconds in figures.by_workers.items():
        table.add_row(f"{waiting}, workers: {workers}", f"{seconds:.2f}")
    table.add_row(f"{figures.idle_chunks} chunks that do nothing, twice, one worker", f"{figures.queued:.2f}")
    table.add_row("the same in one process without a queue", f"{figures.in_process:.2f}")
    notes = (
        f"Two workers are {figures.speed_up:.2f} times as fast as one; the queue costs {figures.cost:.1f} ms a chunk."
    )
    return Group(table, Text(notes))


def change_table(changes: Sequence[Change], *, first: bool) -> RenderableType:
    """What moved since the last measurement."""
    if first:
        return Text("Nothing measured before with these settings to compare with.")
    if not changes:
        return Text("No headline moved since the last measurement.")
    table = _table("Since the last measurement", "part", "figure", "before", "now", "change")
    for item in changes:
        change = f"{item.now - item.before:+.3g} {item.unit}".rstrip()
        style = "green" if item.improved else "red"
        cells = (item.section, item.name, f"{item.before:.4g}", f"{item.now:.4g}")
        table.add_row(*cells, Text(change, style=style))
    return table


def promise_table(verdicts: Iterable[Verdict]) -> Table:
    """What is promised and whether it is kept."""
    table = _table("Promises", "part", "figure", "promised", "measured", "")
    for item in verdicts:
        kept = Text("kept", style="green") if item.kept else Text("not kept", style="bold red")
        promised = f"{item.promise.relation} {item.promise.bound:g} {item.unit}".rstrip()
        table.add_row(item.promise.section, item.name, promised, f"{item.value:.4g}", kept)
    return table


def consoles() -> tuple[Console, Console]:
    """For tables (stdout) and for progress (stderr); wide enough to keep rows whole in a file."""
    output, progress = Console(), Console(stderr=True)
    return (output if output.is_terminal else Console(width=160)), progress


def _table(title: str, *headings: str) -> Table:
    """Words to the left, figures to the right."""
    words = {
        "",
        "request",
        "reader",
        "clip",
        "brand",
        "stage",
        "part",
        "figure",
        "settings",
        "stages that ran",
        "promised",
    }
    table = Table(title=title or None, title_justify="left", header_style="bold")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in words else "right")
    return table


def _scores(reader: ReaderFigures | GroupReader) -> tuple[str, str, str]:
    return f"{reader.precision:.3f}", f"{reader.recall:.3f}", f"{reader.f1:.3f}"


def _times(reader: ReaderFigures, seconds: float) -> tuple[str, str]:
    return f"{reader.wall:.1f}", f"{reader.wall / seconds:.2f}"


def _group_cells(found: GroupReader) -> tuple[str, ...]:
    edges = (f"{side.median_error:.2f}, {side.p95_error:.2f} s" for side in (found.starts, found.ends))
    missed = f"{found.starts.missed + found.ends.missed} of {found.starts.edges + found.ends.edges}"
    return (*_scores(found), f"{found.mean_f1:.3f}", f"{found.worst_seconds_off:.0%}", *edges, missed)
