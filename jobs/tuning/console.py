"""How a search looks in a terminal: how far it is, the table of what was tried, what moved."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from detect.events import StageResult
from detect.option_choices import assignments
from detect.option_search import Trial, by_stage
from detect.option_session import Session
from detect.option_trials import Case, Figures, together
from detect.options import Overrides
from detect.providers.budget import as_text
from jobs.tuning.results import moved_brands

_PRESENT = "as it is"
_STEPS = 1000
LEGEND = (
    "* on the front: no faster setting is as good. Seconds of work on the clips, models loaded, from the video on; "
    "replayed: from the first changed stage on."
)


class TuningProgress:
    """A :class:`~detect.option_session.Watch` and run listener: a bar for the setting that is being tried.

    Each setting leaves a line with what it came to.
    """

    def __init__(self, console: Console, stages: int) -> None:
        self._console = console
        self._stages, self._stage = stages, 0
        self._count = 0
        self._most = 0
        self._task: TaskID | None = None
        self._case = ""
        self._where = ""
        self._case_number = 0
        self._cases = 1
        self._started = 0.0
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("[dim]{task.fields[note]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> TuningProgress:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the bar away; what is printed then stands by itself."""
        self._progress.stop()

    def expect(self, most: int) -> None:
        """At most so many settings will be tried."""
        self._most = most

    def setting_started(self, changed: Overrides, cases: int, *, held_out: bool) -> None:
        self._count += 1
        self._where = "held out, " if held_out else ""
        self._cases, self._case_number, self._started = cases, -1, time.perf_counter()
        self._task = self._progress.add_task(escape(self._where + _describe(changed)), total=_STEPS * cases, note="")

    def case_started(self, name: str) -> None:
        self._case, self._case_number = name, self._case_number + 1

    def setting_finished(self, changed: Overrides, figures: Figures) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        spent = time.perf_counter() - self._started
        line = (
            f"{self._count} of at most {self._most}: {self._where}{_describe(changed)}: F1 {figures.f1:.3f}, precision "
            f"{figures.precision:.3f}, {figures.seconds:.1f} s of work, {spent:.1f} s just now"
        )
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def stage_started(self, stage: str, index: int, units: int) -> None:
        self._stage = index
        self._show(stage, 0.0)

    def stage_progress(self, stage: str, fraction: float) -> None:
        self._show(stage, fraction)

    def stage_finished(self, result: StageResult) -> None:
        return

    def _show(self, stage: str, fraction: float) -> None:
        if self._task is not None:
            done = self._case_number + (self._stage + fraction) / self._stages
            note = f"{self._case}: {stage} {fraction:.0%}"
            self._progress.update(self._task, completed=_STEPS * done, note=escape(note))


def trials_table(session: Session) -> Table:
    """What was tried, ordered by stage, with what each setting changes; the front and the best are marked."""
    table = Table(header_style="bold", title="Development clips", title_justify="left")
    for heading in ("", "trial", "settings", "F1", "", "precision", "recall", "seconds", "replayed", "USD"):
        table.add_column(heading, justify="left" if heading == "settings" else "right")
    front = {trial.number for trial in session.front}
    for trial in by_stage(session.trials):
        mark = "best" if trial is session.best else ""
        mark = f"{mark} *".strip() if trial.number in front else mark
        table.add_row(
            mark,
            str(trial.number),
            escape("\n".join(assignments(session.changes(trial))) or _PRESENT),
            *_cells(trial.figures, session.present.figures, allowed=session.objective.allows(trial.figures)),
            f"{anew:.1f}" if (anew := session.anew(trial)) else "",
            as_text(trial.figures.usd),
            style="bold" if trial is session.best else None,
        )
    return table


def held_out_table(session: Session) -> Table:
    """The present settings and the best ones, on the clips they were chosen by and on those held out."""
    table = Table(header_style="bold", title="Held out", title_justify="left")
    for heading in ("settings", "clips", "F1", "", "precision", "recall", "seconds", "USD"):
        table.add_column(heading, justify="left" if heading in ("settings", "clips") else "right")
    shown = [(_PRESENT, session.present)]
    if session.best is not session.present:
        shown.append(("best", session.best))
    for name, trial in shown:
        for clips, tried, figures in (
            ("development", session.present.figures, trial.figures),
            ("held out", _whole(session, session.present), _whole(session, trial)),
        ):
            allowed = session.objective.allows(figures)
            cells = _cells(figures, tried, allowed=allowed)
            table.add_row(name, clips, *cells, as_text(figures.usd), end_section=clips == "held out")
    return table


def moved_table(cases: Sequence[Case], before: Sequence[Figures], after: Sequence[Figures], title: str) -> Table | None:
    """Seconds that the best settings move, by clip and brand; None where they move none."""
    moved = moved_brands(cases, before, after)
    table = Table(header_style="bold", title=title, title_justify="left")
    for heading in ("clip", "brand", "right seconds", "wrong seconds"):
        table.add_column(heading, justify="right" if "seconds" in heading else "left")
    for one in moved:
        table.add_row(escape(one.clip), escape(one.brand), _signed(one.right), _signed(one.wrong))
    return table if moved else None


def verdict(session: Session) -> list[str]:
    """In sentences: what is best, what it changes, whether the held-out clips agree, and what is to be known."""
    best, present = session.best, session.present
    lines = []
    if not session.objective.allows(best.figures):
        wanted = f"{session.objective.min_precision:g}"
        lines.append(f"No setting reaches a precision of {wanted}: the most precise one is called best.")
    if best is present:
        until = "" if session.finished else " until now"
        lines.append(f"Nothing that was tried{until} is better than the settings as they are.")
    else:
        gain = f"F1 {present.figures.f1:.3f} → {best.figures.f1:.3f}"
        work = f"{present.figures.seconds:.1f} → {best.figures.seconds:.1f} s of work"
        so_far = "" if session.finished else " so far"
        lines.append(f"Best{so_far} is trial {best.number}: {gain}, {work}.")
        for choice, position in zip(session.choices, best.setting, strict=True):
            if position != choice.present:
                lines.append(f"  {choice.name}: {choice.values[choice.present]} → {choice.values[position]}")
        lines += _held_out_says(session) if session.finished else []
    if any(trial.figures.incomplete for trial in session.trials):
        lines.append("Some questions to models were not asked or not answered: --max-cost says what they may cost.")
    return lines


def _held_out_says(session: Session) -> list[str]:
    if not session.held_out:
        return ["No clip was held out: --hold-out CLIP shows whether this holds for other footage too."]
    before, after = _whole(session, session.present), _whole(session, session.best)
    if round(after.f1, 3) < round(before.f1, 3) or (
        session.objective.allows(before) and not session.objective.allows(after)
    ):
        return ["On the held-out clips it is worse than the settings as they are: it fits the development clips alone."]
    return [f"On the held-out clips: F1 {before.f1:.3f} → {after.f1:.3f}."]


def _whole(session: Session, trial: Trial) -> Figures:
    return together(session.held_out[trial.setting])


def _cells(figures: Figures, before: Figures, *, allowed: bool) -> list[str]:
    precision = f"{figures.precision:.3f}"
    change = round(figures.f1, 3) - round(before.f1, 3)
    return [
        f"{figures.f1:.3f}",
        f"{change:+.3f}" if abs(change) >= 0.0005 else "",
        precision if allowed else f"[red]{precision} low[/red]",
        f"{figures.recall:.3f}",
        f"{figures.seconds:.1f}",
    ]


def _describe(changed: Overrides) -> str:
    return ", ".join(assignments(changed)) or _PRESENT


def _signed(seconds: float) -> str:
    return f"{seconds:+.1f}" if seconds else ""
