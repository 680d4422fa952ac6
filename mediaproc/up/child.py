"""One child process: how it is started, when it counts as ready, how it is stopped, when it is started again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from mediaproc.services.process import die_with_parent

READY_FD = "MEDIAPROC_READY_FD"  # a child without a probe writes the line `ready` to the pipe with this number


class State(StrEnum):
    """What a child is doing."""

    STARTING = "starting"
    READY = "ready"
    WAITING = "waiting"  # it ended by itself and will be started again
    STOPPING = "stopping"
    STOPPED = "stopped"


class Probe(Protocol):
    """Finds out from outside whether a child is ready."""

    def poll(self) -> bool:
        """Whether it is ready, without waiting for anything."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Spec:
    """What to run. Children of a lower ``stop_rank`` have ended before those of a higher one are asked to.

    ``patience`` is the seconds between SIGTERM and SIGKILL, ``handed_down`` the open files it inherits. A child is
    ready when its probe says so; without one, when it has written `ready` to the pipe that it finds in READY_FD.
    """

    name: str
    command: tuple[str, ...]
    stop_rank: int = 0
    patience: float = 10.0
    environment: Mapping[str, str] = field(default_factory=dict)
    handed_down: tuple[int, ...] = ()
    new_probe: Callable[[], Probe] | None = None


@dataclass(frozen=True)
class Pauses:
    """Seconds: before a child that ended is started again, and how long it must live for that to be forgotten."""

    first: float = 1.0
    longest: float = 30.0
    healthy_after: float = 60.0

    def before_start(self, failures: int) -> float:
        """The pause after the ``failures``-th end in a row: 1, 2, 4 … 30."""
        return min(self.longest, self.first * 2 ** min(failures - 1, 16))


class Child:
    """A spec and the process that is running it, if any. Nothing here waits."""

    def __init__(self, spec: Spec, pauses: Pauses) -> None:
        self.spec, self._pauses = spec, pauses
        self.process: subprocess.Popen[bytes] | None = None
        self.state = State.STOPPED
        self.since = datetime.now(UTC)
        self.restarts = 0
        self.failures = 0  # ends in a row, none of them after a healthy while
        self.started = 0.0
        self.output = -1
        self._ready_pipe = -1
        self._probe: Probe | None = None
        self._due = 0.0
        self._kill_at = 0.0

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def start(self) -> None:
        """Start it; its output can then be read from ``output``, which does not block. Raises OSError."""
        output, out_end = os.pipe()
        ready, ready_end = os.pipe()
        os.set_blocking(output, False)
        os.set_blocking(ready, False)
        try:
            self.process = subprocess.Popen(
                self.spec.command,
                stdin=subprocess.DEVNULL,
                stdout=out_end,
                stderr=out_end,
                env={**os.environ, **self.spec.environment, READY_FD: str(ready_end)},
                pass_fds=(ready_end, *self.spec.handed_down),
                start_new_session=True,  # a Ctrl-C in the terminal reaches it through this process alone
                preexec_fn=die_with_parent(os.getpid(), signal.SIGKILL),  # noqa: PLW1509 - no threads here
            )
        except OSError:
            os.close(output)
            os.close(ready)
            raise
        finally:
            os.close(out_end)
            os.close(ready_end)
        self.output, self._ready_pipe = output, ready
        self._probe = self.spec.new_probe() if self.spec.new_probe else None
        self.started = time.monotonic()
        self.enter(State.STARTING)

    def enter(self, state: State) -> None:
        self.state, self.since = state, datetime.now(UTC)

    def has_become_ready(self) -> bool:
        """Whether a starting child is ready now; true once a start."""
        if self.state is not State.STARTING or not self._is_ready():
            return False
        self._close_probe()
        self.enter(State.READY)
        return True

    def has_ended(self) -> bool:
        """Whether its process has ended by now."""
        return self.process is not None and self.process.poll() is not None

    def put_off(self) -> float:
        """Note that it ended by itself, or could not be started; returns the seconds until it is due again."""
        now = time.monotonic()
        if self.process is not None and now - self.started >= self._pauses.healthy_after:
            self.failures = 0
        self.failures += 1
        self._forget_process()
        pause = self._pauses.before_start(self.failures)
        self._due = now + pause
        self.enter(State.WAITING)
        return pause

    def is_due(self) -> bool:
        """Whether it waits no longer."""
        return self.state is State.WAITING and time.monotonic() >= self._due

    def ask_to_stop(self) -> None:
        """Send SIGTERM; :meth:`kill_if_late` follows when patience is at its end."""
        self._kill_at = time.monotonic() + self.spec.patience
        if self.process is None:
            self.enter(State.STOPPED)
            return
        self.process.send_signal(signal.SIGTERM)
        self.enter(State.STOPPING)

    def kill_if_late(self) -> bool:
        """Kill it when it was asked to stop too long ago; whether that was so."""
        late = self.state is State.STOPPING and time.monotonic() >= self._kill_at
        if late:
            self._kill_at = float("inf")
            self.kill()
        return late

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()

    def stopped(self) -> None:
        """Note that it has ended as it was asked to."""
        self._forget_process()
        self.enter(State.STOPPED)

    def _is_ready(self) -> bool:
        if self._probe is not None:
            return self._probe.poll()
        try:
            return os.read(self._ready_pipe, 64).startswith(b"ready")
        except BlockingIOError:
            return False

    def _close_probe(self) -> None:
        if self._probe is not None:
            self._probe.close()
            self._probe = None

    def _forget_process(self) -> None:
        self._close_probe()
        for pipe in (self.output, self._ready_pipe):
            if pipe >= 0:
                os.close(pipe)
        self.output = self._ready_pipe = -1
        self.process = None
