"""What a search came to, as a document for programs and as a table of trials."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from detect.errors import ConfigError
from detect.exports.files import write_atomic
from detect.option_choices import Setting
from detect.option_search import Trial, by_stage
from detect.option_session import Session
from detect.option_trials import Case, Figures, together
from detect.providers.budget import as_text

SCHEMA = "mediaproc.tuning/1"
_SUFFIXES = (".json", ".csv")


def check_results_path(path: Path) -> None:
    """Raises ``ConfigError`` for a file that results cannot be written into."""
    if path.suffix.lower() not in _SUFFIXES:
        raise ConfigError(f"--out {path}: results are written as {' or '.join(_SUFFIXES)}, by the end of the name")
    if not path.parent.is_dir():
        raise ConfigError(f"--out {path}: there is no folder {path.parent}")


def write_results(path: Path, session: Session) -> None:
    """The results as JSON or CSV, whichever the name of the file ends in. Raises ``StorageError``."""
    body = results_csv(session) if path.suffix.lower() == ".csv" else results_json(session)
    write_atomic(path, body.encode())


def results_json(session: Session) -> str:
    """Everything that is known: settings, figures by clip and brand, seconds by stage, and what was held out."""
    return json.dumps(_document(session), indent=1, ensure_ascii=False) + "\n"


def results_csv(session: Session) -> str:
    """A line a trial: a column for each option that was tried, then the figures of all development clips together."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [choice.name for choice in session.choices]
    writer.writerow(["trial", *names, "f1", "precision", "recall", "seconds", "usd", "allowed", "front", "best"])
    front = {trial.number for trial in session.front}
    for trial in by_stage(session.trials):
        values = [
            _cell(choice.values[position]) for choice, position in zip(session.choices, trial.setting, strict=True)
        ]
        figures = _figures(trial.figures)
        writer.writerow(
            [
                trial.number,
                *values,
                *(figures[name] for name in ("f1", "precision", "recall", "seconds", "usd")),
                _yes(session.objective.allows(trial.figures)),
                _yes(trial.number in front),
                _yes(trial is session.best),
            ]
        )
    return text.getvalue()


def _document(session: Session) -> dict[str, Any]:
    trials = session.trials
    return {
        "schema": SCHEMA,
        "finished": session.finished,
        "pipeline": session.bench.pipeline.key,
        "profile": session.profile,
        "overrides": session.overrides,
        "search": session.kind,
        "seed": session.seed,
        "min_precision": session.objective.min_precision,
        "tried": {
            choice.name: {
                "present": msgspec.to_builtins(choice.values[choice.present]),
                "values": [msgspec.to_builtins(choice.values[position]) for position in choice.tried],
            }
            for choice in session.choices
        },
        "best": session.best.number if trials else None,
        "front": [trial.number for trial in session.front],
        "trials": [_trial(session, trial) for trial in by_stage(trials)],
        "held_out": [
            {"trial": _number(trials, setting), **_all(session.held_out_cases, figures)}
            for setting, figures in session.held_out.items()
        ],
    }


def _trial(session: Session, trial: Trial) -> dict[str, Any]:
    return {
        "trial": trial.number,
        "changes": session.changes(trial),
        "allowed": session.objective.allows(trial.figures),
        "replay_seconds": round(session.anew(trial), 3),
        **_all(session.cases, session.figures[trial.setting]),
    }


def _all(cases: Sequence[Case], figures: Sequence[Figures]) -> dict[str, Any]:
    clips = {case.name: _clip(one) for case, one in zip(cases, figures, strict=True)}
    whole = together(figures)
    return {**_figures(whole), "incomplete": whole.incomplete, "stages": whole.stages, "clips": clips}


def _clip(figures: Figures) -> dict[str, Any]:
    brands = {
        brand.brand: {
            "true": round(brand.true_seconds, 3),
            "reported": round(brand.reported_seconds, 3),
            "correct": round(brand.correct_seconds, 3),
        }
        for brand in figures.brands
    }
    return {**_figures(figures), "stages": figures.stages, "brands": brands}


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "f1": round(figures.f1, 4),
        "precision": round(figures.precision, 4),
        "recall": round(figures.recall, 4),
        "seconds": round(figures.seconds, 3),
        "usd": as_text(figures.usd),
    }


def _number(trials: Sequence[Trial], setting: Setting) -> int:
    return next(trial.number for trial in trials if trial.setting == setting)


@dataclass(frozen=True)
class Moved:
    """A brand of one clip that two settings report otherwise: by how many seconds more, right ones and wrong ones."""

    clip: str
    brand: str
    right: float
    wrong: float


def moved_brands(cases: Sequence[Case], before: Sequence[Figures], after: Sequence[Figures]) -> list[Moved]:
    """What ``after`` reports otherwise than ``before``, the largest gains first."""
    moved = []
    for case, old, new in zip(cases, before, after, strict=True):
        was, now = _by_brand(old), _by_brand(new)
        for name in sorted(was.keys() | now.keys()):
            (right, wrong), (right_now, wrong_now) = was.get(name, (0.0, 0.0)), now.get(name, (0.0, 0.0))
            moved.append(Moved(case.name, name, round(right_now - right, 2), round(wrong_now - wrong, 2)))
    return sorted((one for one in moved if one.right or one.wrong), key=lambda one: one.wrong - one.right)


def _by_brand(figures: Figures) -> dict[str, tuple[float, float]]:
    """Right and wrong seconds of each brand."""
    return {one.brand: (one.correct_seconds, one.reported_seconds - one.correct_seconds) for one in figures.brands}


def _cell(value: Any) -> Any:
    plain = msgspec.to_builtins(value)
    return json.dumps(plain) if isinstance(plain, list | dict | bool) else plain


def _yes(value: bool) -> str:  # noqa: FBT001 - one word for one fact
    return "yes" if value else ""
