"""The command line itself: how a command ends."""

from __future__ import annotations

import subprocess
import sys

from mediaproc.datafolder import PROJECT_ROOT

_ENDING = """
import gc, sys, manage
sys.argv = ["manage.py", *sys.argv[1:]]
code = manage.main()
print("frozen", gc.get_freeze_count() > 1000, "code", code)
"""


def test_no_time_goes_into_looking_for_garbage_when_a_command_has_ended() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _ENDING, "version"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout.splitlines()[-1] == "frozen True code 0"
