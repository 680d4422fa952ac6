"""Pipelines that stop or die where a test says so, and leave the files that it names.

In the folder that ACTING_FOLDER names, a file ``die.MOMENT`` kills the worker and the process that computes for it,
once; ``hold`` holds every stage while it is there. ``journal`` has a line for each stage that was begun. Moments, where
VIDEO is the name of one:

``asked``
    an engine's job was asked for, and its batch does not know of it yet
``stage``
    in the middle of a stage
``VIDEO.files``
    one of two files is written
``VIDEO.rows``
    all files are written, and none is listed
``manifest`` and ``commit``
    the rows are written, without and with the manifest, and neither is committed
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from detect.artifacts.base import Artifact, ArtifactType, FinishedRun
from detect.stages.base import StageContext
from detect.stages.run_entry_point import Annotation
from tests.annotation.toy import First, FirstInput, FirstOutput

PIPELINES = Path(__file__).parent / "acting_pipelines"
_KINDS: dict[str, ArtifactType] = {".vtt": "vtt", ".png": "png", ".mp4": "video", ".csv": "csv"}


class Acting(First):
    """What it gives is the video's size, so that each video has other files."""

    def run(self, ctx: StageContext, data: FirstInput) -> FirstOutput:
        name = Path(ctx.source.path).name
        _note(f"{name} {os.getpid()}")
        _die("stage")
        while _told("hold"):
            ctx.checkpoint()
            time.sleep(0.02)
        return FirstOutput(text=str(Path(data.video.path).stat().st_size))


def write_two(run: FinishedRun, folder: Path) -> list[Artifact]:
    for role in ("one", "two"):
        (folder / f"{role}.csv").write_text(f"{role},{run.name},{run.output('first').text}\n")
    return [Artifact("csv", role, f"{role}.csv") for role in ("one", "two")]


def leave(work: Annotation) -> list[Artifact]:
    names = work.params["names"].split("|")
    for name in names:
        (work.folder / name).parent.mkdir(parents=True, exist_ok=True)
        with (work.folder / name).open("wb") as file:
            file.write(f"{name} of {work.source.sha256}".encode())
            if work.params["megabytes"]:
                file.truncate(work.params["megabytes"] << 20)
    return [Artifact(_KINDS.get(Path(name).suffix, "json"), "left", name) for name in names]


def _told(name: str) -> bool:
    return "ACTING_FOLDER" in os.environ and (Path(os.environ["ACTING_FOLDER"]) / name).exists()


def _note(line: str) -> None:
    if "ACTING_FOLDER" in os.environ:
        with (Path(os.environ["ACTING_FOLDER"]) / "journal").open("a") as journal:
            journal.write(f"{line}\n")


def _die(moment: str) -> None:
    if _told(f"die.{moment}"):
        (Path(os.environ["ACTING_FOLDER"]) / f"die.{moment}").unlink()
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


def _acting(
    module: Any, name: str, *, before: Callable[..., str] | None = None, after: Callable[..., str] | None = None
) -> None:
    """Have a function of a module die before or after what it does."""
    act = getattr(module, name)

    @wraps(act)
    def acted(*arguments: Any, **named: Any) -> Any:
        if before is not None:
            _die(before(*arguments))
        done = act(*arguments, **named)
        if after is not None:
            _die(after(*arguments))
        return done

    setattr(module, name, acted)


def _act_in_worker() -> None:
    """A worker's process loads these pipelines, and this module with them."""
    from jobs.annotation import exporting, preparing

    _acting(preparing, "job_submit", after=lambda: "asked")
    _acting(exporting, "store_file", after=lambda file, key: f"{key.split('/')[2]}.files")
    _acting(exporting, "_end", before=lambda run, *_: f"{run.video.path}.rows")
    _acting(exporting, "manifest_write", before=lambda job: "manifest", after=lambda job: "commit")


if "ACTING_FOLDER" in os.environ:
    _act_in_worker()
