"""``python -m bench.pitstop_job VIDEO ROUNDS``: pit-stop jobs run to their end in this process; prints their JSON.

Each round is a job of its own that finds nothing stored, and after it the video once more through a plain decoder and
the same encoder. ``ROUNDS`` of 0 is one job alone: what watches its memory sees nothing else.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from bench.pitstop_clips import Exactness, exactness

CHUNK_SECONDS = 5
#: Length and name of a box that players of MP4 step over, for 16 bytes of chance: a copy with one is another video, of
#: which nothing is stored.
_FREE_BOX = (24).to_bytes(4, "big") + b"free"
_ZONES = [
    {"name": "Lane", "points": [[0.05, 0.1], [0.45, 0.1], [0.45, 0.9], [0.05, 0.9]]},
    {"name": "Box", "points": [[0.5, 0.3], [0.95, 0.4], [0.9, 0.95], [0.55, 0.9]]},
]
_THRESHOLD = 0.4


class JobFigures(msgspec.Struct, frozen=True):
    """Seconds of a job's stages; ``objects`` were found in all ``frames`` together. ``plain`` is what copying took."""

    frames: int
    objects: int
    stages: dict[str, float]
    sound: str
    exact: Exactness | None = None
    plain: float | None = None

    @property
    def detecting(self) -> float:
        return self.stages["detect_each_frame"]

    @property
    def drawing(self) -> float:
        """Seconds for drawing, encoding and putting together."""
        return self.stages["render_overlays"] + self.stages["encode_video"]


def main(video: Path, rounds: int) -> list[JobFigures]:
    """The jobs' figures, in turn."""
    import django

    django.setup()
    from jobs.engine import engine_resources
    from mediaproc.services import prepare

    prepare()
    # so that no round is charged with loading it
    engine_resources().tracking_model().open()
    if not rounds:
        return [_run(video)[0]]
    done = []
    with tempfile.TemporaryDirectory(prefix="mediaproc-bench-pitstop-") as folder:
        for number in range(rounds):
            copy = Path(folder) / f"{number}{video.suffix}"
            shutil.copyfile(video, copy)
            with copy.open("ab") as file:
                file.write(_FREE_BOX + uuid4().bytes)
            figures, annotated = _run(copy)
            plain = _copy_plainly(copy, Path(folder) / "plain.mp4")
            exact = exactness(copy, annotated)
            done.append(msgspec.structs.replace(figures, exact=exact, plain=plain))
    return done


def _run(video: Path) -> tuple[JobFigures, Path]:
    """A job of the video, done now: its figures and its annotated video."""
    from detect.media.probe import probe
    from jobs.assets.intake import local_file
    from jobs.choices import PITSTOP
    from jobs.pitstop.selectors import finished_output
    from jobs.pitstop.services import PROFILE, pitstop_overrides
    from jobs.services import Order, asset_ensure, job_run, job_submit

    overrides = pitstop_overrides(zones=_ZONES, threshold=_THRESHOLD)
    overrides["extract_frames"] = {"chunk_seconds": CHUNK_SECONDS}
    job = job_submit(
        asset=asset_ensure(probed=probe(video)),
        video_path=str(video),
        profile=PROFILE,
        overrides=overrides,
        brands=None,
        pipeline_key=PITSTOP,
        order=Order(requested_by="command"),
    ).job
    listener = _Listener()
    job_run(job=job, listener=listener)
    job.refresh_from_db()
    annotated = local_file(finished_output(job).key)
    assert annotated is not None, "an installation of the benchmark keeps its files in its data folder"
    found, made = listener.stats["detect_each_frame"], listener.stats["encode_video"]
    figures = JobFigures(int(made["frames"]), int(found["objects"]), listener.seconds, str(made["sound"]))
    return figures, annotated


class _Listener:
    """Notes how long each stage took, and what it said."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.stats: dict[str, dict[str, Any]] = {}

    def stage_started(self, stage: str, index: int, units: int) -> None:
        return

    def stage_progress(self, stage: str, fraction: float) -> None:
        return

    def stage_finished(self, result: Any) -> None:
        assert not result.reused, "a round found the outputs of another"
        self.seconds[result.stage] = result.seconds
        self.stats[result.stage] = result.stats
        sys.stderr.write(f"{result.index + 1}/6 {result.stage}   {result.seconds:.3f} s\n")
        sys.stderr.flush()


def _copy_plainly(video: Path, target: Path) -> float:
    """Seconds in which a loop around a decoder and the encoder of annotated videos copies it: nothing is drawn."""
    import av

    from detect.media.picture_format import picture_format
    from detect.media.writing import SegmentWriter
    from detect.stages.render_overlays import RenderOverlaysOptions

    began = time.perf_counter()
    with (
        av.open(str(video)) as container,
        SegmentWriter(target, picture_format(video), quality=RenderOverlaysOptions().quality) as writer,
    ):
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            assert frame.pts is not None
            # else the encoder would make I-frames where the source has them
            frame.pict_type = 0
            writer.write(frame, frame.pts, frame.duration)
    return time.perf_counter() - began


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    sys.stdout.write(msgspec.json.encode(main(Path(sys.argv[1]), int(sys.argv[2]))).decode())
