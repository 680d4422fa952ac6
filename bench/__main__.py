"""``python -m bench``: measure, print, write ``bench/results.json``, say what changed."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console, RenderableType

from bench import results, tables
from bench.accuracy import measure_accuracy
from bench.footage import REAL, Clip, media_folder, real_clips, synthetic_match
from bench.jobpage import jobpage_tables, measure_jobpage
from bench.machine import Machine, commit, machine_facts
from bench.memory import measure_memory
from bench.pitstop import measure_pitstop, missing_footage, pitstop_tables
from bench.plan import PARTS, Plan, plan_of
from bench.promises import verdicts
from bench.replay import measure_replay
from bench.review import measure_review, review_table
from bench.scale import measure_scale
from bench.speed import measure_speed
from bench.tuning import measure_tuning
from bench.workers import measure_workers
from detect.errors import MediaprocError

_EPILOG = """
what is measured
  accuracy  seconds that are right, by brand, on real clips and synthetic matches, beside plain OCR
  speed     the whole process of analyze beside the whole process of plain OCR on the same clip, run in turn
  memory    the peak on a long video beside that on a short one
  replay    what trying another setting costs in time and in stored rows and bytes
  tuning    how long one stage on one frame takes over HTTP, with and without overlays
  scale     how long lists, a tree and a comparison take with 10,000 jobs and 1,000,000 sightings
  jobpage   how long a finished job's page takes to open in a browser, and how smoothly its timeline moves
  review    from a key to the next card painted in a browser, on a queue of 10,000 groups
  workers   two workers against one where a stage waits, and what the queue costs a chunk
  pitstop   drawing and encoding beside detection, memory on a long video, and the annotated video's timestamps

plain OCR is bench/plain_ocr.py: rapidocr as it comes on every frame at 2 fps, names compared by rapidfuzz.

examples
  make bench                                   everything; takes half an hour or more on two cores
  make bench ARGS=--quick                      a small taste of everything, in minutes
  make bench ARGS="--only speed --clips 'soccer*' --rounds 5"
  make bench ARGS="--only memory --minutes 2 20"
  MEDIAPROC_TEST_MEDIA=~/clips make bench ARGS="--only accuracy --levels none"
                                               your own clips: NAME.mp4, NAME.brands.csv, NAME.truth.json

Each run of analyze gets an installation of its own in a temporary folder. docs/benchmarks.md explains every figure.
"""

#: Length of the match that loads the models before a clip is analysed by the same process.
WARM_UP_SECONDS = 4.0

Say = Callable[[str], None]
Measurement = tuple[Any, RenderableType]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure accuracy, speed, memory, replay, tuning and scale on this machine, beside plain OCR.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--only", choices=PARTS, action="append", help="measure this part alone; may be given again")
    made.add_argument("--quick", action="store_true", help="shortest clip, one short match, 1 and 3 minutes, one round")
    made.add_argument("--clips", metavar="PATTERN", default="*", help="real clips whose names fit (default: all)")
    made.add_argument(
        "--levels", nargs="+", choices=("easy", "medium", "hard", "none"), help="synthetic levels (default: all three)"
    )
    made.add_argument("--seeds", nargs="+", type=int, metavar="N", help="synthetic matches a level (default: 1 2 3)")
    made.add_argument("--rounds", type=int, metavar="N", help="speed, pitstop: runs on a clip (default: 3)")
    made.add_argument("--minutes", nargs="+", type=float, metavar="M", help="memory: lengths (default: 2 20)")
    made.add_argument("--out", type=Path, metavar="FILE", help="results file (default: bench/results.json)")
    made.add_argument("--strict", action="store_true", help="exit with 1 when a promise is not kept")
    return made


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for; returns the exit code."""
    command_line = parser()
    output, progress = tables.consoles()
    try:
        plan = plan_of(command_line.parse_args(arguments))
        return _run(plan, output, lambda text: progress.print(text, style="dim", highlight=False))
    except MediaprocError as error:
        progress.print(f"Error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        progress.print("Stopped; parts that were finished are in the results file.")
        return 130


def _run(plan: Plan, output: Console, say: Say) -> int:
    machine = machine_facts()
    output.print(tables.machine_line(machine))
    before = results.read(plan.out)
    measured: dict[str, results.Section] = {}
    for part in plan.parts:
        found = _measure(part, plan, say)
        if found is None:
            why = missing_footage(media_folder()) if part == "pitstop" else _no_clips(plan)
            output.print(f"{part}: skipped. {why}", soft_wrap=True)
            continue
        figures, table = found
        output.print(table)
        measured[part] = _section(figures, plan.settings(part), machine)
        # written part by part: what was measured in an hour is not lost to the next part's error
        results.write(plan.out, results.updated(before, measured))
    first = not results.comparable(before, measured)
    output.print(tables.change_table(results.changes(before, measured), first=first))
    judged = verdicts(measured, full=not plan.quick)
    output.print(tables.promise_table(judged))
    output.print(f"Written to {plan.out}", soft_wrap=True)
    return 1 if plan.strict and not all(item.kept for item in judged) else 0


def _measure(part: str, plan: Plan, say: Say) -> Measurement | None:
    """One part; None where it needs real clips and there are none."""
    if part == "pitstop":
        return _pitstop(plan, say)
    if part == "jobpage":
        jobpage = measure_jobpage(quick=plan.quick, progress=say)
        return jobpage, jobpage_tables(jobpage)
    if part == "workers":
        workers = measure_workers(quick=plan.quick, progress=say)
        return workers, tables.workers_table(workers)
    if part == "review":
        review = measure_review(quick=plan.quick, progress=say)
        return review, review_table(review)
    if part == "scale":
        scale = measure_scale(requests=plan.requests, progress=say)
        return scale, tables.scale_tables(scale)
    if part == "accuracy":
        clips = [*_real(plan), *(_match(plan, level, seed, say) for level in plan.levels for seed in plan.seeds)]
        if not clips:
            return None
        _say_if_synthetic(part, clips, plan, say)
        accuracy = measure_accuracy(clips, progress=say)
        return accuracy, tables.accuracy_tables(accuracy)
    if part == "memory":
        memory = measure_memory(_match(plan, "medium", 1, say), minutes=plan.minutes, progress=say)
        return memory, tables.memory_tables(memory)
    clips = _real(plan) or [_match(plan, level, plan.seeds[0], say) for level in plan.levels[:1]]
    if not clips:
        return None
    _say_if_synthetic(part, clips, plan, say)
    if part == "speed":
        warm_up = synthetic_match("easy", 1, WARM_UP_SECONDS, work=plan.work)
        speed = measure_speed(clips, warm_up, rounds=plan.rounds, progress=say)
        return speed, tables.speed_tables(speed)
    longest = max(clips, key=lambda clip: clip.seconds)
    if part == "tuning":
        tuning = measure_tuning(longest, requests=plan.requests, progress=say)
        return tuning, tables.tuning_tables(tuning)
    replay = measure_replay(longest, progress=say)
    return replay, tables.replay_tables(replay)


def _pitstop(plan: Plan, say: Say) -> Measurement | None:
    if missing_footage(media_folder()):
        return None
    pitstop = measure_pitstop(media_folder(), rounds=plan.rounds, quick=plan.quick, progress=say)
    return pitstop, pitstop_tables(pitstop)


def _real(plan: Plan) -> list[Clip]:
    clips = [clip for clip in real_clips(media_folder()) if plan.wants(clip.name)]
    return [min(clips, key=lambda clip: clip.seconds)] if plan.quick and clips else clips


def _say_if_synthetic(part: str, clips: list[Clip], plan: Plan, say: Say) -> None:
    if not any(clip.group == REAL for clip in clips):
        say(f"{part}: synthetic matches only. {_no_clips(plan)}")


def _no_clips(plan: Plan) -> str:
    return (
        f"There is no real clip named {plan.clips!r} with .truth.json and .brands.csv in {media_folder()} "
        "(set MEDIAPROC_TEST_MEDIA)."
    )


def _match(plan: Plan, level: str, seed: int, say: Say) -> Clip:
    say(f"match: {level}, seed {seed}, {plan.match_seconds:g} s (rendered once)")
    return synthetic_match(level, seed, plan.match_seconds, work=plan.work)


def _section(figures: Any, settings: dict[str, Any], machine: Machine) -> results.Section:
    return results.Section(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=commit(),
        machine=machine,
        settings=settings,
        headlines=figures.headlines(),
        figures=msgspec.to_builtins(figures),
    )


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what it started is ended either way
    sys.exit(main())
