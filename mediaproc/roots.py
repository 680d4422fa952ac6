"""Folders on this machine's disks whose files may be named in requests: ``MEDIAPROC_ROOTS``, and nothing outside."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from detect.errors import MediaprocError, NotFoundError


class RootError(MediaprocError):
    """A path that leads, or may lead, out of the allowed folders. It does not tell whether anything is there."""

    code = "outside_roots"
    status = 403


def allowed_roots() -> list[Path]:
    """The allowed folders that are there, without links."""
    return [root for root in _real_roots() if root.is_dir()]


def allowed_path(text: str) -> Path:
    """The real path, without links, of a file or folder in an allowed root: absolute, or relative to a root.

    Raises RootError for a path outside of every root, with ``..`` or a NUL in it, or through a link that leads out;
    NotFoundError where nothing is there.
    """
    places = list(_places(_checked(text)))
    if not places:
        raise _outside(text)
    for real in filter(None, map(_real, places)):
        if root_of(real) is None:
            raise _outside(text)
        if _mode(real) is not None:
            return real
    raise NotFoundError(f"There is no {text!r} in the allowed folders ({_named()}).")


def allowed_file(text: str) -> Path:
    """As ``allowed_path``, of a regular file: raises NotFoundError for a folder, a device or a pipe too."""
    path = allowed_path(text)
    mode = _mode(path)
    if mode is None or not stat.S_ISREG(mode):
        raise NotFoundError(f"{text!r} is not a file.")
    return path


def allowed_folder(text: str) -> Path:
    """As ``allowed_path``, of a folder: raises NotFoundError for anything else."""
    path = allowed_path(text)
    mode = _mode(path)
    if mode is None or not stat.S_ISDIR(mode):
        raise NotFoundError(f"{text!r} is not a folder.")
    return path


def root_of(real: Path) -> Path | None:
    """The allowed folder, without links, in which a path without links lies."""
    return next((root for root in _real_roots() if real.is_relative_to(root)), None)


def _checked(text: str) -> Path:
    given = Path(text)
    if not text or not text.isprintable() or ".." in given.parts:
        raise _outside(text)
    return given


def _places(given: Path) -> Iterator[Path]:
    """Where ``given`` may lie: itself when it is written as below a root, a relative one below each root."""
    written = [Path(root).absolute() for root in settings.ROOTS]
    if not given.is_absolute():
        yield from (root / given for root in written)
    elif any(given.is_relative_to(root) for root in (*written, *_real_roots())):
        yield given


def _real_roots() -> list[Path]:
    return [root for given in settings.ROOTS if (root := _real(Path(given))) is not None]


def _real(path: Path) -> Path | None:
    """Where ``path`` leads, there or not; None for a circle of links and for what no file could be called."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return None


def _mode(path: Path) -> int | None:
    """What kind of thing lies there; None for nothing, or nothing that this process may see."""
    try:
        return path.lstat().st_mode
    except (OSError, ValueError):
        return None


def _outside(text: str) -> RootError:
    if not settings.ROOTS:
        return RootError("No folder is allowed here: set MEDIAPROC_ROOTS, or upload the video.")
    return RootError(
        f"{text!r} is not in an allowed folder. Allowed: {_named()}; without '..' and links that lead out."
    )


def _named() -> str:
    return ", ".join(str(root) for root in settings.ROOTS)
