"""The process that computes for a worker: it loads models once and keeps them from one message to the next.

It is spawned, not forked (models that have run in a parent hang in a forked child), and apart from its worker, so that
one that crashes or is killed for its memory takes down nobody who would have to notice.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

logger = logging.getLogger(__name__)

_spawn = multiprocessing.get_context("spawn")


class HorseDiedError(Exception):
    """The process that computed is gone; the text says how."""


class WorkHorse:
    """A worker's handle on its computing process, which is started when there is something to do."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._process: SpawnProcess | None = None
        self._connection: Connection[Any, Any] | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def give(self, task: tuple[str, str]) -> None:
        """Hand over a task. Raises ``HorseDiedError``."""
        if self._process is None or not self._process.is_alive():
            self._start()
        assert self._connection is not None
        try:
            self._connection.send(task)
        except OSError as error:
            raise HorseDiedError(self._epitaph()) from error

    def is_done(self, within: float) -> bool:
        """Wait at most ``within`` seconds for the task to end. Raises ``HorseDiedError``."""
        assert self._connection is not None
        try:
            if not self._connection.poll(within):
                return False
            self._connection.recv()
        except (EOFError, OSError) as error:
            raise HorseDiedError(self._epitaph()) from error
        return True

    def ask_to_stop(self) -> None:
        """Have it give back what it is at, at the next frame."""
        if self._process is not None and self._process.pid is not None and self._process.is_alive():
            os.kill(self._process.pid, signal.SIGTERM)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    def close(self, patience: float) -> None:
        """Let it end, and kill it after ``patience`` seconds."""
        if self._process is None:
            return
        assert self._connection is not None
        self._connection.close()
        self._process.join(patience)
        self.kill()

    def _start(self) -> None:
        self._connection, theirs = _spawn.Pipe()
        self._process = _spawn.Process(target=_main, args=(theirs, self._owner), name="horse", daemon=True)
        self._process.start()
        theirs.close()

    def _epitaph(self) -> str:
        assert self._process is not None
        self._process.join(5)
        code = self._process.exitcode
        self._process = None
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = " (out of memory?)" if name == "SIGKILL" else ""
            return f"the process at work was killed by {name}{hint}"
        return f"the process at work ended with code {code}"


def _main(connection: Connection[Any, Any], owner: str) -> None:
    """The loop of the computing process, until its worker is gone."""
    from mediaproc.services.process import die_with_parent

    die_with_parent(os.getppid(), signal.SIGKILL)()
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C reaches the whole group: the worker decides
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    import django

    django.setup()
    from jobs.work.performing import perform

    while True:
        try:
            task = connection.recv()
        except (EOFError, OSError):
            return
        try:
            perform(task, owner=owner, stop=stopping.is_set)
        except Exception:
            logger.exception("%s %s could not be done", *task)
        connection.send("done")
