"""Runs the stages that make the annotated video, without the ones that find what is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from detect.media import VideoReader, probe
from detect.object_columns import ColumnsBuilder
from detect.resources import Resources
from detect.stages.base import Chunk, StageContext, Video
from detect.stages.encode_video import EncodeVideo, EncodeVideoInput, EncodeVideoOptions, EncodeVideoOutput
from detect.stages.render_overlays import (
    RenderOverlays,
    RenderOverlaysInput,
    RenderOverlaysOptions,
    RenderOverlaysOutput,
)
from detect.stages.time_zones import TimeZonesOutput
from detect.stages.track_objects import TrackObjectsOutput
from detect.types import KnownBrands
from tests.stages.memory_files import FolderFiles
from tests.stages.memory_frames import MemoryFrames

#: Box ``(x1, y1, x2, y2)``, confidence, position of the class, track id.
Found = tuple[tuple[float, float, float, float], float, int, int]
NO_TIMES = TimeZonesOutput(zones=[], stops=[])


@dataclass(frozen=True)
class Annotated:
    """An annotated video and what the stages said about it."""

    path: Path
    output: EncodeVideoOutput
    parts: list[RenderOverlaysOutput]


def tracked(path: Path, found: Callable[[int], Sequence[Found]], class_names: Sequence[str]) -> TrackObjectsOutput:
    """What tracking would tell of a video; ``found`` gives the objects of its nth frame."""
    builder = ColumnsBuilder()
    with VideoReader(path) as reader:
        until = 0
        for number, shown in enumerate(reader.frames()):
            objects = found(number)
            builder.add(
                shown.pts,
                np.array([box for box, *_ in objects], np.float32).reshape(-1, 4),
                np.array([score for _, score, *_ in objects], np.float32),
                [kind for *_, kind, _ in objects],
                [track for *_, track in objects],
            )
            until = shown.until
        base, origin = reader.time_base, reader.origin
    return TrackObjectsOutput(
        time_base=str(base),
        origin=origin,
        ended=origin + until,
        class_names=tuple(class_names),
        tracks=[],
        objects=builder.build(),
    )


def annotate(
    path: Path,
    folder: Path,
    *,
    found: Callable[[int], Sequence[Found]] = lambda _: (),
    class_names: Sequence[str] = ("car", "person"),
    times: TimeZonesOutput = NO_TIMES,
    chunks: Sequence[str] = (),
    quality: int = 18,
    sound: bool = True,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Annotated:
    """The annotated copy of a video, made in pieces that begin at 0 and at each of ``chunks`` (seconds)."""
    objects, files = tracked(path, found, class_names), FolderFiles(folder / "files")
    bounds = ["0", *chunks]
    parts = []
    for index, start in enumerate(bounds):
        end = bounds[index + 1] if index + 1 < len(bounds) else None
        ctx = _context(path, files, RenderOverlaysOptions(quality=quality), Chunk(index, start, end), progress)
        parts.append(RenderOverlays().run(ctx, RenderOverlaysInput(Video(str(path), start, end), objects, times)))
    ctx = _context(path, files, EncodeVideoOptions(sound=sound), None, progress)
    output = EncodeVideo().run(ctx, EncodeVideoInput(Video(str(path)), parts))
    return Annotated(files.place / output.files[0].key if output.files else folder / "none", output, parts)


def _context(
    path: Path, files: FolderFiles, options: object, chunk: Chunk | None, progress: Callable[[int, int], None]
) -> StageContext:
    return StageContext(
        source=probe(path).source_info(),
        options=options,
        frames=MemoryFrames(),
        known_brands=KnownBrands(),
        resources=Resources(),
        chunk=chunk,
        files=files,
        progress=progress,
    )


def shown_frames(path: Path) -> Iterator[tuple[Fraction, av.VideoFrame]]:
    """Frames of a file as PyAV decodes it, with their times in seconds."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            assert frame.pts is not None and frame.time_base is not None
            yield frame.pts * frame.time_base, frame


def frame_times(path: Path) -> list[Fraction]:
    """When the frames of a file are shown, seconds."""
    return [at for at, _ in shown_frames(path)]
