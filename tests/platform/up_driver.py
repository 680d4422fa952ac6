"""`python -m tests.platform.up_driver FOLDER SPECS`: children that a test makes up, under the real supervisor.

SPECS is JSON: a list of the fields of :class:`mediaproc.up.child.Spec`, the command being a Python script. What the
supervisor tells goes to standard output, a JSON object a line; the children's lines to standard error.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import structlog

from mediaproc.datafolder import DataFolder
from mediaproc.services.errors import ServiceError
from mediaproc.up.child import Pauses, Spec
from mediaproc.up.logs import Output
from mediaproc.up.statefile import StateFile
from mediaproc.up.supervisor import Supervisor

PAUSES = Pauses(first=0.1, longest=1.0, healthy_after=60.0)


def main(folder: str, specs: list[dict[str, Any]], servers_fail: int) -> int:
    structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer()])
    children = [Spec(**{**spec, "command": (sys.executable, "-S", "-u", "-c", spec["command"])}) for spec in specs]
    state_file = StateFile(DataFolder(Path(folder)))
    asked = 0

    def keep() -> None:
        nonlocal asked
        asked += 1
        if asked <= servers_fail:
            raise ServiceError("they do not start")

    with state_file.alone():
        return Supervisor(
            children,
            output=Output(sys.stderr.buffer, [child.name for child in children], colour=False),
            state_file=state_file,
            address="http://localhost:1/",
            keep=keep,
            pauses=PAUSES,
        ).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])))
