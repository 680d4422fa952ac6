"""The command line itself: what a command loads, what it checks and how it ends."""

from __future__ import annotations

import subprocess
import sys

from mediaproc.datafolder import PROJECT_ROOT

_LOADED = """
import sys, manage
sys.argv = ["manage.py", "analyze", "--help"]
try:
    manage.main()
except SystemExit:
    pass
from django.core.management.base import BaseCommand
from jobs.management.commands.analyze import Command
command = Command()
command.check(**command.get_check_kwargs({}))
slow = ("mediaproc.urls", "unfold.admin", "jobs.admin", "scipy", "openvino", "torch")
print(*(name for name in slow if name in sys.modules))
"""
_ENDING = """
import gc, sys, manage
sys.argv = ["manage.py", *sys.argv[1:]]
code = manage.main()
print("to look through", len(gc.get_objects()) > 1000, "frozen", gc.get_freeze_count() > 1000, "code", code)
"""


_CHECKED = """
import sys, manage
sys.argv = ["manage.py", *sys.argv[1:]]
manage.main()
from django.contrib import admin
from brands.models import KnownBrand
print("lists", KnownBrand in admin.site._registry)
"""


def _last_line(program: str, *arguments: str) -> str:
    """What a new process of Python says last; it has to end well."""
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return ended.stdout.splitlines()[-1]


def test_no_time_goes_into_looking_for_garbage_when_a_command_has_ended() -> None:
    assert _last_line(_ENDING, "version") == "to look through False frozen True code 0"


def test_a_command_that_shows_no_page_loads_none() -> None:
    assert _last_line(_LOADED) == ""


def test_all_is_checked_where_everything_is_asked_for() -> None:
    assert _last_line(_CHECKED, "check") == "lists True"
