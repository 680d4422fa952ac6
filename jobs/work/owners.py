"""Who holds a lease: a process, named so that others on its host can see whether it still lives."""

from __future__ import annotations

import os
import socket
from functools import cache

import psutil


@cache
def _name(pid: int) -> str:
    return f"{socket.gethostname()}:{pid}:{psutil.Process(pid).create_time():.2f}"


def this_process() -> str:
    """``host:pid:start`` of this process. The start tells it from another that gets its number later."""
    return _name(os.getpid())


def has_died(owner: str) -> bool:
    """Whether a process of this host is known to be gone; of other hosts nothing is known."""
    host, pid, started = owner.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    try:
        process = psutil.Process(int(pid))
        return f"{process.create_time():.2f}" != started or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
