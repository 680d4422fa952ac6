"""Writing annotated video: pieces of H.264 whose packets only need to be put one behind another, and their joining."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from detect.errors import MediaError, StorageError
from detect.media.picture_format import PictureFormat
from detect.media.sound import Sound

GOP_SECONDS = 2
# A fixed number of threads, and no macroblock tree: what the same bytes need (see detect/synthetic/video.py).
_REPEATABLE = "threads=3:mbtree=0"
# Larger pictures get a quicker preset, so that drawing and encoding keep up with detection (docs/benchmarks.md).
_PRESETS = ((1600 * 900, "superfast"),)
_LARGE_PRESET = "ultrafast"
# Coarser clocks than this make players round.
_MIN_TIMESCALE = 10_000
# A first frame later than this, seconds, is put at 0. Chromium takes a file's length for the time of its end: what
# lies that much before the end it seeks to only once it has played there.
_LATEST_START = 2


class SegmentWriter:
    """Encodes one piece of a video into an MP4 file at ``path``; use it as a context manager.

    Pieces of one :class:`PictureFormat` and ``quality`` (constant rate factor) have the same parameter sets, no
    B-frames, and begin with an I-frame: their packets can follow each other. Raises :class:`StorageError` where the
    file cannot be written.
    """

    def __init__(self, path: Path, picture: PictureFormat, *, quality: int) -> None:
        self._path, self._picture = path, picture
        self._first: int | None = None
        timescale = _timescale(picture.time_base)
        try:
            self._container = av.open(
                str(path),
                "w",
                format="mp4",
                options={"video_track_timescale": str(timescale), "movflags": "+faststart"},
            )
        except OSError as error:
            raise _not_written(path, error) from error
        self._stream = self._add_stream(quality)

    def _add_stream(self, quality: int) -> VideoStream:
        picture = self._picture
        pixels = picture.width * picture.height
        preset = next((name for most, name in _PRESETS if pixels <= most), _LARGE_PRESET)
        options = {"preset": preset, "crf": str(quality), "bf": "0", "x264-params": _REPEATABLE}
        options["g"] = str(max(1, round(GOP_SECONDS * picture.rate)))
        stream = self._container.add_stream("libx264", rate=picture.rate, options=options)
        stream.width, stream.height = picture.coded
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = stream.time_base = picture.time_base
        context.sample_aspect_ratio = picture.aspect
        context.colorspace, context.color_primaries = picture.matrix, picture.primaries
        context.color_trc, context.color_range = picture.transfer, 2 if picture.full else 1
        return stream

    def write(self, frame: VideoFrame, pts: int, duration: int) -> None:
        """Add an upright frame shown from ``pts`` on for ``duration`` ticks. In the file the first one is at 0."""
        self._first = pts if self._first is None else self._first
        frame.pts, frame.time_base, frame.duration = pts - self._first, self._picture.time_base, duration
        self._mux(frame)

    def _mux(self, frame: VideoFrame | None) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except OSError as error:
            raise _not_written(self._path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._first is not None:
                self._mux(None)
        finally:
            _close(self._container, self._path)


@dataclass(frozen=True)
class Segment:
    """A piece that was written: how to get at its file, and the ticks its first frame is shown at in the source."""

    open: Callable[[], AbstractContextManager[Path]]
    first: int


@dataclass(frozen=True)
class Joined:
    """``frames`` joined; the first is shown at ``start`` seconds of the file."""

    frames: int
    start: Fraction


def start_of(first: int, time_base: Fraction) -> Fraction:
    """When, in seconds of the joined file, the first frame is shown: as in the source, unless that cannot be played."""
    start = first * time_base
    return start if 0 <= start <= _LATEST_START else Fraction(0)


def join_segments(
    target: Path,
    segments: Iterable[Segment],
    *,
    time_base: Fraction,
    sound: Sound | None = None,
    on_frame: Callable[[int], None] = lambda done: None,
) -> Joined:
    """Put segments into one MP4 at ``target`` that plays while it loads, copying their packets, with the sound.

    ``time_base`` is the length of the source's ticks; timestamps stay the source's but for a start that cannot be
    played. ``on_frame`` is called with the number of frames done.

    Raises:
        MediaError: there is no segment, or they were encoded differently.
        StorageError: a segment cannot be read, or the file cannot be written.
    """
    pieces = iter(segments)
    first = next(pieces, None)
    if first is None:
        raise MediaError("there is no frame to make a video of")
    start = start_of(first.first, time_base)
    shift = start - first.first * time_base
    timescale = _timescale(time_base)
    options = {"movflags": "+faststart", "video_track_timescale": str(timescale), "movie_timescale": str(timescale)}
    try:
        container = av.open(str(target), "w", format="mp4", options=options)
    except OSError as error:
        raise _not_written(target, error) from error
    frames = 0
    try:
        video = _Video(container, [first], pieces, time_base, shift)
        with first.open() as path, av.open(str(path)) as template:
            video.begin(template.streams.video[0])
        lanes = [video.packets()]
        if sound is not None:
            sound.begin(container)
            lanes.append(sound.packets(shift))
        for _, packet in merge(*lanes, key=lambda item: item[0]):
            is_frame = packet.stream is video.stream
            container.mux(packet)
            if is_frame:
                frames += 1
                on_frame(frames)
    except av.FFmpegError as error:
        raise _not_written(target, error) from error
    finally:
        _close(container, target)
    return Joined(frames, start)


class _Video:
    """The picture's packets, segment after segment."""

    def __init__(
        self,
        container: OutputContainer,
        first: list[Segment],
        others: Iterator[Segment],
        time_base: Fraction,
        shift: Fraction,
    ) -> None:
        self._container, self._first, self._others = container, first, others
        self._time_base, self._shift = time_base, round(shift / time_base)
        self.stream: VideoStream | None = None
        self._parameters: bytes | None = None

    def begin(self, template: VideoStream) -> None:
        self.stream = self._container.add_stream_from_template(template)
        self.stream.time_base = self._time_base
        self._parameters = template.codec_context.extradata

    def packets(self) -> Iterator[tuple[Fraction, Packet]]:
        """Packets with the seconds they are shown at, to be muxed one by one."""
        assert self.stream is not None
        for pieces in (self._first, self._others):
            for segment in pieces:
                with segment.open() as path, av.open(str(path)) as container:
                    stream = container.streams.video[0]
                    if stream.codec_context.extradata != self._parameters:
                        raise MediaError("the pieces of the annotated video were encoded differently")
                    for packet in container.demux(stream):
                        if packet.size:
                            yield self._placed(packet, segment.first + self._shift)

    def _placed(self, packet: Packet[VideoStream], first: int) -> tuple[Fraction, Packet]:
        assert packet.pts is not None and packet.time_base is not None and self.stream is not None
        ticks = packet.time_base / self._time_base
        at, length = first + round(packet.pts * ticks), round((packet.duration or 0) * ticks)
        packet.time_base = self._time_base
        packet.pts = packet.dts = at
        packet.duration = length
        packet.stream = self.stream
        return at * self._time_base, packet


def _timescale(time_base: Fraction) -> int:
    """Units a second in which all ticks are whole, and fine enough for players."""
    scale = time_base.denominator
    while scale < _MIN_TIMESCALE:
        scale *= 2
    return scale


def _close(container: OutputContainer, path: Path) -> None:
    try:
        container.close()
    except OSError as error:
        raise _not_written(path, error) from error


def _not_written(path: Path, error: OSError | av.FFmpegError) -> StorageError:
    return StorageError(f"cannot write video to {path}: {error.strerror or error}.")
