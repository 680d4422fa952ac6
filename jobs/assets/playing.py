"""An asset's video as it is sent to a player."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from types import MappingProxyType

from detect.errors import NotFoundError, StorageError
from detect.models import SourceAsset
from jobs.assets.intake import stored_key
from mediaproc.rangedfiles import DiskFile, RangedFile, stored_file
from mediaproc.roots import RootError, allowed_file, allowed_roots

_TYPES = MappingProxyType(
    {
        ".mp4": "video/mp4",
        ".m4v": "video/mp4",
        ".mov": "video/quicktime",
        ".mkv": "video/x-matroska",
        ".webm": "video/webm",
        ".avi": "video/x-msvideo",
        ".ts": "video/mp2t",
        ".mts": "video/mp2t",
        ".m2ts": "video/mp2t",
        ".mpg": "video/mpeg",
        ".mpeg": "video/mpeg",
        ".flv": "video/x-flv",
        ".wmv": "video/x-ms-wmv",
        ".asf": "video/x-ms-asf",
        ".mxf": "application/mxf",
        ".ogv": "video/ogg",
        ".flac": "audio/flac",
        ".wav": "audio/wav",
        ".mp3": "audio/mpeg",
        ".m4a": "audio/mp4",
        ".ogg": "audio/ogg",
        ".oga": "audio/ogg",
        ".opus": "audio/ogg",
        ".aac": "audio/aac",
    }
)


def video_type(asset: SourceAsset) -> str:
    """The media type of the asset's video, or of its sound where that is all, by its name."""
    return _TYPES.get(PurePosixPath(asset.path).suffix.lower(), "application/octet-stream")


def asset_video_file(asset: SourceAsset) -> RangedFile:
    """The asset's video where it lies: a file, which work may read, or an object in storage.

    Raises NotFoundError where it is gone, has another content by now or may not be read any more, StorageError where
    disk or bucket are in trouble.
    """
    try:
        file = _open(asset.path)
    except (FileNotFoundError, NotADirectoryError, NotFoundError, RootError) as error:
        raise NotFoundError("The video file is not there any more.") from error
    except OSError as error:
        raise StorageError(f"The video file cannot be read: {error.strerror or error}") from error
    if file.size != asset.probe.get("size_bytes", file.size):
        raise NotFoundError("The video file is not the one that was analysed any more.")
    return file


def _open(place: str) -> RangedFile:
    key = stored_key(place)
    if key is not None:
        return stored_file(key)
    path = Path(place)
    if any(path.is_relative_to(root) for root in allowed_roots()):
        path = allowed_file(place)  # it may have become a link that leads elsewhere
    return DiskFile.open(path)
