"""Files below the allowed folders, held open: what was allowed is what is read, whatever is exchanged in between.

``allowed_file`` tells where a path leads at one moment. Here that place is reached folder by folder, each opened in the
one before and none through a link, and read through the handle that this ends with.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from detect.errors import MediaprocError, NotFoundError
from mediaproc.roots import RootError, allowed_file, allowed_folder, root_of

#: Folders in folders; nobody keeps videos deeper, and every file costs as many steps.
_DEEPEST = 40
_LONGEST_SHOWN = 200


@dataclass(frozen=True)
class OpenedFile:
    """A file below a root that is held open. ``file`` leads to it and to nothing else, whatever becomes of its name;
    ``real`` is where it was found.
    """

    file: Path
    real: Path


@dataclass(frozen=True)
class FoundFile:
    """What lies in a folder, ``path`` relative to it, with ``/``: its size, its last change, or why it is not read.

    A folder inside is told of only where it has a ``problem``.
    """

    path: str
    size_bytes: int = 0
    modified_ns: int = 0
    problem: str = ""
    is_folder: bool = False


@contextmanager
def opened_file(text: str, *, name: str = "") -> Iterator[OpenedFile]:
    """Hold a file open that ``allowed_file`` allows; errors of the block speak of it as ``name``, or where it lies.

    It is reached folder by folder without following links, so one that was exchanged since for a link, or that lies in
    a folder that was, is refused. Raises as ``allowed_file`` does.
    """
    real = allowed_file(text)
    with _opened_real(real, text) as (folder, parts), _held(folder, parts, text, name or str(real)) as file:
        yield OpenedFile(file, real)


@contextmanager
def opened_folder(text: str) -> Iterator[int]:
    """Hold a folder open that ``allowed_folder`` allows, in the same way, for ``opened_below`` and ``files_below``."""
    with _opened_real(allowed_folder(text), text) as (root, parts):
        handle = _descend(root, parts, text)
        try:
            yield handle
        finally:
            os.close(handle)


@contextmanager
def opened_below(folder: int, path: str) -> Iterator[Path]:
    """A path that leads to the file at ``path`` below an opened folder and to nothing else; links are not followed.

    Errors of the block speak of it as ``path``. Raises RootError for a path that leads out or through a link,
    NotFoundError where no file is there.
    """
    with _held(folder, inner_path(path).parts, path, path) as file:
        yield file


def inner_path(text: str) -> PurePosixPath:
    """A path within a folder. Raises RootError for one that is absolute, has ``..`` or NUL in it, or names nothing."""
    path = PurePosixPath(text)
    if path.is_absolute() or not path.parts or ".." in path.parts or not text.isprintable():
        raise RootError(f"{_short(text)} is not in the folder: give a path relative to it, without '..'.")
    return path


def files_below(folder: int, *, without: Collection[tuple[int, int]] = ()) -> Iterator[FoundFile]:
    """Files below an opened folder, hidden ones left out, each folder's by name and then those of its folders.

    Links are told of, not followed. ``without`` are folders to leave out, by device and inode.
    """
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        parts = waiting.pop()
        try:
            entries = _listed(folder, parts)
        except (OSError, MediaprocError) as error:
            reason = getattr(error, "strerror", None) or "it is gone, or has become a link"
            yield FoundFile(_shown(parts), problem=f"the folder cannot be listed: {reason}", is_folder=True)
            continue
        folders = []
        for name, status in entries:
            inner = (*parts, name)
            if not stat.S_ISDIR(status.st_mode):
                yield _found(inner, status)
            elif len(inner) > _DEEPEST:
                reason = f"lies more than {_DEEPEST} folders deep: move it up"
                yield FoundFile(_shown(inner), problem=reason, is_folder=True)
            elif (status.st_dev, status.st_ino) not in without:
                folders.append(inner)
        waiting += reversed(folders)


def _listed(folder: int, parts: tuple[str, ...]) -> list[tuple[str, os.stat_result]]:
    """Names in the folder at ``parts`` and what they are, sorted; hidden ones and what went meanwhile are left out."""
    inside = _descend(folder, parts, _shown(parts))
    try:
        handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=inside)
    finally:
        os.close(inside)
    try:
        with os.scandir(handle) as found:
            told = ((entry.name, _status(entry)) for entry in found if not entry.name.startswith("."))
            return sorted((name, status) for name, status in told if status is not None)
    finally:
        os.close(handle)


def _found(parts: tuple[str, ...], status: os.stat_result) -> FoundFile:
    path = "/".join(parts)
    problem = ""
    if not path.isprintable():
        problem = "its name has characters that cannot be shown: rename it"
    elif stat.S_ISLNK(status.st_mode):
        problem = "is a link: links are not followed"
    elif not stat.S_ISREG(status.st_mode):
        problem = "is not a regular file"
    return FoundFile(_shown(parts), status.st_size, status.st_mtime_ns, problem)


def _shown(parts: tuple[str, ...]) -> str:
    """A path as text that can be kept and shown whatever it is made of."""
    path = "/".join(parts) or "."
    return path if path.isprintable() else ascii(path)[1:-1]


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except OSError:
        return None


@contextmanager
def _opened_real(real: Path, text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The root that ``real`` lies in, opened, and the names from there on."""
    root = root_of(real)
    if root is None:
        raise _through_link(text)
    try:
        handle = os.open(root, os.O_PATH | os.O_DIRECTORY)
    except OSError as error:
        raise NotFoundError(f"{_short(text)} is not there.") from error
    try:
        yield handle, real.relative_to(root).parts
    finally:
        os.close(handle)


@contextmanager
def _held(folder: int, parts: tuple[str, ...], text: str, name: str) -> Iterator[Path]:
    inside = _descend(folder, parts[:-1], text)
    try:
        handle = _enter(inside, parts[-1], os.O_PATH | os.O_NOFOLLOW, text)
    finally:
        os.close(inside)
    # the process by its number: in a program that it starts, "self" would be that one
    path = Path(f"/proc/{os.getpid()}/fd/{handle}")
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISLNK(mode):
            raise _through_link(text)
        if not stat.S_ISREG(mode):
            raise NotFoundError(f"{_short(text)} is not a file.")
        yield path
    except Exception as error:
        _speak_of(error, path, name)
        raise
    finally:
        os.close(handle)


def _descend(folder: int, parts: tuple[str, ...], text: str) -> int:
    """The folder of those names, each in the one before, as a handle that is the caller's."""
    handle = os.dup(folder)
    for part in parts:
        try:
            inner = _enter(handle, part, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY, text)
        finally:
            os.close(handle)
        handle = inner
    return handle


def _enter(folder: int, name: str, flags: int, text: str) -> int:
    try:
        return os.open(name, flags, dir_fd=folder)
    except NotADirectoryError as error:  # what a link is told to be, too
        raise _through_link(text) from error
    except FileNotFoundError as error:
        raise NotFoundError(f"{_short(text)} is not there.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file could be called that"
        raise NotFoundError(f"{_short(text)} cannot be reached: {reason}.") from error


def _through_link(text: str) -> RootError:
    return RootError(f"{_short(text)} leads through a link, or through what is no folder: links are not followed.")


def _short(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")


def _speak_of(error: Exception, path: Path, name: str) -> None:
    """Have an error tell of a file by the name that people know, not by the one it was read under."""
    if isinstance(error, MediaprocError):
        error.message = re.sub(rf"{re.escape(str(path))}(?!\d)", lambda _: name, error.message)
        error.args = (error.message,)
    elif isinstance(error, OSError) and error.filename == str(path):
        error.filename = name
