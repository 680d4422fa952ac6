"""Speed: the whole process of ``analyze`` beside the whole process of plain OCR, run in turn."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from statistics import median

import msgspec

from bench.accuracy import read_plain
from bench.footage import Clip
from bench.installation import Analysis, installation
from bench.process import Measured
from bench.results import Headline
from detect.report import Report


class Round(msgspec.Struct, frozen=True):
    """One run of each, one right after the other; seconds of wall and of processor time.

    ``work`` leaves start-up and loading out: the stages of ours, the loop over the frames of plain OCR.
    """

    ours_wall: float
    ours_cpu: float
    ours_work: float
    plain_wall: float
    plain_cpu: float
    plain_work: float


class ClipSpeed(msgspec.Struct, frozen=True):
    """One clip of ``seconds``. Ratios are ours / plain, of the medians over the rounds.

    ``start_up`` is the time until the first stage begins, with the database running, or ``start_up_cold`` with its
    start included. ``loaded_work`` is that of a process that has analysed another video before, so that its models are
    loaded as plain OCR's are, and ``loaded_ratio`` is it over plain's. ``second_wall`` and ``second_work`` are the same
    command once more, when everything is stored; ``second_share`` is that work as a share of the first run's,
    ``second_ran`` the stages that it computed anew.
    """

    seconds: float
    rounds: list[Round]
    wall_ratio: float
    cpu_ratio: float
    work_ratio: float
    loaded_work: float
    loaded_ratio: float
    real_time: float
    stages: dict[str, float]
    start_up: float
    start_up_cold: float
    second_wall: float
    second_work: float
    second_share: float
    second_ran: list[str]


class SpeedFigures(msgspec.Struct, frozen=True):
    """Clips by name."""

    clips: dict[str, ClipSpeed]

    def headlines(self) -> dict[str, Headline]:
        """What to compare from one measurement to the next: ratios first, for seconds depend on the machine."""
        lines = {}
        for name, clip in self.clips.items():
            lines[f"{name}: wall against plain"] = Headline(clip.wall_ratio, "×", "lower")
            lines[f"{name}: work against plain"] = Headline(clip.work_ratio, "×", "lower")
            lines[f"{name}: work against plain, models loaded"] = Headline(clip.loaded_ratio, "×", "lower")
            lines[f"{name}: processor time against plain"] = Headline(clip.cpu_ratio, "×", "lower")
            lines[f"{name}: start-up, database up"] = Headline(clip.start_up, "s", "lower")
            lines[f"{name}: second run, share of the work"] = Headline(clip.second_share, "share", "lower")
        return lines


def measure_speed(
    clips: Iterable[Clip], warm_up: Clip, *, rounds: int, progress: Callable[[str], None]
) -> SpeedFigures:
    """Alternate both readers ``rounds`` times on each clip, ours in a new installation each time, servers down.

    Once more each clip is analysed after ``warm_up``, in one process.
    """
    return SpeedFigures({clip.name: _measure_clip(clip, warm_up, rounds, progress) for clip in clips})


def _measure_clip(clip: Clip, warm_up: Clip, rounds: int, progress: Callable[[str], None]) -> ClipSpeed:
    done: list[Round] = []
    analyses: list[Analysis] = []
    second: Analysis | None = None
    for number in range(rounds):
        progress(f"speed: {clip.name}, round {number + 1} of {rounds}")
        plain = read_plain(clip)[1] if number % 2 else None  # every other round the other way round
        with installation() as here:
            first = here.analyze(clip.video, clip.brands, logos=clip.logos)
            if number == rounds - 1:
                with here.database_up():
                    second = here.analyze(clip.video, clip.brands, logos=clip.logos)
        plain = plain or read_plain(clip)[1]
        analyses.append(first)
        done.append(_round(first, plain))
    assert second is not None, "there is at least one round"
    progress(f"speed: {clip.name}, models loaded")
    with installation() as here:
        loaded = here.analyze_after(warm_up.video, warm_up.brands, clip.video, clip.brands, logos=clip.logos)
    return _figures(clip, done, analyses, second, stage_seconds(loaded))


def stage_seconds(report: Report) -> float:
    """Seconds of all stages of a run."""
    return round(sum(stage.seconds for stage in report.stages), 3)


def _round(ours: Analysis, plain: Measured) -> Round:
    return Round(
        ours_wall=round(ours.measured.wall, 3),
        ours_cpu=round(ours.measured.cpu, 3),
        ours_work=stage_seconds(ours.report),
        plain_wall=round(plain.wall, 3),
        plain_cpu=round(plain.cpu, 3),
        plain_work=float(json.loads(plain.output)["work_seconds"]),
    )


def _figures(
    clip: Clip, rounds: list[Round], analyses: list[Analysis], second: Analysis, loaded_work: float
) -> ClipSpeed:
    names = [stage.stage for stage in analyses[0].report.stages]
    seconds = [{stage.stage: stage.seconds for stage in analysis.report.stages} for analysis in analyses]
    return ClipSpeed(
        seconds=round(clip.seconds, 3),
        rounds=rounds,
        wall_ratio=ratio(rounds, "wall"),
        cpu_ratio=ratio(rounds, "cpu"),
        work_ratio=ratio(rounds, "work"),
        loaded_work=loaded_work,
        loaded_ratio=loaded_work / median(item.plain_work for item in rounds),
        real_time=median(item.ours_wall for item in rounds) / clip.seconds,
        stages={name: round(median(run[name] for run in seconds), 3) for name in names},
        start_up=round(second.start_up, 3),
        start_up_cold=round(median(analysis.start_up for analysis in analyses), 3),
        second_wall=round(second.measured.wall, 3),
        second_work=round(second.work, 3),
        second_share=second.work / median(analysis.work for analysis in analyses),
        second_ran=[stage.stage for stage in second.ran],
    )


def ratio(rounds: list[Round], part: str) -> float:
    """Median of ours / median of plain, for ``wall``, ``cpu`` or ``work``."""
    ours = median(getattr(item, f"ours_{part}") for item in rounds)
    plain = median(getattr(item, f"plain_{part}") for item in rounds)
    return float(ours / plain) if plain else float("inf")
