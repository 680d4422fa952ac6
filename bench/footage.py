"""What is measured on: real clips with hand-written truth, and synthetic matches with exact truth."""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from bench.process import PROJECT_ROOT, BenchError, measure

RENDER_WITHIN = 3600.0
REAL = "real"


@dataclass(frozen=True)
class Clip:
    """A video with the brands to look for (CSV, reference pictures of wordless ones) and its truth.

    ``group`` is ``real`` or the level of a synthetic match; ``seconds`` its length. ``exact`` is the file with the
    truth of every frame, where there is one.
    """

    name: str
    group: str
    video: Path
    brands: Path
    truth: list[dict[str, Any]]
    seconds: float
    logos: dict[str, Path] = field(default_factory=dict)
    exact: Path | None = None


def media_folder() -> Path:
    """Where real footage is looked for: ``MEDIAPROC_TEST_MEDIA``, or ``../shared/media`` beside the project."""
    return Path(os.environ.get("MEDIAPROC_TEST_MEDIA") or PROJECT_ROOT.parent / "shared/media")


def real_clips(folder: Path) -> list[Clip]:
    """Every video in ``folder`` that has a truth and a brand list beside it, by name; none where there is no folder."""
    clips = []
    for truth in sorted(folder.glob("*.truth.json")):
        name = truth.name.removesuffix(".truth.json")
        video, brands = folder / f"{name}.mp4", folder / f"{name}.brands.csv"
        if video.exists() and brands.exists():
            entries = json.loads(truth.read_text(encoding="utf-8"))
            clips.append(Clip(name, REAL, video, brands, entries, duration(video)))
    return clips


def synthetic_match(level: str, seed: int, seconds: float, *, work: Path) -> Clip:
    """A match of the project's own generator, rendered once under ``work`` and found there again.

    It is rendered anew when the generator's code changes. Raises :class:`BenchError`.
    """
    folder = work / f"match-{level}-{seed}-{seconds:g}s-{_generator_digest()}"
    if not (folder / "truth.json").exists():
        command = [sys.executable, "-m", "bench.render", "match", level, str(seed), f"{seconds:g}", str(folder)]
        measure(command, timeout=RENDER_WITHIN)
    document = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    logos = {path.stem: path for path in sorted(folder.glob("*.png"))}
    return Clip(
        name=f"{level}-{seed}",
        group=level,
        video=folder / "match.mp4",
        brands=folder / "brands.csv",
        truth=document["spans"],
        seconds=document["duration"],
        logos=logos,
        exact=folder / "truth.json",
    )


def looped(clip: Clip, minutes: float, folder: Path) -> Path:
    """The clip's video repeated until it is at least ``minutes`` long, in ``folder``."""
    times = max(1, math.ceil(minutes * 60 / clip.seconds))
    target = folder / f"{clip.name}-{minutes:g}-minutes.mp4"
    measure([sys.executable, "-m", "bench.render", "loop", clip.video, str(times), target], timeout=RENDER_WITHIN)
    return target


def duration(video: Path) -> float:
    """Length in seconds as the container states it. Raises :class:`BenchError` where it states none."""
    import av

    with av.open(str(video)) as container:
        if container.duration is None:
            raise BenchError(f"{video} does not say how long it is")
        return float(container.duration / av.time_base)


@cache
def _generator_digest() -> str:
    """Of the code that draws matches: other code, other matches."""
    content = hashlib.sha256()
    for path in sorted((PROJECT_ROOT / "detect/synthetic").glob("*.py")):
        content.update(path.read_bytes())
    return content.hexdigest()[:12]
