"""Facts about the machine and the software a figure was measured with: without them it means nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec
import psutil

from bench.process import PROJECT_ROOT

_PACKAGES = ("av", "numpy", "onnxruntime", "opencv-python-headless", "openvino", "rapidfuzz", "rapidocr")


class Machine(msgspec.Struct, frozen=True):
    """``cores`` are those this process may use; ``load`` is the load average of the last minute before measuring."""

    cores: int
    processor: str
    memory: int
    system: str
    python: str
    packages: dict[str, str]
    load: float

    @property
    def busy(self) -> bool:
        """Whether other work was going on: then only ratios within one run say something."""
        return self.load > 0.5 * self.cores


def machine_facts() -> Machine:
    """This machine, now."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=_processor(),
        memory=psutil.virtual_memory().total,
        system=platform.platform(),
        python=platform.python_version(),
        packages={name: _version(name) for name in _PACKAGES},
        load=round(os.getloadavg()[0], 2),
    )


def commit() -> str:
    """The project's commit, with ``+`` where files differ from it; empty outside a repository."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return ""
    return head + ("+" if changed else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607 - whichever git the user has
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
