"""What a file of sound alone holds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from detect.errors import MediaError
from detect.media.container import open_container


@dataclass(frozen=True)
class SoundFacts:
    """The first sound stream: ``start`` and ``duration`` in seconds, as stated, or measured where nothing is stated."""

    duration: Fraction
    start: Fraction
    time_base: Fraction
    codec: str
    container: str


def sound_facts(path: Path) -> SoundFacts:
    """Raises ``MediaError`` for a file without sound, and one of whose sound nothing can be decoded."""
    container = open_container(path)
    try:
        stream = container.streams.audio[0] if container.streams.audio else None
        if stream is None:
            raise MediaError(f"{path}: has neither pictures nor sound")
        assert stream.time_base is not None
        if stream.codec_context is None:
            raise MediaError(f"{path}: its sound is in a codec that cannot be decoded here")
        start = _first_ticks(path, container, stream) * stream.time_base
        return SoundFacts(
            duration=_stated(container, stream) or _measured(path),
            start=start,
            time_base=stream.time_base,
            codec=stream.codec_context.codec.canonical_name,
            container=container.format.name.split(",")[0],
        )
    finally:
        container.close()


def _first_ticks(path: Path, container: InputContainer, stream: AudioStream) -> int:
    try:
        for frame in container.decode(stream):
            return frame.pts or 0
    except av.FFmpegError:
        pass  # as good as nothing
    raise MediaError(f"{path}: no sound of it can be decoded; it is damaged, or was cut off")


def _stated(container: InputContainer, stream: AudioStream) -> Fraction | None:
    assert stream.time_base is not None
    if stream.duration is not None and stream.duration > 0:
        return stream.duration * stream.time_base
    if container.duration is not None and container.duration > 0:
        return Fraction(container.duration, av.time_base)
    return None


def _measured(path: Path) -> Fraction:
    """Seconds that the packets span."""
    container = open_container(path)
    end = Fraction(0)
    begin: Fraction | None = None
    try:
        for packet in container.demux(container.streams.audio[0]):
            if packet.pts is not None and packet.time_base is not None:
                at = packet.pts * packet.time_base
                begin = at if begin is None else begin
                end = max(end, at + (packet.duration or 0) * packet.time_base)
    except av.FFmpegError:
        pass  # what comes before the damage counts
    finally:
        container.close()
    return end - (begin or Fraction(0))
