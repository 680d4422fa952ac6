"""Pit stops: drawing and encoding beside detection, memory on a long video beside a short one, and exact times."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.installation import Installation, installation, stage_times
from bench.pitstop_clips import Exactness, Excerpt
from bench.pitstop_job import JobFigures
from bench.process import Measured, measure
from bench.results import Headline

#: Two real videos, and the frame from which on there is most to be drawn in each.
CARS, PEOPLE = "cars_intel_overhead", "person_intel_one_by_one"
_FROM = {CARS: 190, PEOPLE: 252}
#: What is usual, and the quickest there is: the less detection takes, the quicker drawing has to be.
WEIGHTS, QUICKEST = "yolov8n_int8_640.onnx", "yolox_nano_coco_416_fp32.onnx"
_WITHIN = 1800.0
_TIMES_LONGER = 8

_SPEED = {
    "720p": Excerpt(1280, 720, frames=50),
    "1080p": Excerpt(1920, 1080, frames=40),
    "4K": Excerpt(3840, 2160, frames=16),
}
_EXACT = {
    "constant rate": Excerpt(768, 432, frames=40),
    "variable rate": Excerpt(768, 432, frames=40, uneven=True),
    "rotated": Excerpt(768, 432, frames=40, turned=True),
    "with sound": Excerpt(768, 432, frames=100, sound=True),
}
_MEMORY = Excerpt(1280, 720, frames=100)


class ClipFigures(msgspec.Struct, frozen=True):
    """Frames a second on one clip, medians of its rounds: of detection alone, of drawing and encoding together, and of
    a plain copy. ``ratio`` is drawing and encoding over detection, ``plain_ratio`` over the plain copy.
    """

    weights: str
    frames: int
    objects_a_frame: float
    detecting: float
    drawing: float
    plain: float
    ratio: float
    plain_ratio: float
    rounds: list[JobFigures]


class LengthFigures(msgspec.Struct, frozen=True):
    """One length of video: most resident memory of all processes of a job together, and while each stage ran, bytes."""

    frames: int
    peak: int
    stages: dict[str, int]


class PitstopFigures(msgspec.Struct, frozen=True):
    """Clips by name; ``growth`` is the long video's peak over the short one's, minus 1; ``exact`` by kind of video."""

    clips: dict[str, ClipFigures]
    short: LengthFigures
    long: LengthFigures
    growth: float
    exact: dict[str, Exactness]
    sound: str

    def headlines(self) -> dict[str, Headline]:
        """What to compare from one measurement to the next."""
        lines = {}
        for name, clip in self.clips.items():
            lines[f"{name}: drawing and encoding against detection"] = Headline(clip.ratio, "×", "higher")
            lines[f"{name}: drawing and encoding against a plain copy"] = Headline(clip.plain_ratio, "×", "higher")
        lines["peak on the long video"] = Headline(self.long.peak / 1e6, "MB", "lower")
        lines["growth from the short video to the long one"] = Headline(self.growth, "share", "lower")
        for name, exact in self.exact.items():
            lines[f"{name}: frames lost or made up"] = Headline(abs(exact.frames - exact.source_frames), "", "lower")
            lines[f"{name}: largest timestamp error"] = Headline(exact.worst_ms, "ms", "lower")
        return lines


def missing_footage(media: Path) -> str:
    """What is not in ``media`` and is needed; empty where nothing is."""
    needed = [*(f"{name}.mp4" for name in _FROM), *(f"weights/{name}" for name in (WEIGHTS, QUICKEST))]
    missing = [name for name in needed if not (media / name).is_file()]
    return f"There is no {missing[0]} in {media} (set MEDIAPROC_TEST_MEDIA)." if missing else ""


def measure_pitstop(media: Path, *, rounds: int, quick: bool, progress: Callable[[str], None]) -> PitstopFigures:
    """Run pit-stop jobs on an installation of its own. Raises ``BenchError``."""
    with (
        tempfile.TemporaryDirectory(prefix="mediaproc-bench-pitstop-") as folder,
        installation() as here,
        here.database_up(),
    ):
        bench = _Bench(media, Path(folder), here, progress)
        clips = {}
        for name, weights in ((CARS, WEIGHTS),) if quick else ((CARS, WEIGHTS), (PEOPLE, WEIGHTS), (CARS, QUICKEST)):
            for size, excerpt in _SPEED.items():
                clips[f"{name}, {size}, {weights.split('_')[0]}"] = bench.speed(name, size, excerpt, weights, rounds)
        checked = {"4K": next(clip.rounds[0] for name, clip in clips.items() if "4K" in name)}
        for kind, excerpt in _EXACT.items():
            progress(f"pitstop: times, {kind}")
            (checked[kind],) = bench.jobs(bench.cut(CARS, excerpt), 1)
        source = bench.cut(PEOPLE, _MEMORY)
        short, long = (bench.memory(source, times) for times in (1, 3 if quick else _TIMES_LONGER))
    return PitstopFigures(
        clips=clips,
        short=short,
        long=long,
        growth=long.peak / short.peak - 1,
        exact={kind: job.exact for kind, job in checked.items() if job.exact is not None},
        sound=checked["with sound"].sound,
    )


@dataclass(frozen=True)
class _Bench:
    """Where to find footage, where to put clips, and the installation whose jobs are run."""

    media: Path
    work: Path
    here: Installation
    progress: Callable[[str], None]

    def cut(self, name: str, excerpt: Excerpt) -> Path:
        """A clip of a video, from where there is most to be drawn unless its sound is asked for."""
        placed = excerpt if excerpt.sound else msgspec.structs.replace(excerpt, first=_FROM[name])
        spec = msgspec.json.encode(placed).decode()
        target = self.work / f"{hashlib.sha256(f'{name} {spec}'.encode()).hexdigest()}.mp4"
        if not target.exists():
            source = self.media / f"{name}.mp4"
            measure([sys.executable, "-m", "bench.pitstop_clips", source, target, spec], timeout=_WITHIN)
        return target

    def jobs(self, video: Path, rounds: int, weights: str = WEIGHTS) -> list[JobFigures]:
        return msgspec.json.decode(self._run(video, rounds, weights).output, type=list[JobFigures])

    def _run(self, video: Path, rounds: int, weights: str, *, watch: bool = False) -> Measured:
        command = [sys.executable, "-m", "bench.pitstop_job", str(video), str(rounds)]
        own = {"PITSTOP_YOLO_WEIGHTS_PATH": str(self.media / "weights" / weights)}
        return measure(command, timeout=_WITHIN, environment={**self.here.environment, **own}, watch=watch)

    def speed(self, name: str, size: str, excerpt: Excerpt, weights: str, rounds: int) -> ClipFigures:
        self.progress(f"pitstop: {name}, {size}, {weights}, rounds: {rounds}")
        return speed_figures(weights, self.jobs(self.cut(name, excerpt), rounds, weights))

    def memory(self, video: Path, times: int) -> LengthFigures:
        self.progress(f"pitstop: memory, {times} times the length")
        looped = video.with_stem(f"{times}-times")
        measure([sys.executable, "-m", "bench.render", "loop", video, str(times), looped], timeout=_WITHIN)
        # frames are what memory could grow with: with these more of them are done in the same time
        told = self._run(looped, 0, QUICKEST, watch=True)
        (job,) = msgspec.json.decode(told.output, type=list[JobFigures])
        stages = {stage.stage: told.peak_between(stage.start, stage.end) for stage in stage_times(told)}
        return LengthFigures(frames=job.frames, peak=told.peak, stages=stages)


def speed_figures(weights: str, rounds: list[JobFigures]) -> ClipFigures:
    """Medians over the rounds on one clip; ratios are of each round by itself, for what else the machine does weighs
    on both of its sides alike.
    """
    frames = rounds[0].frames
    return ClipFigures(
        weights=weights,
        frames=frames,
        objects_a_frame=rounds[0].objects / frames,
        detecting=frames / median(job.detecting for job in rounds),
        drawing=frames / median(job.drawing for job in rounds),
        plain=frames / median(job.plain or 0.0 for job in rounds),
        ratio=median(job.detecting / job.drawing for job in rounds),
        plain_ratio=median((job.plain or 0.0) / job.drawing for job in rounds),
        rounds=rounds,
    )


def pitstop_tables(figures: PitstopFigures) -> RenderableType:
    """The figures for people."""
    headings = ("detection", "drawing and encoding", "plain copy", "against detection", "against plain")
    speed = _table("Pit stop, frames a second", "clip", "frames", "objects a frame", *headings)
    for name, clip in figures.clips.items():
        rates = (f"{value:.1f}" for value in (clip.objects_a_frame, clip.detecting, clip.drawing, clip.plain))
        speed.add_row(name, str(clip.frames), *rates, f"{clip.ratio:.2f}", f"{clip.plain_ratio:.2f}")
    memory = _table("Most resident memory of all processes of a job, MB", "")
    for length in (figures.short, figures.long):
        memory.add_column(f"{length.frames} frames", justify="right")
    memory.add_row("whole job", *(f"{length.peak / 1e6:.0f}" for length in (figures.short, figures.long)))
    for stage in figures.long.stages:
        seen = (length.stages.get(stage, 0) for length in (figures.short, figures.long))
        memory.add_row(stage, *(f"{size / 1e6:.0f}" if size else "too short to see" for size in seen))
    exact = _table(
        "Annotated videos beside their sources", "video", "frames", "of", "largest error, ms", "of sound, ms"
    )
    for kind, one in figures.exact.items():
        sound = "" if one.sound_worst_ms is None else f"{one.sound_worst_ms:.3f}"
        exact.add_row(kind, str(one.frames), str(one.source_frames), f"{one.worst_ms:.3f}", sound)
    notes = Text(f"Memory grows by {figures.growth:+.1%} from short to long. The sound was {figures.sound}.")
    return Group(speed, memory, exact, notes)


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in ("", "clip", "video") else "right")
    return table
