"""Many commands that end before any work begins: each in a process forked from one that has loaded everything.

    python -m tests.faults.requests FOLDER [UID] < [[argument, …], …]

writes ``N.out``, ``N.err`` and ``N.code`` for the command line ``N`` into the folder. With a UID, root runs them
as that user.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

import django

import manage


def main() -> int:
    folder, uid = Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else None
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    django.setup()
    from detect.registry import load_pipeline

    for name in ("jobs.management.commands.analyze", "mediaproc.urls"):
        importlib.import_module(name)
    load_pipeline("brands")
    for number, arguments in enumerate(json.load(sys.stdin)):
        child = os.fork()
        if child == 0:
            _run(arguments, folder / str(number), uid)
        _, status = os.waitpid(child, 0)
        (folder / f"{number}.code").write_text(str(os.waitstatus_to_exitcode(status)))
    return 0


def _run(arguments: list[str], notes: Path, uid: int | None) -> None:
    for suffix, descriptor in ((".out", 1), (".err", 2)):
        os.dup2(os.open(notes.with_suffix(suffix), os.O_WRONLY | os.O_CREAT), descriptor)
    if uid is not None:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    sys.argv = ["manage.py", *arguments]
    try:
        code = manage.main()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:  # noqa: BLE001 - this is the end of the process, which shows what it did not expect
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
