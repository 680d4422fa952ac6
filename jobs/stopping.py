"""Ctrl-C and SIGTERM while a command works in the foreground."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console

from detect.errors import CancelledError

_SHOW_CURSOR = b"\x1b[?25h"


class Stop:
    """Whether somebody asked to stop."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._working = False
        self.signal: int | None = None

    def check(self) -> None:
        """Raises ``CancelledError`` once a stop was asked for; called where stopping loses nothing."""
        self._working = True
        if self.signal is not None:
            raise CancelledError("stopped")

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """The first signal stops at the next check, or here while no work has begun; the second ends the process."""
        if self.signal is not None:
            if self._console.is_terminal:
                os.write(sys.stderr.fileno(), _SHOW_CURSOR)  # a progress bar hides it
            os._exit(128 + number)
        self.signal = number
        if not self._working:
            raise KeyboardInterrupt
        self._console.print("Stopping at the next safe place; Ctrl-C again quits at once.")


@contextmanager
def stop_on_signal() -> Iterator[Stop]:
    """Let Ctrl-C and SIGTERM stop the block, and say how to go on.

    The process then ends with the exit code a shell gives for the signal: 130 for Ctrl-C, 143 for SIGTERM.
    """
    console = Console(stderr=True, highlight=False)
    stop = Stop(console)
    before = {number: signal.signal(number, stop.on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except (CancelledError, KeyboardInterrupt):
        again = shlex.join(sys.orig_argv)
        console.print(f"Stopped; everything finished is kept. To go on: {again}", soft_wrap=True, markup=False)
        raise SystemExit(128 + (stop.signal or signal.SIGINT)) from None
    finally:
        if stop.signal is None:  # else they stay: who asks again does not wait until the servers have stopped
            for number, handler in before.items():
                signal.signal(number, handler)
