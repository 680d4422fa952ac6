"""Opening a video file: which files are accepted, which of its streams is the video, what its clock says."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from detect.errors import MediaError

MAX_PIXELS = 8192 * 8192

# Demuxers that read one local file and nothing else. Playlists (hls, concat, dash) could make a file that somebody
# uploaded read other files or addresses; picture and text "videos" (image2, tty) are not what is meant by a video.
_VIDEO_FORMATS = "mov matroska webm avi mpegts mpeg flv asf ogg mxf nut h264 hevc"
_AUDIO_FORMATS = "wav w64 flac mp3 aac aiff amr ac3 eac3 caf"
_FORMAT_WHITELIST = ",".join(f"{_VIDEO_FORMATS} {_AUDIO_FORMATS}".split())

# Formats in which a seek gives the same timestamps as reading from the start. A program stream (mpeg) does not.
_EXACT_SEEK = frozenset({"mov", "matroska", "avi", "mpegts", "flv", "asf", "mxf", "nut"})

_IMAGE_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (8, b"WEBP", "WebP"),
    (4, b"ftypheic", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
    (4, b"ftypavif", "AVIF"),
)
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip")


@dataclass(frozen=True)
class OpenedVideo:
    """A container standing at its beginning, and the one stream of it that is looked at."""

    container: InputContainer
    stream: VideoStream

    @property
    def format(self) -> str:
        """Short name of the container's format, such as `mov` or `matroska`."""
        return self.container.format.name.split(",")[0]

    @property
    def time_base(self) -> Fraction:
        """Length of a tick in seconds."""
        assert self.stream.time_base is not None
        return self.stream.time_base

    @property
    def can_seek_exactly(self) -> bool:
        return self.format in _EXACT_SEEK

    @property
    def skips_silently(self) -> bool:
        """Whether the demuxer steps over damaged parts without saying so."""
        return self.format == "matroska"

    def ticks(self, item: VideoFrame | Packet[VideoStream]) -> int | None:
        """When a frame, or the picture in a packet, is shown, in ticks; None where the file does not say.

        AVI knows no presentation timestamps, those found in it are guesses; its decoding timestamps, which a decoder
        passes on in showing order, are what its frames are timed by.
        """
        if item.pts is None or self.format == "avi":
            return item.dts
        return item.pts

    def stated_duration(self, origin: int) -> Fraction | None:
        """Seconds from the first frame's ticks, `origin`, to the end of the video as the file states it, or None.

        A container's own length stands in for the stream's only where no other stream can be the longer one. Flash
        video is not asked: its length is that of the last decoding timestamp.
        """
        if self.format == "flv":
            return None
        if self.stream.duration is not None and self.stream.duration > 0:
            return self.stream.duration * self.time_base
        end = _parse_duration_tag(self.stream.metadata.get("DURATION", ""))
        if end is None and len(self.container.streams) == 1:
            end = self.container_end()
        return self.since(origin, end)

    def container_end(self) -> Fraction | None:
        """The last timestamp of any stream in seconds, as the file states it or as it could be estimated."""
        stated = self.container.duration
        return Fraction(stated, av.time_base) if stated is not None and stated > 0 else None

    def since(self, origin: int, end: Fraction | None) -> Fraction | None:
        """Seconds from `origin` ticks to an end: Matroska states where it ends, others how long it is."""
        if end is None or self.format != "matroska":
            return end
        return max(Fraction(0), end - origin * self.time_base) or None

    def close(self) -> None:
        self.container.close()


def open_video(path: Path, *, threads: int = 2) -> OpenedVideo:
    """Open a file and choose its video stream, set up to decode on `threads` threads.

    Raises:
        MediaError: the file is missing, no file, empty, not permitted, a still image, no video, without a video
            stream, or in a codec that cannot be decoded here.
    """
    container = open_container(path)
    try:
        stream = _video_stream(path, container)
    except MediaError:
        container.close()
        raise
    # Slices and frames: whichever the codec can spread over threads.
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = threads
    return OpenedVideo(container, stream)


def open_container(path: Path) -> InputContainer:
    """Open a file of pictures or sound, standing at its beginning.

    Raises:
        MediaError: the file is missing, no file, empty, not permitted, a still image, or in no format that is read.
    """
    head = _read_head(path)
    try:
        container = av.open(
            str(path),
            mode="r",
            container_options={"format_whitelist": _FORMAT_WHITELIST},
            metadata_errors="replace",
        )
    except av.FFmpegError as error:
        raise MediaError(_why_not_opened(path, head)) from error
    if not container.streams:
        container.close()
        raise MediaError(_why_not_opened(path, head))
    return container


def shows_pictures(path: Path) -> bool:
    """Whether a file has a stream of pictures that is no cover. Raises ``MediaError`` as ``open_container`` does."""
    container = open_container(path)
    try:
        return bool(_moving_pictures(container))
    finally:
        container.close()


def _moving_pictures(container: InputContainer) -> list[VideoStream]:
    return [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]


def _read_head(path: Path) -> bytes:
    """The first bytes of a regular, readable, non-empty file. Raises `MediaError` otherwise."""
    try:
        if not path.exists():
            raise MediaError(f"{path}: there is no such file")
        if not path.is_file():
            what = "a folder" if path.is_dir() else "not a regular file"
            raise MediaError(f"{path}: is {what}, not a video")
        with path.open("rb") as file:
            head = file.read(64)
    except PermissionError as error:
        raise MediaError(f"{path}: may not be read, permission denied") from error
    except OSError as error:
        raise MediaError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not head:
        raise MediaError(f"{path}: is empty (0 bytes)")
    for offset, signature, name in _IMAGE_SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            raise MediaError(f"{path}: is a still image ({name}), not a video")
    return head


def _why_not_opened(path: Path, head: bytes) -> str:
    if head[4:8] in _MP4_BOXES:
        return (
            f"{path}: is an MP4 or MOV file without a usable index (moov): it was cut off, or is still being written; "
            "copy or export it again"
        )
    return f"{path}: is not a video in a format that can be read (mp4, mov, mkv, webm, avi, ts, …)"


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    """The video stream to look at: the first that is no cover picture."""
    streams = _moving_pictures(container)
    if not streams:
        raise MediaError(f"{path}: has no video stream{' (sound only)' if container.streams.audio else ''}")
    stream = streams[0]
    if stream.codec_context is None:
        raise MediaError(f"{path}: its video codec cannot be decoded here; convert it to H.264")
    if stream.width * stream.height > MAX_PIXELS:
        size = f"{stream.width}x{stream.height}"
        raise MediaError(f"{path}: pictures of {size} are too large, at most {MAX_PIXELS} pixels")
    return stream


def _parse_duration_tag(text: str) -> Fraction | None:
    """Seconds of Matroska's DURATION tag, `HH:MM:SS.nnnnnnnnn`."""
    parts = text.split(":")
    if len(parts) != 3:
        return None
    try:
        hours, minutes, seconds = int(parts[0]), int(parts[1]), Fraction(parts[2].strip("\x00 "))
    except ValueError:
        return None
    total = 3600 * hours + 60 * minutes + seconds
    return total if total > 0 else None
