"""``python -m tests.faults.soak --faults 50 --seed 1 --workers 2``: many faults over several jobs at once.

Prints each fault as it is made and a table at the end; exit code 1 when a promise was broken: a job that did not
complete, a report that differs from that of the same work undisturbed, a unit computed again without a kill, a question
charged twice, or a fault after which nothing went on within half a minute.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from tests.engines.tiny_onnx import constant_network
from tests.faults.footage import emblem, match_clip
from tests.faults.installation import comparable
from tests.faults.kinds import KINDS, Fault, strike
from tests.faults.system import System, running_system, wait_until

AT_ONCE = 3
_CALM = 600.0

Work = tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description="Many faults, and what they did.")
    parser.add_argument("--faults", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    console = Console(width=120)
    with tempfile.TemporaryDirectory(prefix="mediaproc-soak-") as folder:
        clip, weights = _footage(Path(folder))
        console.print(f"seed {options.seed}: {options.faults} faults over {AT_ONCE} jobs at once")
        with running_system(clip, weights, workers=options.workers, think=0.4) as system:
            faults, works = _strike(system, options, console)
            struck = {job: _report(system, job) for job in works}
            broken = _counted(system, faults, console)
        console.print("the same work undisturbed …")
        with running_system(clip, weights, workers=options.workers) as system:
            broken += _compared(system, works, struck)
    console.print(_table(faults))
    for line in broken:
        console.print(f"BROKEN: {line}", style="red")
    console.print("every promise was kept" if not broken else f"{len(broken)} promises were broken")
    return 1 if broken else 0


def _strike(system: System, options: argparse.Namespace, console: Console) -> tuple[list[Fault], dict[str, Work]]:
    """Make the faults while jobs run, and wait for the end of all jobs. Returns what each job was asked to do."""
    dice = random.Random(options.seed)
    kinds = list(KINDS) * (options.faults // len(KINDS)) + dice.sample(list(KINDS), options.faults % len(KINDS))
    dice.shuffle(kinds)
    works: dict[str, Work] = {}
    parent, faults = "", []
    for number, kind in enumerate(kinds, start=1):
        parent = _keep_busy(system, dice, works, parent)
        time.sleep(dice.uniform(0.2, 2.0))
        fault = strike(system, kind, dice)
        faults.append(fault)
        console.print(f"{number:3} {kind:12} went on after {fault.recovery:5.1f} s; jobs {len(works)}")
    wait_until(lambda: not system.unfinished(), _CALM, "jobs do not end")
    return faults, works


def _keep_busy(system: System, dice: random.Random, works: dict[str, Work], parent: str) -> str:
    """Submit jobs until enough of them run; returns the first that can be replayed."""
    while len(system.unfinished()) < AT_ONCE:
        completed = [str(job["id"]) for job in system.jobs() if job["status"] == "completed"]
        parent = parent or next((job for job in completed if len(works[job]) == 1), "")
        work = _new_work(dice, set(works.values()), replay=bool(parent))
        job = system.submit(*work) if len(work) == 1 else system.replay(parent, *work)
        works[job] = work
        if len(work) == 1 and not parent:
            wait_until(lambda: system.held() or not system.unfinished(), 60, "nothing begins")
    return parent


def _new_work(dice: random.Random, done: set[Work], *, replay: bool) -> Work:
    """Something that was not asked for yet: settings of a whole run, or the stage and the settings of a replay."""
    while True:
        if not replay or dice.random() < 0.35:
            work: Work = (f"extract_frames.jpeg_quality={dice.randint(60, 99)}",)
        else:
            similarity = dice.randint(8000, 9500)
            work = dice.choice(
                [
                    ("match_brands", f"match_brands.min_similarity=0.{similarity}"),
                    ("run_ocr", f"run_ocr.detect_side={480 + 32 * dice.randint(1, 4)}"),
                ]
            )
        if work not in done:
            return work


def _report(system: System, job: str) -> dict[str, bytes]:
    return comparable(system.report(job))


def _counted(system: System, faults: list[Fault], console: Console) -> list[str]:
    """What is wrong with states, units and questions."""
    jobs = system.jobs()
    broken = [
        f"job {job['id']} is {job['status']}: {job['error_message']}" for job in jobs if job["status"] != "completed"
    ]
    hits = sum(fault.hit for fault in faults)
    redone = system.lost()
    if redone > hits:
        broken.append(f"{redone} units were begun again, {hits} kills hit a unit")
    asked, billed = len(system.models.asks), len(system.billed())
    distinct = len(set(system.questions()))
    if billed != distinct:
        broken.append(f"{billed} questions were charged, {distinct} were different ones")
    if asked > billed + hits:
        broken.append(f"{asked} questions were asked for {billed} answers, {hits} kills hit a unit")
    outages = system.left().total()
    console.print(
        f"{len(jobs)} jobs; {system.done().total()} units computed; {redone} more were lost to a kill, "
        f"{outages} put off by an outage; {asked} questions asked, {billed} billed"
    )
    return broken


def _compared(system: System, works: dict[str, Work], struck: dict[str, dict[str, bytes]]) -> list[str]:
    """Do the same work undisturbed; what differs."""
    broken, parent = [], ""
    for job, work in works.items():
        calm = system.submit(*work) if len(work) == 1 else system.replay(parent, *work)
        parent = parent or calm
        wait_until(lambda: not system.unfinished(), _CALM, "a job does not end")
        if _report(system, calm) != struck[job]:
            broken.append(f"the report of job {job} ({' '.join(work)}) is not that of an undisturbed run")
    return broken


def _table(faults: list[Fault]) -> Table:
    table = Table(title="Seconds until work went on", title_justify="left")
    for heading in ("fault", "times", "median", "longest", "units it may have cost"):
        table.add_column(heading, justify="left" if heading == "fault" else "right")
    rows: list[tuple[str, list[Fault]]] = [(kind, [one for one in faults if one.kind == kind]) for kind in KINDS]
    for name, found in [*rows, ("all", faults)]:
        if found:
            seconds = [one.recovery for one in found]
            figures: list[Any] = [
                f"{statistics.median(seconds):.1f}",
                f"{max(seconds):.1f}",
                sum(one.hit for one in found),
            ]
            table.add_row(name, str(len(found)), *map(str, figures))
    return table


def _footage(folder: Path) -> tuple[Path, Path]:
    clip = match_clip(folder / "match.mp4")
    cv2.imwrite(str(folder / "emblem.png"), emblem())
    boxes = np.zeros((1, 5, 84), np.float32)
    boxes[0, :, 0] = (54, 40, 16, 20, 0.9)
    weights = folder / "people.onnx"
    weights.write_bytes(
        constant_network(boxes, metadata={"names": "{0: 'person'}", "imgsz": "[64, 64]", "stride": "32"})
    )
    return clip, weights


if __name__ == "__main__":
    sys.exit(main())
