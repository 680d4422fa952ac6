"""The stages of the pit-stop pipeline, which note what they begin, and stop or die where a test says so.

In the folder that ACTING_FOLDER names, ``journal`` gets a line ``stage.unit pid`` for each unit that is begun. A file
``stage.unit.moment`` there says what is done at that moment (:class:`Does`); ``….held`` appears while it holds.

Moments: ``working`` in the middle of a unit; ``drafted`` when it has made its file and not kept it; ``kept`` when the
file is in storage and the output that names it is not.
"""

from __future__ import annotations

import os
import re
import signal
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from detect.stages import detect_each_frame, encode_video, extract_frames, render_overlays, time_zones, track_objects
from detect.stages.base import FileStore, StageContext
from detect.types import StoredFile
from mediaproc.datafolder import PROJECT_ROOT

_BUILT_IN = PROJECT_ROOT / "detect" / "pipelines" / "pitstop.yaml"


class Does(StrEnum):
    DIE = "die"  # kills its process, once
    HOLD = "hold"  # goes on when the file is gone, and can be stopped meanwhile
    SLEEP = "sleep"  # the same, deaf to being stopped


def acting_pipeline(folder: Path) -> None:
    """Write the pipeline as it is, with these stages, into a folder of pipelines."""
    (folder / "pitstop.yaml").write_text(re.sub(r"detect\.stages\.\w+:", f"{__name__}:", _BUILT_IN.read_text()))


def _acting(kind: Any) -> Any:
    class Acting(kind):
        def run(self, ctx: StageContext, data: Any) -> Any:
            unit = _folder() / f"{self.name}.{0 if ctx.chunk is None else ctx.chunk.index}"
            with (_folder() / "journal").open("a") as journal:
                journal.write(f"{unit.name} {os.getpid()}\n")

            def progress(done: int, total: int) -> None:
                ctx.progress(done, total)
                if 2 * done >= total:
                    _act(unit, "working", ctx)

            files = None if ctx.files is None else _Files(ctx.files, unit, ctx)
            return super().run(replace(ctx, progress=progress, files=files), data)

    Acting.__doc__ = kind.__doc__
    return Acting


@dataclass(frozen=True)
class _Files:
    """The files of a unit, with the moments around one being kept."""

    files: FileStore
    unit: Path
    ctx: StageContext

    def draft(self, suffix: str) -> AbstractContextManager[Path]:
        return self.files.draft(suffix)

    def folder(self) -> AbstractContextManager[Path]:
        return self.files.folder()

    def keep(self, draft: Path) -> StoredFile:
        _act(self.unit, "drafted", self.ctx)
        kept = self.files.keep(draft)
        _act(self.unit, "kept", self.ctx)
        return kept

    def local(self, file: StoredFile) -> AbstractContextManager[Path]:
        return self.files.local(file)


def _act(unit: Path, moment: str, ctx: StageContext) -> None:
    told = unit.with_name(f"{unit.name}.{moment}")
    does = _read(told)
    if does == Does.DIE:
        told.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    while _read(told):
        told.with_name(f"{told.name}.held").touch()
        time.sleep(0.02)
        if does == Does.HOLD:
            ctx.checkpoint()


def _read(told: Path) -> str:
    try:
        return told.read_text()
    except FileNotFoundError:
        return ""


def _folder() -> Path:
    return Path(os.environ["ACTING_FOLDER"])


ExtractFrames = _acting(extract_frames.ExtractFrames)
DetectEachFrame = _acting(detect_each_frame.DetectEachFrame)
TrackObjects = _acting(track_objects.TrackObjects)
TimeZones = _acting(time_zones.TimeZones)
RenderOverlays = _acting(render_overlays.RenderOverlays)
EncodeVideo = _acting(encode_video.EncodeVideo)
