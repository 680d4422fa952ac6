"""The search for options: in which order settings are tried, and which of those tried is the best.

What a setting comes to is found out by whoever searches (``detect/option_trials.py`` does it by running the pipeline);
here is only what follows from it.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from detect.errors import ConfigError
from detect.option_choices import Choice, Setting, present_setting
from detect.option_trials import Figures

SearchKind = Literal["one-by-one", "grid", "random"]
SEARCHES: tuple[SearchKind, ...] = get_args(SearchKind)

_PASSES = 3
_RANDOM_TRIALS = 20
_LARGEST_GRID = 2000
_DECIMALS = 3  # of F1: less is a matter of single frames
_FASTER = 1.1


@dataclass(frozen=True)
class Trial:
    """A setting that was tried, and what it came to. Number 0 is the setting as it is at present."""

    number: int
    setting: Setting
    figures: Figures


@dataclass(frozen=True)
class Objective:
    """What is wanted: the best F1 among settings whose precision is at least ``min_precision``.

    Of settings that are as good (F1 to three decimals) the cheaper is better, then the one that is faster by a tenth,
    then the one that changes fewer options. Where none is as precise as wanted, the most precise is the best.
    """

    min_precision: float = 0.95

    def allows(self, figures: Figures) -> bool:
        """Precision counts as it is shown."""
        return round(figures.precision, _DECIMALS) >= self.min_precision

    def best(self, trials: Iterable[Trial], choices: Sequence[Choice]) -> Trial:
        """Raises ``ValueError`` where nothing was tried."""
        return min(trials, key=lambda trial: self._rank(trial, choices))

    def front(self, trials: Iterable[Trial], choices: Sequence[Choice]) -> list[Trial]:
        """The Pareto front of F1 against seconds: allowed trials from the fastest on, each better than all before.

        Of those that are equal, F1 to three decimals and time to a tenth, the one that changes fewer options is on it.
        """
        front: list[Trial] = []
        for trial in sorted(trials, key=lambda one: (_speed(one), -_f1(one), _changed(one, choices), one.number)):
            if self.allows(trial.figures) and (not front or _f1(trial) > _f1(front[-1])):
                front.append(trial)
        return front

    def _rank(self, trial: Trial, choices: Sequence[Choice]) -> tuple[float, ...]:
        figures = trial.figures
        allowed = self.allows(figures)
        return (
            0 if allowed else 1,
            0 if allowed else -round(figures.precision, _DECIMALS),
            -_f1(trial),
            float(figures.usd),
            _speed(trial),
            _changed(trial, choices),
            trial.number,
        )


@dataclass
class Search:
    """Tries settings: the present one first, then at most ``most`` others.

    ``one-by-one`` tries each option's values with all others at the best known, in the order of the pipeline, and goes
    through the options again while that makes anything better; ``grid`` tries every combination, ``random`` some of
    them, drawn by ``seed``. ``evaluate`` tells what a setting comes to and may raise, which ends the search: ``trials``
    are those evaluated until then. The same arguments and figures give the same search.
    """

    choices: Sequence[Choice]
    objective: Objective
    evaluate: Callable[[Setting], Figures]
    kind: SearchKind = "one-by-one"
    most: int | None = None
    seed: int = 0
    trials: list[Trial] = field(default_factory=list)

    @property
    def best(self) -> Trial:
        return self.objective.best(self.trials, self.choices)

    @property
    def at_most(self) -> int:
        """How many settings can be tried, the present one among them."""
        if self.kind == "grid":
            return _grid_size(self.choices) + (present_setting(self.choices) not in self._grid())
        if self.kind == "random":
            return 1 + self._random_size
        passes = 1 if len(self.choices) == 1 else _PASSES
        tried = passes * sum(len(choice.tried) for choice in self.choices)
        others = math.prod(len(choice.values) for choice in self.choices) - 1
        return 1 + min(tried, others, others if self.most is None else self.most)

    def run(self) -> Trial:
        """Try what there is to try; the best setting."""
        self._try(present_setting(self.choices))
        settings = {"one-by-one": self._one_by_one, "grid": self._grid, "random": self._random}[self.kind]()
        tried = {present_setting(self.choices)}
        for setting in settings:
            if setting in tried:
                continue
            if self.most is not None and len(self.trials) > self.most:
                break
            tried.add(setting)
            self._try(setting)
        return self.best

    def _try(self, setting: Setting) -> None:
        self.trials.append(Trial(len(self.trials), setting, self.evaluate(setting)))

    def _one_by_one(self) -> Iterator[Setting]:
        for _ in range(_PASSES):
            before = self.best.setting
            for place, choice in enumerate(self.choices):
                held = self.best.setting
                for position in choice.tried:
                    yield (*held[:place], position, *held[place + 1 :])
            if self.best.setting == before:
                return

    def _grid(self) -> Iterator[Setting]:
        return itertools.product(*(choice.tried for choice in self.choices))

    def _random(self) -> Iterator[Setting]:
        drawn = random.Random(self.seed).sample(range(_grid_size(self.choices)), self._random_size)  # noqa: S311 - no secret
        for number in drawn:
            setting, left = [], number
            for choice in reversed(self.choices):
                left, position = divmod(left, len(choice.tried))
                setting.append(choice.tried[position])
            yield tuple(reversed(setting))

    @property
    def _random_size(self) -> int:
        return min(_grid_size(self.choices), self.most or _RANDOM_TRIALS)


def _f1(trial: Trial) -> float:
    return round(trial.figures.f1, _DECIMALS)


def _speed(trial: Trial) -> int:
    """Steps of a tenth: work that takes about as long is as fast, whatever else the machine did meanwhile."""
    return round(math.log(max(trial.figures.seconds, 0.001), _FASTER))


def _changed(trial: Trial, choices: Sequence[Choice]) -> int:
    return sum(position != choice.present for position, choice in zip(trial.setting, choices, strict=True))


def _grid_size(choices: Sequence[Choice]) -> int:
    return math.prod(len(choice.tried) for choice in choices)


def check_grid(choices: Sequence[Choice], most: int | None) -> None:
    """Raises ``ConfigError`` for a grid of more than ``most`` settings, or too many to be gone through."""
    size, most = _grid_size(choices), _LARGEST_GRID if most is None else most
    if size > most:
        raise ConfigError(
            f"the grid has {size} settings, more than {most}: give fewer values, or --search random --trials {most}"
        )


def by_stage(trials: Iterable[Trial]) -> list[Trial]:
    """The present setting, then in the order of the first stage's values, within each of the next stage's, …"""
    return sorted(trials, key=lambda trial: (trial.number > 0, trial.setting))
