"""Disks that are small, fill up, and are made larger: file systems in memory, which only root can mount."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Disk:
    """A file system of its own mounted at ``path``."""

    path: Path

    def resize(self, size: str) -> None:
        """Make it ``size``, as ``64m``; what lies on it stays."""
        _mount("-o", f"remount,size={size}", str(self.path))

    def fill(self, leave: int = 0) -> Path:
        """Write a file that takes all space but ``leave`` bytes, and return its path."""
        ballast = self.path / "ballast"
        with ballast.open("wb") as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
            except OSError:
                pass  # full, as it was meant to be
            file.truncate(max(0, ballast.stat().st_size - leave))
        return ballast

    def close(self) -> None:
        """Let nobody write any more."""
        _mount("-o", "remount,ro", str(self.path))

    def open(self) -> None:
        _mount("-o", "remount,rw", str(self.path))


@contextmanager
def disk(path: Path, size: str, mode: str = "0711") -> Iterator[Disk]:
    """Mount an empty disk at ``path``, made where it is not there. Skips the test where mounting is not allowed."""
    path.mkdir(parents=True, exist_ok=True)
    try:
        _mount("-t", "tmpfs", "-o", f"size={size},mode={mode}", "tmpfs", str(path))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no disk can be mounted here: {error.stderr.decode().strip()}")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)
