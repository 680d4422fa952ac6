"""Memory: the peak on a long video beside the peak on a short one of the same match, and where it was reached."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from bench.footage import Clip, looped
from bench.installation import Analysis, installation
from bench.results import Headline


class LengthFigures(msgspec.Struct, frozen=True):
    """One video of ``seconds``. Memory in bytes.

    ``peak`` is of all processes of ``analyze`` together (servers apart), ``maxrss`` the kernel's figure for the largest
    one of them, ``stages`` the most that was seen while each stage ran.
    """

    seconds: float
    peak: int
    maxrss: int
    wall: float
    cpu: float
    real_time: float
    stages: dict[str, int]


class MemoryFigures(msgspec.Struct, frozen=True):
    """Lengths from short to long. ``growth`` is the longest's peak over the shortest's, minus 1.

    ``slowdown`` is processor time a second of video on the longest over that on the shortest: 1 where time grows in
    proportion to length, less where the start weighs on the short one.
    """

    lengths: list[LengthFigures]
    growth: float
    slowdown: float

    def headlines(self) -> dict[str, Headline]:
        """What to compare from one measurement to the next."""
        longest = self.lengths[-1]
        return {
            "peak on the longest video": Headline(longest.peak / 1e6, "MB", "lower"),
            "growth from the shortest to the longest": Headline(self.growth, "share", "lower"),
            "processor time a second, longest over shortest": Headline(self.slowdown, "×", "lower"),
            "wall time of the longest over its length": Headline(longest.real_time, "×", "lower"),
        }


def measure_memory(clip: Clip, *, minutes: Sequence[float], progress: Callable[[str], None]) -> MemoryFigures:
    """Analyse the clip repeated to each of ``minutes``, each in a new installation. Raises ``BenchError``."""
    lengths = []
    for length in sorted(minutes):
        progress(f"memory: {length:g} minutes")
        with tempfile.TemporaryDirectory(prefix="mediaproc-bench-loop-") as folder, installation() as here:
            video = looped(clip, length, Path(folder))
            lengths.append(_figures(here.analyze(video, clip.brands, logos=clip.logos, watch=True)))
    return compared(lengths)


def compared(lengths: list[LengthFigures]) -> MemoryFigures:
    """Lengths, short to long, with what changes from the first to the last."""
    short, long = lengths[0], lengths[-1]
    return MemoryFigures(
        lengths=lengths,
        growth=long.peak / short.peak - 1,
        slowdown=(long.cpu / long.seconds) / (short.cpu / short.seconds),
    )


def _figures(analysis: Analysis) -> LengthFigures:
    measured, seconds = analysis.measured, analysis.report.source.duration
    return LengthFigures(
        seconds=seconds,
        peak=measured.peak,
        maxrss=measured.maxrss,
        wall=round(measured.wall, 2),
        cpu=round(measured.cpu, 2),
        real_time=measured.wall / seconds,
        stages={stage.stage: measured.peak_between(stage.start, stage.end) for stage in analysis.stages},
    )
