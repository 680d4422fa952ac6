"""Decoding one stream from where its container stands, stepping over what is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from detect.errors import MediaError
from detect.media.container import OpenedVideo

# A demuxer that fails this often in a row without giving a packet will not give one again.
_MAX_FAILED_READS = 64
# More bytes than this between two packets are no headers but data that a demuxer stepped over.
_MAX_SKIPPED_BYTES = 4096

OnFault = Callable[[int | None], None]


def decode_from_start(video: OpenedVideo, on_fault: OnFault) -> Iterator[VideoFrame]:
    """All frames of a container that was just opened, in the order in which they are shown.

    `on_fault` is called for each part that cannot be read or decoded, with the ticks near which it lies, if known.
    """
    for packet in read_packets(video, on_fault):
        yield from _decode(video, packet, on_fault)
    yield from _drain(video, on_fault)


def decode_from_key(video: OpenedVideo, target: int, on_fault: OnFault) -> Iterator[VideoFrame]:
    """Frames from the last I-frame at or before `target` ticks on; from a later one where the seek is not exact.

    What precedes the I-frame in showing order leans on pictures before it, which were not decoded: it is left out.
    Raises `av.FFmpegError` where the container cannot seek.
    """
    video.container.seek(target, stream=video.stream)
    key_ticks: int | None = None
    started = False
    for packet in read_packets(video, on_fault):
        if not started:
            if not packet.is_keyframe:
                continue
            started, key_ticks = True, video.ticks(packet)
        for frame in _decode(video, packet, on_fault):
            if not _precedes(video.ticks(frame), key_ticks):
                yield frame
    for frame in _drain(video, on_fault):
        if not _precedes(video.ticks(frame), key_ticks):
            yield frame


def first_frame(path: Path, video: OpenedVideo) -> VideoFrame:
    """The first frame that can be decoded of a video just opened; it has a timestamp.

    Raises:
        MediaError: there is none, or it has no timestamp.
    """
    frame = next(decode_from_start(video, lambda _: None), None)
    if frame is None:
        raise MediaError(f"{path}: no frame of it can be decoded; the file is damaged or protected")
    if video.ticks(frame) is None:
        raise MediaError(f"{path}: has no timestamps (a bare stream); put it into a container such as mp4 or mkv")
    return frame


def _precedes(ticks: int | None, key_ticks: int | None) -> bool:
    return ticks is not None and key_ticks is not None and ticks < key_ticks


def read_packets(video: OpenedVideo, on_fault: OnFault) -> Iterator[Packet[VideoStream]]:
    """The stream's packets that hold something, up to the end or to where nothing more can be read."""
    position: int | None = None
    end_byte: int | None = None
    failed = 0
    packets = _demux(video)
    while failed < _MAX_FAILED_READS:
        try:
            packet = next(packets)
        except (StopIteration, IndexError):
            # PyAV ends with an IndexError where a stream turned up that was not there on opening.
            return
        except av.FFmpegError:
            failed += 1
            on_fault(position)
            packets = _demux(video)
            continue
        failed = 0
        # Empty ones stand for dropped frames, and for the end; to a decoder any would mean the end.
        if not packet.size:
            continue
        if video.skips_silently and packet.pos is not None:
            if end_byte is not None and packet.pos - end_byte > _MAX_SKIPPED_BYTES:
                on_fault(position)
            end_byte = packet.pos + packet.size
        if packet.stream_index == video.stream.index:
            position = video.ticks(packet)
            if packet.is_corrupt:
                on_fault(position)
            yield packet


def _demux(video: OpenedVideo) -> Iterator[Packet[VideoStream]]:
    """Packets of the video, and of all other streams where only the whole shows that a part was skipped."""
    streams = video.container.streams if video.skips_silently else (video.stream,)
    return cast("Iterator[Packet[VideoStream]]", video.container.demux(*streams))


def _decode(video: OpenedVideo, packet: Packet[VideoStream], on_fault: OnFault) -> list[VideoFrame]:
    try:
        return packet.decode()
    except av.FFmpegError:
        on_fault(video.ticks(packet))
        return []


def _drain(video: OpenedVideo, on_fault: OnFault) -> list[VideoFrame]:
    """What the decoder still holds at the end: a few frames, one for each thread and reordered picture."""
    try:
        return video.stream.decode(None)
    except EOFError:
        return []
    except av.FFmpegError:
        on_fault(None)
        return []
