"""Telling whoever started a process that it works now."""

from __future__ import annotations

import os


def tell_ready() -> None:
    """Write a line to the pipe that ``MEDIAPROC_READY_FD`` names; nothing where there is none."""
    number = os.environ.pop("MEDIAPROC_READY_FD", "")
    if number:
        with os.fdopen(int(number), "w") as pipe:
            pipe.write("ready\n")
