"""What a video file holds, found without decoding more than its first frame."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import msgspec

from detect.errors import MediaError
from detect.media.container import OpenedVideo, open_video, shows_pictures
from detect.media.decoding import first_frame, read_packets
from detect.media.heard import SoundFacts, sound_facts
from detect.media.pictures import upright_turn
from detect.timecode import format_ratio
from detect.types import SourceInfo

# Timestamps looked at, at the start and again in the middle, to tell a steady frame rate from a varying one.
_RATE_PACKETS = 300
# Intervals that differ by less than this share are one frame rate, rounded by the container.
_STEADY = Fraction(1, 10)
# HDR transfer functions (PQ, HLG) as FFmpeg numbers them.
_HDR_TRANSFERS = (16, 18)


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One video file.

    `width` and `height` are those of the upright picture, after the clockwise `rotation` in degrees that the file
    asks for. `frame_rate` (the average, where it varies) and `time_base` are exact ratios `num/den`. `duration` is the
    length of the video in seconds as the file states it, measured where it does not; a file that was cut off may hold
    less. `start_time` is the first frame's timestamp in seconds: times everywhere else count from it. A file of sound
    alone has no width, height and frame rate (0), and its sound stands for its video in the rest.
    """

    path: str
    sha256: str
    size_bytes: int
    duration: float
    width: int
    height: int
    rotation: int
    frame_rate: str
    variable_frame_rate: bool
    codec: str
    container: str
    pixel_format: str
    time_base: str
    start_time: float
    has_audio: bool
    warnings: list[str] = msgspec.field(default_factory=list)

    def source_info(self) -> SourceInfo:
        """The part of it that stages see."""
        return SourceInfo(
            path=self.path,
            sha256=self.sha256,
            duration=self.duration,
            width=self.width,
            height=self.height,
            frame_rate=self.frame_rate,
            variable_frame_rate=self.variable_frame_rate,
            start_time=self.start_time,
            warnings=tuple(self.warnings),
        )


class Look(msgspec.Struct, frozen=True):
    """What a file has, and how long it is: seconds from its first picture, or its first sound where it shows none."""

    duration: float
    has_pictures: bool
    has_sound: bool


def look_at(path: str | Path) -> Look:
    """The least of what `probe` finds out, without reading the whole file. A file of sound alone will do.

    Raises:
        MediaError: as `probe` does.
    """
    path = Path(path)
    if not shows_pictures(path):
        return Look(float(sound_facts(path).duration), has_pictures=False, has_sound=True)
    video = open_video(path)
    try:
        origin = video.ticks(first_frame(path, video))
        assert origin is not None
        _, duration = _rate_and_duration(path, video, origin)
        return Look(float(duration), has_pictures=True, has_sound=bool(video.container.streams.audio))
    finally:
        video.close()


def probe(path: str | Path, *, sound: bool = False) -> Probe:
    """Look at a video file; with `sound` one that has no pictures will do.

    Raises:
        MediaError: it is missing, no regular file, empty, not permitted, a still image, no video, without a video
            stream, or no frame of it can be decoded.
    """
    path = Path(path)
    if sound and not shows_pictures(path):
        return _of_sound(path, sound_facts(path))
    video = open_video(path)
    try:
        frame = first_frame(path, video)
        origin = video.ticks(frame)
        assert origin is not None
        rotation, _ = upright_turn(frame)
        width, height = (frame.height, frame.width) if rotation in (90, 270) else (frame.width, frame.height)
        rate, duration = _rate_and_duration(path, video, origin)
        return Probe(
            path=str(path),
            sha256=_sha256(path),
            size_bytes=path.stat().st_size,
            duration=float(duration),
            width=width,
            height=height,
            rotation=rotation,
            frame_rate=format_ratio(rate),
            variable_frame_rate=_rate_varies(path),
            codec=video.stream.codec_context.codec.canonical_name,
            container=video.format,
            pixel_format=frame.format.name,
            time_base=format_ratio(video.time_base),
            start_time=float(origin * video.time_base),
            has_audio=bool(video.container.streams.audio),
            warnings=_warnings(video, frame),
        )
    finally:
        video.close()


def _of_sound(path: Path, facts: SoundFacts) -> Probe:
    return Probe(
        path=str(path),
        sha256=_sha256(path),
        size_bytes=path.stat().st_size,
        duration=float(facts.duration),
        width=0,
        height=0,
        rotation=0,
        frame_rate="0",
        variable_frame_rate=False,
        codec=facts.codec,
        container=facts.container,
        pixel_format="",
        time_base=format_ratio(facts.time_base),
        start_time=float(facts.start),
        has_audio=True,
    )


def _rate_and_duration(path: Path, video: OpenedVideo, origin: int) -> tuple[Fraction, Fraction]:
    """The average frame rate and the seconds the file states for its video, else for the whole container.

    What is not stated is measured on the packets.
    """
    rate = video.stream.average_rate or video.stream.guessed_rate
    duration = video.stated_duration(origin) or video.since(origin, video.container_end())
    if rate is not None and duration is not None:
        return rate, duration
    frames, measured = _measure(path)
    return rate or (frames / measured if measured else Fraction(25)), duration or measured


def _measure(path: Path) -> tuple[int, Fraction]:
    """Number of pictures in a file and the seconds they span, from its packets, without decoding."""
    video = open_video(path)
    first: int | None = None
    end = frames = 0
    try:
        for packet in read_packets(video, lambda _: None):
            ticks = video.ticks(packet)
            if ticks is not None:
                frames += 1
                first = ticks if first is None else min(first, ticks)
                end = max(end, ticks + (packet.duration or 0))
    finally:
        video.close()
    return frames, (end - (first or 0)) * video.time_base


def _rate_varies(path: Path) -> bool:
    """Whether pictures come at uneven intervals, judged by some at the start and some in the middle of the file."""
    intervals: list[int] = []
    video = open_video(path)
    try:
        intervals += _intervals(video)
        length = video.container.duration
        if length is not None and video.can_seek_exactly:
            video.container.seek((video.container.start_time or 0) + length // 2)
            intervals += _intervals(video)
    except av.FFmpegError:
        pass  # Where one cannot go, nothing is found out.
    finally:
        video.close()
    if not intervals:
        return False
    usual = sorted(intervals)[len(intervals) // 2]
    tolerated = max(1, round(usual * _STEADY))
    return any(abs(interval - usual) > tolerated for interval in intervals)


def _intervals(video: OpenedVideo) -> list[int]:
    """Ticks between some pictures that follow one another, from where the container stands."""
    ticks: list[int] = []
    for packet in read_packets(video, lambda _: None):
        at = video.ticks(packet)
        if at is not None:
            ticks.append(at)
        if len(ticks) >= _RATE_PACKETS:
            break
    ticks.sort()
    # Among the last, pictures may be missing that are stored later than they are shown, or were cut off.
    del ticks[len(ticks) - min(16, len(ticks) // 8) :]
    return [after - before for before, after in pairwise(ticks)]


def _warnings(video: OpenedVideo, frame: av.VideoFrame) -> list[str]:
    """What a reader does not put right and a person may want to know."""
    notes = []
    if frame.interlaced_frame:
        notes.append("interlaced: its fields are read as they are woven together")
    aspect = video.stream.sample_aspect_ratio
    if aspect is not None and aspect > 0 and aspect != 1:
        shape = f"{aspect.numerator}:{aspect.denominator}"
        notes.append(f"pixels are not square ({shape}); positions and areas are in pixels")
    if frame.color_trc in _HDR_TRANSFERS:
        notes.append("high dynamic range: colours are read without tone mapping")
    others = len(video.container.streams.video) - 1
    if others > 0:
        notes.append(f"{others} more video stream{'s' * (others > 1)} in the file; the first is analysed")
    return notes


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MediaError(f"{path}: cannot be read to its end: {error.strerror or error}") from error
