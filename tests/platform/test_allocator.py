"""Threads share a few pools of memory, so that what one of them freed is there for the others."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from mediaproc.datafolder import PROJECT_ROOT

# All threads are at work at once: each would have a pool of its own.
_PROGRAM = """
import ctypes, sys, threading
from mediaproc.allocator import share_pools
if sys.argv[1] == "shared":
    share_pools()
def fill():
    blocks = [bytes(4000) for _ in range(2000)]
    met.wait()
met = threading.Barrier(8)
threads = [threading.Thread(target=fill) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None)
libc.malloc_stats()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="pools of threads are glibc's")
@pytest.mark.parametrize(
    ("how", "setting", "few"), [("shared", {}, True), ("own", {}, False), ("shared", {"MALLOC_ARENA_MAX": "6"}, False)]
)
def test_threads_share_pools_unless_somebody_says_otherwise(how, setting, few):
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"} | setting
    command = [sys.executable, "-c", _PROGRAM, how]
    told = subprocess.run(
        command, env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert (told.stderr.count("Arena ") <= 2) is few, told.stderr
