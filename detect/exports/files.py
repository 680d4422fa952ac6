"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from detect.errors import StorageError

_BLOCK = 1 << 20
_MODE = 0o644  # mkstemp makes files that only their owner can read; an export is for others too


def make_folder(path: Path) -> None:
    """Create a folder and those above it. Raises ``StorageError``."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot make the folder {path}: {error.strerror}") from error


def write_atomic(path: Path, body: bytes) -> Path:
    """Write a file beside its place and move it there: it is the old one or the new one, never a part.

    Raises ``StorageError``; nothing is left behind then.
    """
    return _place(path, lambda file: file.write(body))


def copy_atomic(source: Path, path: Path) -> Path:
    """The same with what another file holds, which may be larger than memory."""
    with source.open("rb") as content:
        return _place(path, lambda file: shutil.copyfileobj(content, file, _BLOCK))


def _place(path: Path, write: Callable[[BinaryIO], object]) -> Path:
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            write(file)
        temporary.chmod(_MODE)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise StorageError(f"cannot write {path}: {error.strerror}") from error
    return path
