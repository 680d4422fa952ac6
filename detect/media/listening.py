"""Reading the sound of a file by its timestamps, window by window, as speech models want it: 16 kHz, one channel.

Samples are numbered from the first presentation timestamp of the pictures, or of the sound where there are none. Where
a file has no sound (before it begins, in a gap, behind its end) there is silence. A sample is the same however the file
is cut into windows: it is made from the samples around it by one filter, whose phase hangs on no window.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from math import ceil, gcd
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from detect.errors import MediaError
from detect.media.container import OpenedVideo, open_container, open_video, shows_pictures
from detect.media.decoding import first_frame, read_packets
from detect.timecode import format_timecode

SAMPLE_RATE = 16_000
# (n,) float32, -1 to 1; loud sound of several channels goes beyond when they are mixed.
Samples = npt.NDArray[np.float32]

# Formats in which a seek gives the same timestamps as reading from the start. In MP3 and Ogg it gives guesses.
_EXACT_SEEK = frozenset({"mov", "matroska", "avi", "mpegts", "flv", "asf", "mxf", "nut", "wav", "w64", "flac", "aiff"})
# How far before a window to begin decoding, in seconds: a lossy decoder is right again after a few packets.
_BACK_OFF = (1, 4, 16, 64)
# Timestamps in milliseconds tremble; what is off by less than this follows on what came before it.
_TREMBLE = Fraction(1, 50)
# Sound that is missing for longer than this is told of, seconds.
_GAP = Fraction(1, 10)
# Decoding goes on over a distance that would take about as long to seek.
_READ_ON_SECONDS = 60
# What was read stays at hand for this long, for windows that overlap.
_KEPT_SECONDS = 2
# Sound that ends this much before its stated length has been cut off.
_CUT_OFF = Fraction(1, 2)
# The filter that changes the rate reaches over this many samples of the lower rate to either side.
_FILTER_REACH = 10


class SoundReader:
    """Reads the first sound stream of one file; use it as a context manager. Windows should be asked for in order.

    ``silent_because`` says why there is nothing to hear, empty where there is. Raises ``MediaError`` on entering a file
    that cannot be read.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._container: av.container.InputContainer | None = None
        self.silent_because = ""
        self.origin = Fraction(0)
        self._faults: list[Fraction] = []
        self._ended: int | None = None

    def __enter__(self) -> Self:
        stream = self._open()
        context = stream.codec_context if stream is not None else None
        if stream is None:
            self.silent_because = "the file has no sound"
        elif context is None or not context.sample_rate or not context.layout.nb_channels:
            self.silent_because = "its sound is in a codec that cannot be decoded here"
        else:
            self._rate = context.sample_rate
            shared = gcd(self._rate, SAMPLE_RATE)
            self._up, self._down = SAMPLE_RATE // shared, self._rate // shared
            self.origin = self._find_origin()
            self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def ended_at(self) -> int | None:
        """The sample at which the sound ends; None until reading got there."""
        return None if self._ended is None else ceil(Fraction(self._ended * self._up, self._down))

    def read(self, start: int, end: int) -> Samples:
        """The samples ``[start, end)``, as many as asked for. They take memory, what lies between windows takes none.

        Raises ``ValueError`` for a window that ends before it starts, or where there is nothing to hear.
        """
        from scipy.signal import resample_poly  # slow to import, and for this alone

        if end < start or self.silent_because:
            raise ValueError(f"cannot read [{start}, {end}) {self.silent_because}".rstrip())
        if self._up == self._down:
            return self._native(start, end)
        reach = ceil(_FILTER_REACH / min(self._up, self._down)) + 1
        first, last = start // self._up - reach, -(-end // self._up) + reach
        wide = resample_poly(self._native(first * self._down, last * self._down), self._up, self._down)
        skipped = start - first * self._up
        return np.ascontiguousarray(wide[skipped : skipped + end - start], np.float32)

    def problems(self, start: Fraction, end: Fraction | None) -> list[str]:
        """What was broken within ``[start, end)`` seconds of what has been read so far, and at which second."""
        found = sorted({at for at in self._faults if start <= at and (end is None or at < end)})
        notes = []
        if found:
            first, last = format_timecode(found[0]), format_timecode(found[-1])
            where = f"at {first}" if len(found) == 1 else f"at {len(found)} places from {first} to {last}"
            notes.append(f"sound is damaged or missing {where}; silence stands for what could not be decoded")
        if end is None and self._ended is not None:
            ended, stated = max(Fraction(0), Fraction(self._ended, self._rate)), self._stated_end
            if stated is not None and stated - ended > _CUT_OFF:
                texts = format_timecode(ended), format_timecode(stated)
                notes.append("the sound breaks off at {} of a stated {}".format(*texts))
        return notes

    def _find_origin(self) -> Fraction:
        """Seconds on the file's clock at which the first picture is shown, or the first sound where none can be."""
        if shows_pictures(self._path):
            try:
                video = open_video(self._path)
            except MediaError:
                pass  # Pictures that cannot be decoded here leave the sound's clock.
            else:
                try:
                    ticks = video.ticks(first_frame(self._path, video))
                    assert ticks is not None
                    return ticks * video.time_base
                except MediaError:
                    pass
                finally:
                    video.close()
        first = next(self._decoded(), None)
        self._faults.clear()
        return Fraction(0) if first is None or first.pts is None else first.pts * _time_base(first)

    def _open(self) -> AudioStream | None:
        """The sound stream of the container at its beginning, with a decoder that remembers nothing."""
        self._close()
        self._container = open_container(self._path)
        streams = self._container.streams.audio
        self._stream = streams[0] if streams else None
        return self._stream

    def _close(self) -> None:
        if self._container is not None:
            self._container.close()
            self._container = None

    def _begin(self, at: int | None = None) -> bool:
        """Make ready to read from native sample ``at`` on, or from the first of all; False where one cannot go."""
        stream = self._open()
        assert stream is not None and self._container is not None and stream.time_base is not None
        start, duration, base = stream.start_time, stream.duration, stream.time_base
        self._stated_end = None if duration is None or duration <= 0 else ((start or 0) + duration) * base - self.origin
        self._pieces: deque[tuple[int, Samples]] = deque()
        self._position: int | None = None
        self._source = self._placed()
        self._from: int | None = None
        if at is None:
            return True
        try:
            self._container.seek(round((Fraction(at, self._rate) + self.origin) / base), stream=stream)
        except av.FFmpegError:
            return False
        self._take()
        self._from = self._pieces[0][0] if self._pieces else None
        return self._from is not None

    def _native(self, start: int, end: int) -> Samples:
        """Samples ``[start, end)`` at the stream's own rate."""
        self._go_to(start)
        while (self._position is None or self._position < end) and self._take():
            self._forget(start - _KEPT_SECONDS * self._rate)
        window = np.zeros(end - start, np.float32)
        for at, piece in self._pieces:
            low, high = max(at, start), min(at + len(piece), end)
            if low < high:
                window[low - start : high - start] = piece[low - at : high - at]
        return window

    def _forget(self, until: int) -> None:
        """Let go of what was read before native sample ``until``."""
        while self._pieces and self._pieces[0][0] + len(self._pieces[0][1]) <= until:
            at, piece = self._pieces.popleft()
            self._from = at + len(piece)

    def _go_to(self, start: int) -> None:
        """Stand where nothing from native sample ``start`` on is lost, by seeking where that is quicker."""
        behind = self._from is not None and start < self._from
        position = self._position or 0
        ahead = start - position > _READ_ON_SECONDS * self._rate
        assert self._container is not None
        if self._ended is not None and start >= self._ended and not behind:
            return
        if not behind and not (ahead and self._can_seek):
            return
        for seconds in _BACK_OFF if self._can_seek else ():
            target = start - seconds * self._rate
            if target > 0 and self._begin(target) and self._from is not None and self._from <= start - self._rate // 4:
                return
        self._begin()

    @property
    def _can_seek(self) -> bool:
        assert self._container is not None
        return self._container.format.name.split(",")[0] in _EXACT_SEEK

    def _take(self) -> bool:
        """Read one more piece of sound; False at the end."""
        piece = next(self._source, None)
        if piece is None:
            self._ended = max(self._ended or 0, self._position or 0)
            return False
        self._pieces.append(piece)
        self._position = piece[0] + len(piece[1])
        return True

    def _placed(self) -> Iterator[tuple[int, Samples]]:
        """Pieces of sound, one channel, each with the native sample it begins at; none reaches into the next."""
        mixer: AudioResampler | None = None
        shape: tuple[Any, ...] = ()
        follows: int | None = None
        for frame in self._decoded():
            found = (frame.format.name, frame.layout.name, frame.sample_rate)
            if mixer is None or found != shape:
                mixer, shape = AudioResampler(format="flt", layout="mono", rate=self._rate), found
            if frame.pts is None and follows is None:
                continue
            at = follows
            if frame.pts is not None:
                at = round((frame.pts * _time_base(frame) - self.origin) * self._rate)
            assert at is not None
            if follows is None or abs(at - follows) <= _TREMBLE * self._rate:
                at = follows = at if follows is None else follows
            if at - follows > _GAP * self._rate:
                self._faults.append(max(Fraction(0), Fraction(follows, self._rate)))
            follows = max(at, follows)
            late = follows - at
            mono = [part.to_ndarray().reshape(-1) for part in mixer.resample(frame)]
            samples = np.concatenate(mono)[late:] if mono else np.empty(0, np.float32)
            if samples.size:
                yield follows, np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
                follows += samples.size

    def _decoded(self) -> Iterator[AudioFrame]:
        assert self._container is not None and self._stream is not None
        base = self._stream.time_base
        assert base is not None

        def note(ticks: int | None) -> None:
            if ticks is not None:
                self._faults.append(max(Fraction(0), ticks * base - self.origin))

        # What steps over damage does not care what a packet holds.
        asked = OpenedVideo(self._container, cast("VideoStream", self._stream))
        for packet in read_packets(asked, note):
            try:
                yield from cast("list[AudioFrame]", packet.decode())
            except av.FFmpegError:
                note(asked.ticks(packet))
        try:
            yield from self._stream.decode(None)
        except (EOFError, av.FFmpegError):
            return


def _time_base(frame: AudioFrame) -> Fraction:
    assert frame.time_base is not None
    return frame.time_base
