"""A program is measured as the kernel sees it, and never outlives its measurement."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from bench.process import BenchError, measure, session_memory
from tests.bench.made import measured, samples

MB = 1_000_000
BIG = 300 * MB


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_wall_and_processor_time_are_told_apart():
    asleep = measure(python("import time; time.sleep(0.5)"), timeout=30)
    busy = measure(python("import time\nwhile time.process_time() < 0.5: pass"), timeout=30)
    assert asleep.wall >= 0.5 > asleep.cpu
    assert busy.cpu >= 0.5
    assert busy.wall >= 0.4


def from_a_small_process(code: str, *, watch: bool = False) -> tuple[int, int]:
    """``maxrss`` and ``peak`` of ``code``, measured by a process as small as the benchmark's, not by this large one."""
    asked = f"from bench.process import measure; m = measure({python(code)!r}, timeout=30, watch={watch})"
    maxrss, peak = measure(python(f"{asked}; print(m.maxrss, m.peak)"), timeout=60).output.split()
    return int(maxrss), int(peak)


def test_peak_is_the_highest_not_the_last():
    maxrss, peak = from_a_small_process(f"a = bytearray({BIG}); del a; import time; time.sleep(0.3)")
    assert BIG <= maxrss < BIG + 100 * MB
    assert peak == maxrss


def test_watched_memory_adds_up_processes():
    half = f"import time; a = b'x' * {BIG // 2}; time.sleep(1.2)"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {half!r}])"
    maxrss, peak = from_a_small_process(f"a = b'x' * {BIG}\n{code}", watch=True)
    assert peak >= BIG + BIG // 2 > maxrss


def test_servers_in_their_own_session_are_not_counted():
    code = (
        "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {0!r}], start_new_session=True).wait()"
    )
    server = f"import time; a = b'x' * {BIG}; time.sleep(0.8)"
    took = measure(python(code.format(server)), timeout=30, watch=True)
    assert max(sample.resident for sample in took.samples) < BIG


def test_memory_of_a_stretch_of_time():
    took = measured(samples=samples((0.1, 5), (0.2, 9), (0.4, 7)))
    assert took.peak_between(0.15, 0.3) == 9
    assert took.peak_between(0.3, 1) == 7
    assert took.peak_between(2, 3) == 0


def test_lines_carry_the_moment_they_were_said():
    code = "import sys, time\nfor n in 'ab':\n print(n, file=sys.stderr, flush=True); time.sleep(0.4)\nprint('out')"
    took = measure(python(code), timeout=30)
    assert [line.text for line in took.lines] == ["a", "b"]
    assert took.output == "out\n"
    first, second = (line.at for line in took.lines)
    assert 0.3 < second - first < took.wall - first


def test_environment_is_passed_on():
    assert (
        measure(python("import os; print(os.environ['COLOUR'])"), timeout=30, environment={"COLOUR": "blue"}).output
        == "blue\n"
    )


def test_failure_says_what_the_program_said():
    with pytest.raises(BenchError, match=r"code 3:\n.*no such brand"):
        measure(python("import sys; print('no such brand', file=sys.stderr); sys.exit(3)"), timeout=30)


def test_a_program_that_does_not_end_is_ended_with_its_children(tmp_path):
    pids = tmp_path / "pids"
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(60)"
    )
    with pytest.raises(BenchError, match=r"did not end within 1.5 s"):
        measure(python(code), timeout=1.5)
    assert all(gone(int(pid)) for pid in pids.read_text().split())


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_memory_of_a_process_that_is_gone_is_nothing():
    process = subprocess.Popen(python("pass"))
    process.wait()
    assert session_memory(process.pid) == 0


def test_the_benchmark_itself_stays_small():
    """The kernel's figure for a child includes what it shared with us before it became the program."""
    heavy = ["cv2", "av", "openvino", "onnxruntime", "torch", "rapidocr"]
    code = (
        "import bench.__main__, pathlib, sys\n"
        f"print([name for name in {heavy} if name in sys.modules])\n"
        "print(next(line for line in pathlib.Path('/proc/self/status').open() if line.startswith('VmHWM')))"
    )
    modules, resident, *_ = measure(python(code), timeout=30).output.splitlines()
    assert modules == "[]"
    assert int(resident.split()[1]) * 1024 < 150 * MB


def test_a_stopped_measurement_stops_the_program(monkeypatch):
    def interrupted(pid: int, options: int) -> None:
        started.append(pid)
        raise KeyboardInterrupt

    started: list[int] = []
    monkeypatch.setattr(os, "wait4", interrupted)
    with pytest.raises(KeyboardInterrupt):
        measure(python("import time; time.sleep(60)"), timeout=90)
    assert gone(started[0])
