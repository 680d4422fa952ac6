"""Writes a match as H.264 video, frame by frame, and repeats a video without encoding it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np

from detect.errors import MediaError, StorageError
from detect.synthetic.render import Frame, Renderer
from detect.synthetic.scene import Match
from detect.synthetic.truth import PLACEMENTS, ROW, BrandTruth, Truth

KEYFRAME_SECONDS = 2
_REPEATABLE = "threads=2:mbtree=0"
"""What the same bytes need: x264 gives others with another number of threads, and its macroblock tree reads memory it
did not write in narrow pictures on processors with AVX-512."""


def render_match(match: Match, path: Path | str, progress: Callable[[int, int], None] | None = None) -> Truth:
    """Renders ``match`` to an MP4 (H.264, faststart) at ``path`` and returns the truth about it.

    Frames are drawn and encoded one at a time, so memory does not grow with length; the same match gives the same
    bytes. ``progress`` is called with frames done and frames in all. Raises :class:`StorageError` when the file
    cannot be written.
    """
    renderer = Renderer(match)
    numbers = {brand.name: index for index, brand in enumerate(match.brands)}
    rows: list[np.ndarray] = []
    try:
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=match.fps)
            stream.width, stream.height, stream.pix_fmt = match.width, match.height, "yuv420p"
            stream.time_base = 1 / match.fps
            stream.options = {
                "preset": "veryfast", "crf": str(match.level.crf), "x264-params": _REPEATABLE,
                "g": str(max(1, round(KEYFRAME_SECONDS * match.fps))),
            }  # fmt: skip
            for number in range(match.frames):
                frame = renderer.frame(number)
                rows.append(_rows(frame, number, numbers, match))
                picture = av.VideoFrame.from_ndarray(renderer.planes(frame.picture, number), format="yuv420p")
                picture.pts, picture.time_base = number, 1 / match.fps
                container.mux(stream.encode(picture))
                if progress is not None:
                    progress(number + 1, match.frames)
            container.mux(stream.encode())
    except OSError as error:
        raise StorageError(f"cannot write the match to {path}: {error.strerror or error}.") from error
    return Truth(
        match.width, match.height, 1 / match.fps, np.arange(match.frames, dtype=np.int64), match.frames,
        tuple(BrandTruth(brand.name, brand.kind, brand.aliases) for brand in match.brands), np.concatenate(rows),
        tuple(match.distractors()), tuple(shot.start for shot in match.shots[1:]),
        tuple(shot.start for shot in match.shots if shot.dissolve),
    )  # fmt: skip


def _rows(frame: Frame, number: int, numbers: dict[str, int], match: Match) -> np.ndarray:
    """The frame's marks as rows of truth, boxes cut at the picture's edges."""
    found = []
    for mark in frame.marks:
        x1, y1 = max(0, int(mark.box[0])), max(0, int(mark.box[1]))
        x2, y2 = min(match.width, -int(-mark.box[2] // 1)), min(match.height, -int(-mark.box[3] // 1))
        if x1 < x2 and y1 < y2:
            placement = PLACEMENTS.index(mark.placement)
            found.append((number, numbers[mark.name], placement, x1, y1, x2, y2, mark.visible, mark.size, mark.blur))
    return np.array(found, ROW)


def loop_video(source: Path | str, target: Path | str, times: int) -> None:
    """Writes ``source`` played ``times`` times in a row, its packets copied with shifted timestamps.

    Raises :class:`MediaError` where ``source`` has no video or ``times`` is below 1, :class:`StorageError` where
    ``target`` cannot be written.
    """
    if times < 1:
        raise MediaError(f"a video can be repeated 1 time or more, not {times}.")
    length = _length(source)
    try:
        with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream: av.VideoStream | None = None
            for turn in range(times):
                for packet in _packets(source):
                    stream = stream or container.add_stream_from_template(packet.stream)
                    packet.pts, packet.dts = (packet.pts or 0) + turn * length, (packet.dts or 0) + turn * length
                    packet.stream = stream
                    container.mux(packet)
    except OSError as error:
        raise StorageError(f"cannot copy {source} to {target}: {error.strerror or error}.") from error


def _packets(source: Path | str) -> Iterator[av.Packet]:
    """Packets of the first video stream, in decoding order, without the empty one that ends the stream."""
    with av.open(str(source)) as container:
        for packet in container.demux(video=0):
            if packet.pts is not None:
                yield packet


def _length(source: Path | str) -> int:
    """Ticks from the first presentation timestamp to the end of the last frame."""
    try:
        spans = [(packet.pts or 0, (packet.pts or 0) + (packet.duration or 0)) for packet in _packets(source)]
    except (OSError, IndexError, av.error.FFmpegError) as error:
        raise MediaError(f"there is no video to be read in {source}: {error}.") from error
    if not spans:
        raise MediaError(f"there are no frames in {source}.")
    return max(end for _, end in spans) - min(start for start, _ in spans)
