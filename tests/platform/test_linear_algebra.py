"""Matrix products take one thread each: stages share out their work over threads themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mediaproc.datafolder import PROJECT_ROOT

_SETTING = "OPENBLAS_NUM_THREADS"
_PROGRAM = """
import os, detect, numpy
factor = numpy.ones((1500, 1500), numpy.float32)
factor @ factor
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in Linux's /proc")
@pytest.mark.parametrize(("setting", "threads"), [({}, 1), ({_SETTING: "2"}, min(2, os.cpu_count() or 1))])
def test_a_product_takes_one_thread_unless_somebody_says_otherwise(setting, threads):
    environment = {name: value for name, value in os.environ.items() if name != _SETTING} | setting
    told = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env=environment,
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert int(told.stdout) == threads
