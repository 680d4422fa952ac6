"""`run/up.json`: what `manage.py up` runs, for operators, tests and a second `up`; and the lock that one `up` holds."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any

from detect.errors import MediaprocError
from mediaproc.datafolder import DataFolder
from mediaproc.up.child import Child


class AlreadyUpError(MediaprocError):
    """Another `up` works on this data folder."""


class StateFile:
    """The file of one data folder.

    ``{pid, address, since, children: {name: {pid, state, restarts, since}}}``: the process id of `up`, the site's
    address, ISO times in UTC; ``pid`` of a child is null while it waits.
    """

    def __init__(self, data: DataFolder) -> None:
        self._data = data
        self._path = data.run / "up.json"
        self._lock_path = data.run / "up.lock"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder's one place for an `up`; the kernel frees it however this process ends.

        Raises AlreadyUpError when it is taken.
        """
        self._data.create()
        with self._lock_path.open("wb") as lock:
            if not _take(lock):
                raise AlreadyUpError(self._taken())
            try:
                yield
            finally:
                self._path.unlink(missing_ok=True)

    def write(self, *, pid: int, address: str, since: datetime, children: Iterable[Child]) -> None:
        state = {
            "pid": pid,
            "address": address,
            "since": _iso(since),
            "children": {
                child.name: {
                    "pid": child.pid,
                    "state": child.state.value,
                    "restarts": child.restarts,
                    "since": _iso(child.since),
                }
                for child in children
            },
        }
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
        draft.replace(self._path)

    def read(self) -> dict[str, Any] | None:
        """What runs now; None where no `up` does, whatever a killed one left behind."""
        try:
            with self._lock_path.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return None
        except BlockingIOError:
            return self._content()
        return None

    def table(self) -> str | None:
        """What runs now, a line each, the embedded servers included; None where no `up` does."""
        state = self.read()
        if state is None:
            return None
        rows = [("name", "pid", "state", "restarts", "since")]
        rows += [
            (name, str(child["pid"] or "-"), child["state"], str(child["restarts"]), child["since"])
            for name, child in state.get("children", {}).items()
        ]
        rows += [(name, str(pid), "running", "-", "-") for name, pid in self._servers()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([f"{state.get('address', 'starting')} (process {state.get('pid', '-')})", *lines])

    def _content(self) -> dict[str, Any]:
        """The file as it is; empty while its `up` is still on the way to writing it."""
        try:
            content: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return content

    def _servers(self) -> list[tuple[str, int]]:
        try:
            servers = json.loads((self._data.run / "servers.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        return [("servers", servers["supervisor"]), *((name, item["pid"]) for name, item in servers["servers"].items())]

    def _taken(self) -> str:
        state = self._content()
        where = f" at {state['address']} (process {state['pid']})" if state else ""
        return (
            f"mediaproc already runs on {self._data.root}{where}: stop it first, or set MEDIAPROC_DATA to another "
            "folder. `manage.py up --status` shows what runs."
        )


def _take(lock: IO[bytes]) -> bool:
    """Lock the file, unless another keeps it; who only looks (:meth:`StateFile.read`) holds it for a moment."""
    deadline = time.monotonic() + 0.5
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        else:
            return True


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
