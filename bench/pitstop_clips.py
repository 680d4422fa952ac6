"""Clips for pit stops, cut from real footage, and what became of their timestamps; a process of its own.

python -m bench.pitstop_clips SOURCE TARGET EXCERPT    EXCERPT is the JSON of an :class:`Excerpt`
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer

#: Ticks a second of clips whose rate varies, and how long their frames are shown in turn, in ticks.
_FINE = 90_000
_UNEVEN = (3003, 1501, 7507, 3754, 2999, 12_013)
#: The display matrix of a player that has to turn the picture a quarter clockwise (16.16 and 2.30 fixed point).
_QUARTER = (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)


class Excerpt(msgspec.Struct, frozen=True):
    """``frames`` of a video from its frame ``first`` on, scaled. ``uneven`` shows them for changing lengths of time,
    ``turned`` asks players to turn them by a quarter, ``sound`` keeps the video's sound, from its beginning on.
    """

    width: int
    height: int
    frames: int
    first: int = 0
    uneven: bool = False
    turned: bool = False
    sound: bool = False


class Exactness(msgspec.Struct, frozen=True):
    """Frames of a source and of its annotated video as a plain decoder gives them.

    ``worst_ms`` is the largest difference between the times of two frames of the same number, ``sound_worst_ms`` of two
    packets of sound, None where there is no sound.
    """

    source_frames: int
    frames: int
    worst_ms: float
    sound_worst_ms: float | None = None


def write_excerpt(source: Path, target: Path, excerpt: Excerpt) -> None:
    """Encode an excerpt of ``source`` as H.264 to ``target``."""
    import av

    with av.open(str(source)) as read, av.open(str(target), "w") as written:
        shown = read.streams.video[0]
        rate = shown.average_rate or Fraction(25)
        base = Fraction(1, _FINE) if excerpt.uneven else 1 / rate
        stream = written.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = excerpt.width, excerpt.height, "yuv420p"
        stream.codec_context.time_base = stream.time_base = base
        if excerpt.turned:
            stream.set_display_matrix(_QUARTER)
        sound = written.add_stream_from_template(read.streams.audio[0]) if excerpt.sound else None
        for number, frame in enumerate(islice(read.decode(shown), excerpt.first, excerpt.first + excerpt.frames)):
            picture = frame.reformat(excerpt.width, excerpt.height, "yuv420p", interpolation="BICUBIC")
            # what the source made of it is not for the encoder to keep to
            picture.pict_type = 0
            picture.pts, picture.time_base = _tick(number) if excerpt.uneven else number, base
            written.mux(stream.encode(picture))
        written.mux(stream.encode())
        if sound is not None:
            read.seek(0)
            for packet in takewhile(lambda packet: _seconds(packet.dts, packet) < excerpt.frames / rate, _sound(read)):
                packet.stream = sound
                written.mux(packet)


def exactness(source: Path, annotated: Path) -> Exactness:
    """How the times of an annotated video are those of its source."""
    before, after = list(_times(source)), list(_times(annotated))
    heard, kept = list(_packet_times(source)), list(_packet_times(annotated))
    return Exactness(
        source_frames=len(before),
        frames=len(after),
        worst_ms=_worst(before, after),
        sound_worst_ms=_worst(heard, kept) if heard and len(heard) == len(kept) else None,
    )


def _tick(number: int) -> int:
    rounds, rest = divmod(number, len(_UNEVEN))
    return rounds * sum(_UNEVEN) + sum(_UNEVEN[:rest])


def _worst(before: list[Fraction], after: list[Fraction]) -> float:
    differences = (abs(one - other) for one, other in zip(before, after, strict=False))
    return float(1000 * max(differences, default=Fraction(0)))


def _times(path: Path) -> Iterator[Fraction]:
    import av

    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield _seconds(frame.pts, frame)


def _packet_times(path: Path) -> Iterator[Fraction]:
    import av

    with av.open(str(path)) as container:
        for packet in _sound(container) if container.streams.audio else ():
            yield _seconds(packet.pts, packet)


def _sound(container: InputContainer) -> Iterator[Packet]:
    """Packets of the first stream of sound, without the empty one that ends it."""
    return (packet for packet in container.demux(audio=0) if packet.dts is not None)


def _seconds(ticks: int | None, of: Packet | VideoFrame) -> Fraction:
    assert ticks is not None and of.time_base is not None
    return ticks * of.time_base


def main() -> None:
    parser = argparse.ArgumentParser(description="Cut a clip from a video.")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("excerpt")
    given = parser.parse_args()
    write_excerpt(given.source, given.target, msgspec.json.decode(given.excerpt, type=Excerpt))


if __name__ == "__main__":
    main()
