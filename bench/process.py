"""Run a program and measure it: wall time, processor time, memory, and when it said what.

Figures of memory: ``maxrss`` is the kernel's own high-water mark of resident memory, the largest of any one process
that was waited for. The kernel counts what the child shared with this process before it became the program, so the
benchmark itself stays small: rendering and decoding happen in children. Where it is asked to watch, the resident memory
of all processes of the program's session is summed up ten times a second as well. Servers that a program starts run in
sessions of their own and are not counted.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from resource import struct_rusage
from typing import IO

import psutil

from detect.errors import MediaprocError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
WATCH_EVERY = 0.1


class BenchError(MediaprocError):
    """Something could not be measured."""


@dataclass(frozen=True)
class Line:
    """A line that the program wrote to stderr, ``at`` seconds after its start."""

    at: float
    text: str


@dataclass(frozen=True)
class MemorySample:
    """Resident bytes of all processes of the session, ``at`` seconds after the start."""

    at: float
    resident: int


@dataclass(frozen=True)
class Measured:
    """What a program took. Times in seconds, memory in bytes; ``samples`` only where it was watched."""

    wall: float
    user: float
    system: float
    maxrss: int
    output: str
    lines: list[Line]
    samples: list[MemorySample]

    @property
    def cpu(self) -> float:
        return self.user + self.system

    @property
    def peak(self) -> int:
        """Most memory: of all processes together as far as it was watched, and never less than of the largest one."""
        return max([self.maxrss, *(sample.resident for sample in self.samples)])

    def peak_between(self, start: float, end: float) -> int:
        """Most memory seen within ``[start, end]`` seconds after the start, 0 where there is no sample."""
        return max((sample.resident for sample in self.samples if start <= sample.at <= end), default=0)


def measure(
    command: Sequence[str | Path],
    *,
    timeout: float,
    environment: Mapping[str, str] | None = None,
    watch: bool = False,
) -> Measured:
    """Run ``command`` in the project's folder to its end.

    Raises :class:`BenchError` when it fails, with the end of what it wrote, or when it takes longer than ``timeout``.
    """
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=PROJECT_ROOT,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        observer = _Observer(process, began, timeout=timeout, watch=watch)
        try:
            code, wall, usage = _wait(process, began)
        finally:
            lines = observer.finish()
        output.seek(0)
        text = output.read().decode(errors="replace")
    if code != 0:
        reason = f"did not end within {timeout:g} s" if observer.timed_out else f"ended with code {code}"
        said = "\n".join([*(line.text for line in lines[-8:]), *text.splitlines()[-4:]])
        raise BenchError(f"{' '.join(map(str, command))} {reason}:\n{said}")
    return Measured(
        wall=wall,
        user=usage.ru_utime,
        system=usage.ru_stime,
        maxrss=usage.ru_maxrss * 1024,  # Linux counts KiB
        output=text,
        lines=lines,
        samples=observer.samples,
    )


def _wait(process: subprocess.Popen[bytes], began: float) -> tuple[int, float, struct_rusage]:
    """Exit code, wall time and usage; stopped while waiting, the program is stopped too."""
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, wall, usage


@dataclass
class _Observer:
    """Threads beside a running program: one collects what it says, one its memory, one ends it when it is late."""

    process: subprocess.Popen[bytes]
    began: float
    timeout: float
    watch: bool
    lines: list[Line] = field(default_factory=list)
    samples: list[MemorySample] = field(default_factory=list)
    timed_out: bool = False

    def __post_init__(self) -> None:
        self._done = threading.Event()
        assert self.process.stderr is not None
        self._threads = [threading.Thread(target=self._collect, args=(self.process.stderr,), daemon=True)]
        if self.watch:
            self._threads.append(threading.Thread(target=self._sample, daemon=True))
        self._late = threading.Timer(self.timeout, self._end)
        for thread in (*self._threads, self._late):
            thread.start()

    def finish(self) -> list[Line]:
        """Stop observing; a process that lives on and holds stderr open is not waited for."""
        self._late.cancel()
        self._done.set()
        for thread in self._threads:
            thread.join(timeout=2)
        return list(self.lines)

    def _collect(self, stream: IO[bytes]) -> None:
        for line in stream:
            self.lines.append(Line(time.perf_counter() - self.began, line.decode(errors="replace").rstrip()))

    def _sample(self) -> None:
        while not self._done.is_set():
            resident = session_memory(self.process.pid)
            if resident:
                self.samples.append(MemorySample(time.perf_counter() - self.began, resident))
            self._done.wait(WATCH_EVERY)

    def _end(self) -> None:
        self.timed_out = True
        with suppress(ProcessLookupError):  # it ended a moment before
            os.killpg(self.process.pid, signal.SIGKILL)


def session_memory(leader: int) -> int:
    """Resident bytes of a process and of its descendants in the same session; 0 once it is gone."""
    try:
        processes = [psutil.Process(leader), *psutil.Process(leader).children(recursive=True)]
    except psutil.Error:
        return 0
    return sum(_resident(process) for process in processes if _session(process.pid) == leader)


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
