"""Small video files for tests, made on the spot, whose frames say which one they are.

A numbered picture is a grid of 4x4 black and white cells: six fix which way is up, the other ten hold the frame's
number. It survives lossy codecs, odd sizes and 4:2:0, and `read_number` refuses a picture that is turned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

from detect.stages.base import Image

# Six cells whose values no turn or mirroring of the picture leaves as they are.
_FIXED = {(0, 0): True, (0, 1): True, (1, 0): False, (0, 3): False, (3, 0): False, (3, 3): False}
_NUMBER_CELLS = [(row, column) for row in range(4) for column in range(4) if (row, column) not in _FIXED]

# Display matrices (3x3, 16.16 and 2.30 fixed point) by the clockwise turn a player has to make.
_ONE, _W = 1 << 16, 1 << 30
_MIRROR = (-_ONE, 0, 0, 0, _ONE, 0, 0, 0, _W)
_MATRICES = {
    90: (0, _ONE, 0, -_ONE, 0, 0, 0, 0, _W),
    180: (-_ONE, 0, 0, 0, -_ONE, 0, 0, 0, _W),
    270: (0, -_ONE, 0, _ONE, 0, 0, 0, 0, _W),
}


def numbered_picture(number: int, width: int = 128, height: int = 96) -> Image:
    """A BGR picture that shows a number below 1024."""
    bits = {cell: bool(number >> position & 1) for position, cell in enumerate(_NUMBER_CELLS)} | _FIXED
    picture = np.zeros((height, width, 3), np.uint8)
    for (row, column), lit in bits.items():
        picture[_span(row, height), _span(column, width)] = 235 if lit else 20
    return picture


def read_number(picture: Image) -> int:
    """The number a picture shows. Raises `ValueError` if it is turned, mirrored or no numbered picture."""
    height, width = picture.shape[:2]

    def lit(cell: tuple[int, int]) -> bool:
        middle = picture[_span(cell[0], height, margin=True), _span(cell[1], width, margin=True)]
        return bool(middle.mean() > 127)

    if any(lit(cell) != value for cell, value in _FIXED.items()):
        raise ValueError("the picture is turned, mirrored or no numbered picture")
    return sum(lit(cell) << position for position, cell in enumerate(_NUMBER_CELLS))


def _span(cell: int, length: int, *, margin: bool = False) -> slice:
    inset = length // 16 if margin else 0
    return slice(length * cell // 4 + inset, length * (cell + 1) // 4 - inset)


def write_clip(
    path: Path,
    frames: int | Iterable[Image],
    *,
    rate: Fraction | int = 25,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    codec: str = "libx264",
    size: tuple[int, int] = (128, 96),
    pixel_format: str = "yuv420p",
    gop: int = 12,
    b_frames: int = 0,
    rotation: int = 0,
    mirrored: bool = False,
    audio: bool = False,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write a video; the container follows from the path's suffix.

    `frames` is how many numbered pictures of `size` (width, height) to draw, or the upright BGR pictures themselves.
    Frame `i` is shown at `i / rate` seconds, or at `pts[i] * time_base` where `pts` is given. `rotation` is the
    clockwise turn a player has to make: the pictures are stored turned the other way; `mirrored` stores them mirrored
    and asks the player to undo it. `audio` adds a quiet tone.
    """
    pictures = (numbered_picture(i, *size) for i in range(frames)) if isinstance(frames, int) else frames
    base = time_base or 1 / Fraction(rate)
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=Fraction(rate), options=options or _quick(codec))
        assert isinstance(stream, VideoStream)
        stream.pix_fmt = pixel_format
        stream.codec_context.time_base = base
        stream.time_base = base
        stream.codec_context.gop_size = gop
        stream.codec_context.max_b_frames = b_frames
        if rotation:
            stream.set_display_matrix(_MATRICES[rotation])
        elif mirrored:
            stream.set_display_matrix(_MIRROR)
        sound = container.add_stream("aac", rate=48000) if audio else None
        last = Fraction(0)
        for index, picture in enumerate(pictures):
            turned = picture[:, ::-1] if mirrored else np.rot90(picture, rotation // 90)
            stored = np.ascontiguousarray(turned)
            if index == 0:
                stream.height, stream.width = stored.shape[:2]
            frame = av.VideoFrame.from_ndarray(stored, format="bgr24")
            frame.pts = pts[index] if pts is not None else index
            frame.time_base = base
            last = frame.pts * base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            _write_tone(container, sound, last)
    return path


def write_sound(path: Path, seconds: float = 1.0) -> Path:
    """Write a file with a tone and no picture."""
    with av.open(str(path), "w") as container:
        _write_tone(container, container.add_stream("aac", rate=48000), Fraction(seconds))
    return path


def cut_file(source: Path, target: Path, share: float) -> Path:
    """Copy the first `share` of a file's bytes, as a transfer that broke off leaves it."""
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target


def _quick(codec: str) -> dict[str, str]:
    return {
        "libx264": {"preset": "veryfast", "crf": "16"},
        "libx265": {"preset": "ultrafast", "crf": "16", "x265-params": "log-level=none"},
        "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "16", "b": "0"},
        "mpeg4": {"b": "4000000"},
        "mpeg2video": {"b": "4000000"},
    }.get(codec, {})


def _write_tone(container: av.container.OutputContainer, stream: av.AudioStream, seconds: Fraction) -> None:
    samples = 1024
    for start in range(0, int(seconds * 48000), samples):
        phase = np.arange(start, start + samples) * (2 * np.pi * 440 / 48000)
        tone = (0.05 * np.sin(phase)).astype(np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def cut_clip(source: Path, target: Path, seconds: float) -> Path:
    """The beginning of a video, its packets copied as they are."""
    with av.open(source) as given, av.open(target, "w") as made:
        streams = [stream for stream in given.streams if stream.type in ("video", "audio")]
        begin = (given.start_time or 0) / av.time_base
        copies = {stream.index: made.add_stream_from_template(stream) for stream in streams}
        for packet in given.demux(streams):
            if packet.dts is None or packet.pts is None or packet.pts * packet.time_base >= begin + seconds:
                continue
            packet.stream = copies[packet.stream.index]
            made.mux(packet)
    return target
