"""The video with what was found drawn into it, as a stage has made it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from detect.artifacts.base import Artifact, FinishedRun
from detect.stages.encode_video import EncodeVideoOutput


def write(run: FinishedRun, folder: Path) -> list[Artifact]:  # noqa: ARG001 - nothing is written: it is stored
    """``annotated.mp4``, unless there was no frame to make it of. ``start`` is when its first frame is shown."""
    made: EncodeVideoOutput = run.output("encode_video")
    meta = {"frames": made.frames, "sound": made.sound, "start": round(float(Fraction(made.start)), 6)}
    return [Artifact("video", "annotated", "annotated.mp4", meta, stored=file) for file in made.files]
