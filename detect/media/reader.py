"""Sampling a video by its presentation timestamps, window by window, in one pass of the decoder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame

from detect.media.container import OpenedVideo, open_video
from detect.media.decoding import decode_from_key, decode_from_start, first_frame
from detect.media.pictures import Converter, luma_of, upright_turn
from detect.media.signals import ChangeMeter
from detect.media.windows import Faults, Window
from detect.stages.base import Image
from detect.timecode import format_timecode
from detect.types import FrameSignals

# How far before a window's start to look for an I-frame, in seconds, when the nearest one turned out not to do.
_BACK_OFF = (0, 2, 8, 32, 128, 512, 2048, 8192)
# A file that ends this much before its stated length has been cut off; less is a matter of rounding in containers.
_CUT_OFF = Fraction(1, 2)
# After this many frames in a row that are earlier than one already shown, another recording was spliced on.
_SPLICED = 100


@dataclass(frozen=True)
class Sampled:
    """The frame that was on screen at `sequence / fps` seconds.

    `pts` is as in the file; `timestamp` is when the frame appeared and `until` when the next one replaced it, both in
    seconds from the stream's first presentation timestamp. `image` is `(height, width, 3)` BGR, upright. A frame that
    stayed through several sampling instants is given once, for the first of them.
    """

    sequence: int
    pts: int
    timestamp: Fraction
    until: Fraction
    image: Image


@dataclass(frozen=True)
class Shown:
    """A decoded frame, not turned upright, and when it was on screen.

    `pts` is as in the file; `at` and `until` are ticks after the stream's first timestamp.
    """

    frame: VideoFrame
    pts: int
    at: int
    until: int


class VideoReader:
    """Reads one video file; use it as a context manager.

    `origin` is the stream's first timestamp in ticks, `time_base` the length of a tick in seconds; `turn` turns a
    picture as the file asks for.

    Sampling does not depend on how the video is cut into windows: the samples and signals of `[0, 30)` and `[30, 60)`
    together are those of `[0, 60)`.

    `thinned` leaves out the frames that are predicted from both sides, which saves more than half of the work: of most
    videos a third or a quarter of the frames is left, of some all of them.

    Raises:
        MediaError: on entering, if the file cannot be read or no frame of it can be decoded.
    """

    def __init__(self, path: str | Path, *, threads: int = 2, thinned: bool = False) -> None:
        self._path = Path(path)
        self._threads = threads
        self._thinned = thinned
        self._converter = Converter()
        self._video: OpenedVideo | None = None
        self._meter = ChangeMeter()
        self._problems: list[str] = []
        self._ended_at: Fraction | None = None
        self._width = self._height = 0

    def __enter__(self) -> Self:
        video = self._open()
        first = first_frame(self._path, video)
        self.origin = _known(video.ticks(first))
        self.time_base = video.time_base
        self._width, self._height = first.width, first.height
        _, self.turn = upright_turn(first)
        self._stated = video.stated_duration(self.origin)
        rate = video.stream.average_rate or video.stream.guessed_rate or Fraction(25)
        self._frame_ticks = max(1, round(1 / (rate * self.time_base)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def signals(self) -> FrameSignals:
        """Change at every frame decoded within the last window so far; see `ChangeMeter.signals`."""
        return self._meter.signals()

    @property
    def problems(self) -> list[str]:
        """What was broken within the last window, and at which second."""
        return list(self._problems)

    @property
    def ended_at(self) -> Fraction | None:
        """When the last frame decoded in the last window left the screen, seconds; None if it had no frame."""
        return self._ended_at

    def sample_window(
        self, fps: Fraction, start: Fraction = Fraction(0), end: Fraction | None = None
    ) -> Iterator[Sampled]:
        """Give the frames on screen at `n / fps` seconds for each whole `n` with `start <= n / fps < end`.

        Seconds count from the stream's first presentation timestamp; `end=None` reads to the end. Each call starts
        `signals`, `problems` and `ended_at` anew. Memory does not grow with the window, but for four figures a frame.

        Raises:
            ValueError: `fps` is not positive, or the window is empty or starts before 0.
        """
        if fps <= 0:
            raise ValueError(f"expected a positive sampling rate, got {fps}")
        if start < 0 or (end is not None and end <= start):
            raise ValueError(f"expected a window of positive length from 0 on, got [{start}, {end})")
        return self._sample(Window(fps, start, end, self.time_base))

    def frames(self, start: Fraction = Fraction(0), end: Fraction | None = None) -> Iterator[Shown]:
        """Give every frame that appears within `[start, end)` seconds; `end=None` reads to the end.

        Each frame of a video is in exactly one of the windows that follow each other. Each call starts `problems` and
        `ended_at` anew.
        """
        window = Window(Fraction(1), start, end, self.time_base)
        return (shown for shown in self._follow(window) if shown.at >= window.first_tick)

    def upright(self, frame: VideoFrame) -> Image:
        """The picture of a frame, `(height, width, 3)` BGR, turned as the file asks for."""
        resized = (frame.width, frame.height) != (self._width, self._height)
        if resized and not any("picture size" in problem for problem in self._problems):
            self._problems.append(
                f"the picture size changes to {frame.width}x{frame.height}; scaled to {self._width}x{self._height}"
            )
        picture = self._converter.convert(frame, self._width, self._height, "bgr24")
        return np.ascontiguousarray(self.turn(cast("Image", picture.to_ndarray())))

    def luma(self, frame: VideoFrame, scale: float) -> Image:
        """Grey levels of a frame, `(height, width)`, turned as the file asks for and scaled by `scale`."""
        size = max(1, round(self._width * scale)), max(1, round(self._height * scale))
        luma = luma_of(frame)
        if luma is None:
            gray = cast("Image", self._converter.convert(frame, *size, "gray").to_ndarray())
        else:
            gray = luma.in_bytes(cv2.resize(luma.samples, size, interpolation=cv2.INTER_AREA))
        return np.ascontiguousarray(self.turn(gray[:, :, None])[:, :, 0])

    def _sample(self, window: Window) -> Iterator[Sampled]:
        self._meter = ChangeMeter()
        before: VideoFrame | None = None
        for shown in self._follow(window):
            if shown.at < window.first_tick:
                before = shown.frame
            else:
                if before is not None:
                    self._meter.prime(before)
                    before = None
                self._meter.measure(shown.frame, float(shown.at * self.time_base))
            sequence = window.instant(shown.at)
            if sequence < window.instant(shown.until) and window.covers(sequence):
                yield Sampled(
                    sequence=sequence,
                    pts=shown.pts,
                    timestamp=shown.at * self.time_base,
                    until=shown.until * self.time_base,
                    image=self.upright(shown.frame),
                )

    def _follow(self, window: Window) -> Iterator[Shown]:
        """The frames of a window, and at least one before it, each once it is known when the next replaced it."""
        self._problems, self._ended_at = [], None
        faults = Faults(self.origin)
        waiting: tuple[VideoFrame, int] | None = None
        reached_end = True
        for frame, at in self._in_order(self._frames(window.first_tick, faults), faults):
            if waiting is not None:
                # Nobody knows what was on screen where frames were lost: their forerunner does not stand for them.
                lost = faults.near(waiting[1], at, slack=2 * self._frame_ticks)
                yield self._ending(*waiting, min(at, self._nominal_end(*waiting)) if lost else at)
            if window.is_over(at):
                reached_end = False
                break
            waiting = frame, at
        if reached_end and waiting is not None:
            yield self._ending(*waiting, self._nominal_end(*waiting))
        self._note_problems(faults, window, reached_end=reached_end)

    def _ending(self, frame: VideoFrame, at: int, until: int) -> Shown:
        self._ended_at = until * self.time_base
        return Shown(frame, self.origin + at, at, until)

    def _nominal_end(self, frame: VideoFrame, at: int) -> int:
        return at + (frame.duration or self._frame_ticks)

    def _frames(self, first_tick: int, faults: Faults) -> Iterator[tuple[VideoFrame, int]]:
        """Frames and their ticks, from at least one frame before `first_tick` on, or from the first of all."""
        video = self._open()
        for back_off in _BACK_OFF if video.can_seek_exactly else ():
            target = first_tick - 1 - round(back_off / self.time_base)
            if target <= 0:
                break
            frames = self._placed(video, decode_from_key(video, self.origin + target, faults.add))
            try:
                first = next(frames, None)
            except av.FFmpegError:
                break
            if first is not None and first[1] < first_tick:
                yield first
                yield from frames
                return
            faults.ticks.clear()
            video = self._open()
        video = self._open()
        yield from self._placed(video, decode_from_start(video, faults.add))

    def _placed(self, video: OpenedVideo, frames: Iterator[VideoFrame]) -> Iterator[tuple[VideoFrame, int]]:
        """Frames with their ticks; one without a timestamp follows the one before it at the frame rate."""
        at: int | None = None
        for frame in frames:
            ticks = video.ticks(frame)
            if ticks is not None:
                at = ticks - self.origin
            elif at is not None:
                at += frame.duration or self._frame_ticks
            if at is not None:
                yield frame, at

    def _in_order(self, frames: Iterator[tuple[VideoFrame, int]], faults: Faults) -> Iterator[tuple[VideoFrame, int]]:
        """Only the frames that are later than all before them; ends where another recording begins."""
        latest: int | None = None
        earlier = 0
        for frame, at in frames:
            if latest is None or at > latest:
                latest, earlier = at, 0
                yield frame, at
                continue
            earlier += 1
            if earlier == 1:
                faults.add(self.origin + at)
            if earlier == _SPLICED:
                jump = (format_timecode(ticks * self.time_base) for ticks in (latest, at))
                self._problems.append("timestamps go back from {} to {}; reading stops there".format(*jump))
                return

    def _note_problems(self, faults: Faults, window: Window, *, reached_end: bool) -> None:
        ended_at = self._ended_at or Fraction(0)
        cut_off = reached_end and self._stated is not None and self._stated - ended_at > _CUT_OFF
        damaged = sorted(
            seconds
            for seconds in (tick * self.time_base for tick in faults.ticks)
            if window.spans(seconds) and not (cut_off and seconds >= ended_at)
        )
        if damaged:
            first, last = format_timecode(damaged[0]), format_timecode(damaged[-1])
            where = f"at {first}" if len(damaged) == 1 else f"at {len(damaged)} places from {first} to {last}"
            self._problems.append(f"damaged data {where}; what could not be decoded was left out")
        if cut_off and self._stated is not None:
            stated = format_timecode(self._stated)
            self._problems.append(f"the video breaks off at {format_timecode(ended_at)} of a stated {stated}")
        elif reached_end and faults.unplaced and not damaged:
            self._problems.append(f"damaged data at the end, {format_timecode(ended_at)}")

    def _open(self) -> OpenedVideo:
        """The video at its beginning, with a decoder that remembers nothing."""
        self._close()
        self._video = open_video(self._path, threads=self._threads)
        if self._thinned:
            self._video.stream.codec_context.skip_frame = "BIDIR"
        return self._video

    def _close(self) -> None:
        if self._video is not None:
            self._video.close()
            self._video = None


def _known(ticks: int | None) -> int:
    assert ticks is not None
    return ticks
