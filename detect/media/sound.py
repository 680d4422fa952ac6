"""A video's sound for its annotated copy: packet by packet where MP4 can hold it, as AAC where it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, cast

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from detect.media.container import open_video
from detect.media.decoding import read_packets

_MP4_HOLDS = frozenset({"aac", "mp3", "opus", "ac3", "eac3", "flac", "alac"})
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_AAC_LAYOUTS = frozenset({"mono", "stereo", "5.1"})
_BITS_A_CHANNEL = 96_000


class Sound:
    """The first sound stream of a video; use it as a context manager. Raises :class:`MediaError` on entering.

    ``fate`` says what becomes of it: ``none`` where there is no sound, ``left out`` where it cannot be decoded.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.fate: Literal["none", "copied", "converted", "left out"] = "none"
        self._target: AudioStream | None = None

    def __enter__(self) -> Self:
        self._video = open_video(self._path)
        streams = self._video.container.streams.audio
        if streams:
            self._source = streams[0]
            self.fate = self._choose(self._source)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._video.close()

    @property
    def is_kept(self) -> bool:
        return self.fate in ("copied", "converted")

    @staticmethod
    def _choose(stream: AudioStream) -> Literal["copied", "converted", "left out"]:
        context = stream.codec_context
        if context is None or not context.sample_rate or not context.layout.nb_channels:
            return "left out"
        return "copied" if context.codec.canonical_name in _MP4_HOLDS else "converted"

    def begin(self, container: OutputContainer) -> None:
        """Add the stream to a file that is to be written."""
        if self.fate == "copied":
            self._target = container.add_stream_from_template(self._source)
            return
        context = self._source.codec_context
        rate = min((rate for rate in _AAC_RATES if rate >= context.sample_rate), default=48000)
        layout = context.layout.name if context.layout.name in _AAC_LAYOUTS else "stereo"
        self._target = container.add_stream("aac", rate=rate, layout=layout)
        self._target.bit_rate = _BITS_A_CHANNEL * self._target.codec_context.layout.nb_channels

    def packets(self, shift: Fraction) -> Iterator[tuple[Fraction, Packet]]:
        """Packets with the seconds they start at, moved by ``shift`` seconds, to be muxed one by one."""
        assert self._target is not None
        latest: int | None = None
        for packet in self._copied(shift) if self.fate == "copied" else self._converted(shift):
            assert packet.dts is not None and packet.time_base is not None
            # Broken files repeat or go back; a muxer takes only what follows.
            if latest is None or packet.dts > latest:
                latest = packet.dts
                packet.stream = self._target
                yield packet.dts * packet.time_base, packet

    def _read(self) -> Iterator[Packet[AudioStream]]:
        """The stream's packets, up to where nothing more can be read."""
        # What steps over damage does not care what a packet holds.
        asked = replace(self._video, stream=cast("VideoStream", self._source))
        return cast("Iterator[Packet[AudioStream]]", read_packets(asked, lambda _: None))

    def _copied(self, shift: Fraction) -> Iterator[Packet]:
        for packet in self._read():
            if packet.dts is None and packet.pts is None:
                continue
            assert packet.time_base is not None
            ticks = round(shift / packet.time_base)
            dts = packet.pts if packet.dts is None else packet.dts
            pts = packet.dts if packet.pts is None else packet.pts
            assert dts is not None and pts is not None
            packet.dts, packet.pts = dts + ticks, pts + ticks
            yield packet

    def _converted(self, shift: Fraction) -> Iterator[Packet]:
        assert self._target is not None
        context = self._target.codec_context
        # `async` fills what is missing with silence and cuts what is too much, so that sound stays with the picture.
        resampler = AudioResampler(
            format=context.format, layout=context.layout, rate=context.sample_rate, options={"async": "1"}
        )
        for frame in self._decoded(shift):
            for suited in resampler.resample(frame):
                yield from self._target.encode(suited)
        for suited in resampler.resample(None):
            yield from self._target.encode(suited)
        yield from self._target.encode(None)

    def _decoded(self, shift: Fraction) -> Iterator[AudioFrame]:
        shape: tuple[str, str, int] | None = None
        for packet in self._read():
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            for frame in frames:
                found = (frame.format.name, frame.layout.name, frame.sample_rate)
                shape = shape or found
                if frame.pts is None or found != shape:
                    continue
                assert frame.time_base is not None
                frame.pts += round(shift / frame.time_base)
                yield frame
