"""Who holds a lease: a process, named so that others on its host can see whether it still lives."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path


@cache
def _name(pid: int) -> str:
    return f"{socket.gethostname()}:{pid}:{_started(pid)}"


def this_process() -> str:
    """``host:pid:start`` of this process. The start tells it from another that gets its number later."""
    return _name(os.getpid())


def has_died(owner: str) -> bool:
    """Whether a process of this host is known to be gone; of other hosts nothing is known."""
    host, pid, started = owner.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    return _started(int(pid)) != started


def _started(pid: int) -> str:
    """The kernel's ticks from its own start to that of a process; empty for one that is gone or a zombie.

    Not a time of day: that is reckoned from a clock which may be set, and a living process would then seem another.
    """
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    state, *rest = line.rpartition(")")[2].split()
    return "" if state in ("Z", "X") else rest[18]
