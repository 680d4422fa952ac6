"""A search over cases: each setting run on each of them, and at the end the best one on cases that were held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from detect.config import resolve
from detect.option_choices import Choice, Setting, changes, present_setting
from detect.option_search import Objective, Search, SearchKind, Trial
from detect.option_trials import Bench, Case, Figures, together
from detect.options import Overrides, merge


class Watch(Protocol):
    """Is told how far a search is."""

    def setting_started(self, changed: Overrides, cases: int, *, held_out: bool) -> None:
        """A setting is about to be run on so many cases, those that were ``held_out`` or the others."""

    def case_started(self, name: str) -> None: ...

    def setting_finished(self, changed: Overrides, figures: Figures) -> None: ...


@dataclass
class Session:
    """What is tried on which cases, and what came of it until now.

    ``profile`` and ``overrides`` are the present settings, over which the ``choices`` are tried. ``figures`` are those
    of each setting on each development case, in their order; ``held_out`` those of the present and the best setting on
    the cases that no choice was made by.
    """

    bench: Bench
    profile: str
    overrides: Overrides
    choices: Sequence[Choice]
    cases: Sequence[Case]
    held_out_cases: Sequence[Case]
    objective: Objective
    watch: Watch
    kind: SearchKind = "one-by-one"
    most: int | None = None
    seed: int = 0
    figures: dict[Setting, list[Figures]] = field(default_factory=dict)
    held_out: dict[Setting, list[Figures]] = field(default_factory=dict)
    finished: bool = False

    def __post_init__(self) -> None:
        self.search = Search(self.choices, self.objective, self._develop, self.kind, self.most, self.seed)

    @property
    def trials(self) -> list[Trial]:
        """What was tried until now, in that order; the present setting first."""
        return self.search.trials

    @property
    def present(self) -> Trial:
        return self.trials[0]

    @property
    def best(self) -> Trial:
        return self.search.best

    @property
    def front(self) -> list[Trial]:
        """The trials than which none is both as fast and as good."""
        return self.objective.front(self.trials, self.choices)

    @property
    def at_most(self) -> int:
        """How many settings are run at most, those on held-out cases counted too."""
        return self.search.at_most + (2 if self.held_out_cases else 0)

    def changes(self, trial: Trial) -> Overrides:
        """What a trial changes of the present settings."""
        return changes(trial.setting, self.choices)

    def anew(self, trial: Trial) -> float:
        """Seconds of the stages from the first that a trial changes on: what a replay of a finished job takes."""
        names = [stage.name for stage in self.bench.pipeline.stages]
        first = min((names.index(stage) for stage in self.changes(trial)), default=len(names))
        return sum(trial.figures.stages.get(name, 0.0) for name in names[first:])

    def run(self) -> None:
        """Search, then run what was held out. Raises what a stage raises; what was evaluated until then stays."""
        best = self.search.run()
        for setting in dict.fromkeys([present_setting(self.choices), best.setting]):
            if self.held_out_cases:
                self.held_out[setting] = self._evaluate(setting, self.held_out_cases, held_out=True)
        self.finished = True

    def _develop(self, setting: Setting) -> Figures:
        self.figures[setting] = self._evaluate(setting, self.cases, held_out=False)
        return together(self.figures[setting])

    def _evaluate(self, setting: Setting, cases: Sequence[Case], *, held_out: bool) -> list[Figures]:
        changed = changes(setting, self.choices)
        config = resolve(self.bench.pipeline, self.profile, merge(self.overrides, changed))
        self.watch.setting_started(changed, len(cases), held_out=held_out)
        figures = []
        for case in cases:
            self.watch.case_started(case.name)
            figures.append(self.bench.run(case, config))
        self.watch.setting_finished(changed, together(figures))
        return figures
