"""The loop over all children: readiness, log lines, new starts, and the end in order."""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog

from detect.errors import MediaprocError
from mediaproc.up.child import Child, Pauses, Spec, State
from mediaproc.up.logs import Lines, Output
from mediaproc.up.statefile import StateFile

log = structlog.get_logger(__name__)

_TICK = 0.1
_GIVE_UP_AFTER = 5  # ends in a row of a child that never was ready: it will not come up by itself
_LAST_WORDS = 64  # pieces read from an ended child, whose own children may go on talking
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Runs ``specs`` until a signal comes.

    ``keep`` is called about once a second and may raise MediaprocError: what the children stand on is down, and is
    asked for again ever less often. ``on_ready`` hears the name of each child that is ready for the first time,
    ``on_stop`` is called before the first child is asked to end.
    """

    def __init__(
        self,
        specs: Sequence[Spec],
        *,
        output: Output,
        state_file: StateFile,
        address: str = "",
        keep: Callable[[], None] = lambda: None,
        on_ready: Callable[[str], None] = lambda _: None,
        on_stop: Callable[[], None] = lambda: None,
        pauses: Pauses | None = None,
    ) -> None:
        self._pauses = pauses or Pauses()
        self._children = [Child(spec, self._pauses) for spec in specs]
        self._output, self._state_file, self._address = output, state_file, address
        self._keep, self._on_ready, self._on_stop = keep, on_ready, on_stop
        self._selector = selectors.DefaultSelector()
        self._lines: dict[str, Lines] = {}
        self._seen_ready: set[str] = set()
        self._since = datetime.now(UTC)
        self._keep_due, self._keep_failures = 0.0, 0
        self._signals: list[int] = []
        self._stopping = False
        self._code = 0

    def run(self) -> int:
        """The exit code: 0 after an orderly stop, 1 when a child could not be made to run, 128 + signal after a second
        signal. No child is left when it returns or raises.
        """
        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        try:
            for child in self._children:
                self._start(child)
            while self._any_left():
                self._tick()
            return self._code
        finally:
            for child in self._children:
                child.kill()
                if child.process is not None:
                    child.process.wait()
            self._selector.close()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _: object) -> None:
        self._signals.append(number)
        if len(self._signals) > 1:
            self._code = 128 + number
            for child in self._children:
                child.kill()

    def _any_left(self) -> bool:
        return not self._stopping or any(child.state is not State.STOPPED for child in self._children)

    def _tick(self) -> None:
        for key, _ in self._selector.select(_TICK):
            self._pass_on(key.data)
        if self._signals and not self._stopping:
            self._begin_stop()
        changed = [child for child in self._children if self._look_after(child)]
        if self._stopping:
            changed += self._stop_next()
        elif time.monotonic() >= self._keep_due:
            self._keep_servers()
        if changed:
            self._write_state()

    def _look_after(self, child: Child) -> bool:
        """See what has become of a child; whether its state has changed."""
        if child.has_ended():
            self._ended(child)
        elif child.has_become_ready():
            log.info("ready", child=child.name, pid=child.pid, seconds=round(time.monotonic() - child.started, 1))
            if child.name not in self._seen_ready:
                self._seen_ready.add(child.name)
                self._on_ready(child.name)
        elif child.is_due() and not self._stopping:
            child.restarts += 1
            self._start(child)
        elif child.kill_if_late():
            log.warning("did not end in time and is killed", child=child.name, patience=child.spec.patience)
        else:
            return False
        return True

    def _start(self, child: Child) -> None:
        try:
            child.start()
        except OSError as error:
            pause = child.put_off()
            log.error("cannot be started", child=child.name, error=str(error), again_in=pause)
            return
        self._lines[child.name] = Lines()
        self._selector.register(child.output, selectors.EVENT_READ, child)
        log.info("started", child=child.name, pid=child.pid)

    def _ended(self, child: Child) -> None:
        assert child.process is not None
        code = child.process.returncode
        for _ in range(_LAST_WORDS):
            if not self._pass_on(child):
                break
        for line in self._lines[child.name].end():
            self._output.write(child.name, line)
        self._close_output(child)
        if self._stopping:
            child.stopped()
            log.info("stopped", child=child.name, code=code)
            return
        pause = child.put_off()
        if child.name not in self._seen_ready and child.failures >= _GIVE_UP_AFTER:
            log.error("does not start; giving up", child=child.name, code=code, attempts=child.failures)
            self._code = 1
            self._begin_stop()
            return
        log.warning("ended by itself", child=child.name, code=code, again_in=pause)

    def _pass_on(self, child: Child) -> bool:
        """Write out a piece of what a child has said; False when there is nothing."""
        try:
            piece = os.read(child.output, 65536)
        except BlockingIOError:
            return False
        if not piece:
            self._close_output(child)
            return False
        for line in self._lines[child.name].feed(piece):
            self._output.write(child.name, line)
        return True

    def _close_output(self, child: Child) -> None:
        if child.output in self._selector.get_map():
            self._selector.unregister(child.output)

    def _begin_stop(self) -> None:
        self._stopping = True
        log.info("stopping", children=len(self._children))
        self._on_stop()

    def _stop_next(self) -> list[Child]:
        """Ask the next rank to end once none of the ranks before it is left; returns who was asked."""
        left = [child for child in self._children if child.state is not State.STOPPED]
        rank = min((child.spec.stop_rank for child in left), default=0)
        asked = [child for child in left if child.spec.stop_rank == rank and child.state is not State.STOPPING]
        for child in asked:
            child.ask_to_stop()
        return asked

    def _keep_servers(self) -> None:
        try:
            self._keep()
        except MediaprocError as error:
            self._keep_failures += 1
            pause = self._pauses.before_start(self._keep_failures)
            log.error("servers are down", error=str(error), again_in=pause)
        else:
            self._keep_failures, pause = 0, 1.0
        self._keep_due = time.monotonic() + pause

    def _write_state(self) -> None:
        self._state_file.write(pid=os.getpid(), address=self._address, since=self._since, children=self._children)
