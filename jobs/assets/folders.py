"""What lies in the allowed folders, for a person who chooses a video there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from detect.errors import MediaError
from jobs.assets.intake import VIDEO_SUFFIXES
from mediaproc.roots import RootError, allowed_folder, allowed_path, allowed_roots

#: More than a person looks through; the rest is reached by its path.
_MOST = 2000


@dataclass(frozen=True)
class Entry:
    """A folder, or a video with its size in bytes. ``path`` is absolute."""

    name: str
    path: str
    kind: Literal["folder", "video"]
    size_bytes: int | None = None


@dataclass(frozen=True)
class Listing:
    """A folder's contents: folders first, each by name. At the top ``path`` is empty and the roots are the entries.

    ``parent`` is the folder above, empty for the top, None at the top.
    """

    path: str
    parent: str | None
    entries: list[Entry]
    more: bool = False


def list_folder(text: str) -> Listing:
    """Folders and videos in a folder below an allowed root; links that lead out are left out.

    Raises RootError and NotFoundError as ``allowed_folder`` does, and MediaError for a folder that may not be read.
    """
    if not text:
        return Listing("", None, [Entry(str(root), str(root), "folder") for root in allowed_roots()])
    folder = allowed_folder(text)
    parent = "" if folder in allowed_roots() else str(folder.parent)
    try:
        with os.scandir(folder) as found:
            entries = [entry for item in found if (entry := _entry(item, folder)) is not None]
    except OSError as error:
        raise MediaError(f"{folder} cannot be listed: {error.strerror or error}") from error
    entries.sort(key=lambda entry: (entry.kind != "folder", entry.name.casefold(), entry.name))
    return Listing(str(folder), parent, entries[:_MOST], more=len(entries) > _MOST)


def _entry(item: os.DirEntry[str], folder: Path) -> Entry | None:
    if item.name.startswith(".") or not item.name.isprintable():
        return None
    try:
        if item.is_symlink():
            allowed_path(str(folder / item.name))
        if item.is_dir():
            return Entry(item.name, item.path, "folder")
        if item.is_file() and Path(item.name).suffix.lower() in VIDEO_SUFFIXES:
            return Entry(item.name, item.path, "video", item.stat().st_size)
    except (OSError, RootError):
        pass  # gone since, not to be looked at, or a link that leads out
    return None
