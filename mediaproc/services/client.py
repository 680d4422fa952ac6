"""This process's claim on the embedded servers: taken when first needed, given up when the process ends."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from mediaproc.datafolder import PROJECT_ROOT, DataFolder
from mediaproc.services.errors import ServiceError
from mediaproc.services.process import tail

_SUPERVISOR_WITHIN = 90.0  # a predecessor may be writing its last checkpoint
_ANSWER_WITHIN = 150.0
_ATTEMPTS = 5


class Claim:
    """One process's connection to the supervisor of ``data``. Safe to use from several threads.

    ``durable`` matters to the process that starts the supervisor, and to no other.
    """

    def __init__(self, data: DataFolder, *, durable: bool = True) -> None:
        self._data, self._durable = data, durable
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._addresses: dict[str, str] = {}
        self._owner = os.getpid()

    def ensure(self, *names: str) -> dict[str, str]:
        """Addresses of the servers ``names``, started first where they do not run. Costs nothing when repeated.

        Raises ServiceError when one cannot be started.
        """
        with self._lock:
            if not self._holds(names):
                self._ask(names)
            return {name: self._addresses[name] for name in names}

    def release(self) -> None:
        """Give the claim up; the last process to do so waits here until the servers have stopped."""
        if os.getpid() != self._owner or self._connection is None:
            return
        with contextlib.suppress(OSError):
            self._connection.settimeout(30)
            self._connection.sendall(b'"bye"\n')
            while self._connection.recv(4096):
                pass
        self._drop()

    def _holds(self, names: tuple[str, ...]) -> bool:
        if self._connection is None or not self._addresses.keys() >= set(names):
            return False
        # nothing is ever sent unasked, so anything to read is the end of the connection
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        gone = bool(poll.poll(0))
        if gone:
            self._drop()
        return not gone

    def _ask(self, names: tuple[str, ...]) -> None:
        for _ in range(_ATTEMPTS):
            try:
                connection = self._connection or self._connect()
                self._connection = connection
                connection.sendall(json.dumps({"ensure": names}).encode() + b"\n")
                line = _read_line(connection)
            except (ConnectionError, BrokenPipeError):
                line = b""
            if line:
                break
            self._drop()  # it was about to leave as we came: the next attempt starts another
        else:
            raise ServiceError(f"The embedded servers keep ending; their logs are in {self._data.logs}.")
        answer = json.loads(line)
        if "error" in answer:
            self.release()
            raise ServiceError(answer["error"])
        self._addresses |= answer["addresses"]

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._addresses = {}

    def _connect(self) -> socket.socket:
        try:
            self._data.create()
        except OSError as error:
            raise ServiceError(
                f"The data folder {self._data.root} cannot be used ({error.strerror or error}): make it writable, or "
                "set MEDIAPROC_DATA to another folder."
            ) from error
        with self._starting_alone():
            connection = self._try_connect()
            return connection or self._start()

    def _try_connect(self) -> socket.socket | None:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(self._data.control_socket))
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            return None
        connection.settimeout(_ANSWER_WITHIN)
        return connection

    def _start(self) -> socket.socket:
        log_path = self._data.logs / "supervisor.log"
        command = [sys.executable, "-m", "mediaproc.services.supervisor", str(self._data.root)]
        with log_path.open("ab") as log:
            process = subprocess.Popen(
                command if self._durable else [*command, "--unsafe-fast"],
                cwd=PROJECT_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + _SUPERVISOR_WITHIN
        while time.monotonic() < deadline:
            connection = self._try_connect()
            if connection is not None:
                return connection
            if process.poll() is not None:
                break
            time.sleep(0.01)
        raise ServiceError(f"The supervisor of the embedded servers does not start:\n{tail(log_path)}")

    @contextlib.contextmanager
    def _starting_alone(self) -> Iterator[None]:
        with (self._data.run / "start.lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _read_line(connection: socket.socket) -> bytes:
    """One line without its end, or nothing where the other side has gone."""
    received = b""
    while not received.endswith(b"\n"):
        part = connection.recv(4096)
        if not part:
            return b""
        received += part
    return received[:-1]


_claims: dict[Path, Claim] = {}
_claims_lock = threading.Lock()


def claim_on(data: DataFolder, *, durable: bool = True) -> Claim:
    """The one claim of this process on ``data``; a forked child gets its own."""
    with _claims_lock:
        claim = _claims.get(data.root)
        if claim is None or claim._owner != os.getpid():
            claim = _claims[data.root] = Claim(data, durable=durable)
            atexit.register(claim.release)
        return claim
