"""The process that owns the embedded servers of one installation.

Any process of the installation connects to the control socket and says which servers it needs; its open connection is
its claim on them. The kernel closes the connection however the process ends, so claims cannot be forgotten. When the
last one is gone the servers stop and this process ends. It runs apart from the terminal, starts servers on demand,
starts them again when they die, and takes them with it when it is killed itself (PR_SET_PDEATHSIG).

    python -m mediaproc.services.supervisor DATA_FOLDER [--unsafe-fast]
"""

from __future__ import annotations

import argparse
import fcntl
import json
import logging
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mediaproc.datafolder import DataFolder
from mediaproc.services.errors import ServiceError
from mediaproc.services.postgres import Postgres
from mediaproc.services.process import rotate, stop, tail
from mediaproc.services.s3 import S3
from mediaproc.services.valkey import Valkey

log = logging.getLogger("mediaproc.supervisor")

_FIRST_CLAIM_WITHIN = 10.0
_RETRY_FOR = 10.0
_READY_WITHIN = 120.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0


class Service(Protocol):
    """A server: make what it needs, start it, say when it answers and where."""

    name: str
    stop_signal: signal.Signals
    patience: float

    @property
    def log_path(self) -> Path: ...

    def prepare(self) -> None: ...

    def start(self) -> subprocess.Popen[bytes]: ...

    def ready(self, process: subprocess.Popen[bytes]) -> bool: ...

    def address(self) -> str: ...


@dataclass
class Supervisor:
    """The state of the loop: servers that run, servers that ended and when to try them again, and who holds them."""

    data: DataFolder
    services: dict[str, Service]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    lost: dict[str, tuple[float, float]] = field(default_factory=dict)
    claims: dict[socket.socket, bytes] = field(default_factory=dict)
    leaving: bool = False

    def run(self) -> None:
        """Serve until the last claim is gone or SIGTERM comes; raises TimeoutError if a predecessor does not leave."""
        signal.signal(signal.SIGTERM, self._on_signal)
        with _lock(self.data.run / "supervisor.lock", patience=60):
            self.data.create_sockets()  # under the lock, for a predecessor removes them under it
            self.data.control_socket.unlink(missing_ok=True)
            with socket.socket(socket.AF_UNIX) as listener, selectors.DefaultSelector() as selector:
                listener.bind(str(self.data.control_socket))
                listener.listen(64)
                listener.setblocking(False)  # noqa: FBT003 - the only form it has
                selector.register(listener, selectors.EVENT_READ)
                try:
                    self._serve(listener, selector)
                finally:
                    # unlinked before anything stops: who comes now starts the next supervisor, which waits for the lock
                    self.data.control_socket.unlink(missing_ok=True)
                    listener.close()
                    self._stop_all()
            self._clean_up()
        for claim in self.claims:  # those who wait for the end see it only now that everything is gone
            claim.close()

    def _on_signal(self, *_: object) -> None:
        self.leaving = True

    def _serve(self, listener: socket.socket, selector: selectors.BaseSelector) -> None:
        started = time.monotonic()
        seen_one = False
        while not self.leaving:
            for key, _ in selector.select(timeout=0.5):
                if key.fileobj is listener:
                    connection, _ = listener.accept()
                    connection.settimeout(5)
                    self.claims[connection] = b""
                    selector.register(connection, selectors.EVENT_READ)
                    seen_one = True
                elif isinstance(key.fileobj, socket.socket) and not self._hear(key.fileobj):
                    selector.unregister(key.fileobj)
                    self.claims.pop(key.fileobj)
                    key.fileobj.close()
            self._revive()
            if not self.claims and (seen_one or time.monotonic() - started > _FIRST_CLAIM_WITHIN):
                return

    def _hear(self, connection: socket.socket) -> bool:
        """Handle what a claimant says; False once its claim has ended."""
        try:
            received = connection.recv(4096)
            if not received:
                return False
            *lines, rest = (self.claims[connection] + received).split(b"\n")
            self.claims[connection] = rest
            for line in lines:
                request = json.loads(line)
                if request == "bye":
                    if len(self.claims) > 1:
                        return False
                    self.leaving = True  # the last one waits for its connection to close, when all is stopped
                    return True
                connection.sendall(json.dumps(self._ensure(request["ensure"])).encode() + b"\n")
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("a claim ended badly: %s", error)
            return False
        return True

    def _ensure(self, names: list[str]) -> dict[str, str | dict[str, str]]:
        try:
            for name in names:
                if name not in self.running:
                    self._start(name)
        except (ServiceError, OSError, subprocess.SubprocessError) as error:
            log.exception("cannot start a server")
            return {"error": str(error)}
        return {"addresses": {name: self.services[name].address() for name in names}}

    def _start(self, name: str, *, retry_for: float = _RETRY_FOR) -> None:
        self.running[name] = bring_up(self.services[name], retry_for=retry_for)
        self.lost.pop(name, None)
        self._write_state()

    def _revive(self) -> None:
        """Start servers again that ended by themselves; one that cannot is tried again, ever less often."""
        now = time.monotonic()
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                log.warning("%s ended with code %s", name, process.returncode)
                del self.running[name]
                self.lost[name] = (now, _FIRST_PAUSE)
        for name, (due, pause) in list(self.lost.items()):
            if now < due:
                continue
            try:
                self._start(name, retry_for=0)
            except (ServiceError, OSError, subprocess.SubprocessError) as error:
                log.error("%s stays down, next attempt in %.0f s: %s", name, pause, error)
                self.lost[name] = (time.monotonic() + pause, min(pause * 2, _LONGEST_PAUSE))

    def _stop_all(self) -> None:
        for name in reversed(list(self.running)):
            service = self.services[name]
            stop(self.running.pop(name), service.stop_signal, patience=service.patience)
            log.info("%s stopped", name)

    def _write_state(self) -> None:
        state = {
            "supervisor": os.getpid(),
            "servers": {
                name: {"pid": process.pid, "address": self.services[name].address()}
                for name, process in self.running.items()
            },
        }
        draft = self.data.run / "servers.json.new"
        draft.write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
        draft.replace(self.data.run / "servers.json")

    def _clean_up(self) -> None:
        (self.data.run / "servers.json").unlink(missing_ok=True)
        shutil.rmtree(self.data.short_folder, ignore_errors=True)


def bring_up(service: Service, *, retry_for: float = _RETRY_FOR) -> subprocess.Popen[bytes]:
    """Start ``service`` and wait until it answers.

    A server that ends at once is started again within ``retry_for`` seconds: its killed predecessor may still be
    letting go. Raises ServiceError with the end of its log.
    """
    rotate(service.log_path)
    service.prepare()
    began = time.monotonic()
    while True:
        process = service.start()
        while process.poll() is None and time.monotonic() - began < _READY_WITHIN:
            if service.ready(process):
                log.info("%s ready after %.2f s", service.name, time.monotonic() - began)
                return process
            time.sleep(0.01)
        stop(process, service.stop_signal, patience=service.patience)
        if time.monotonic() - began >= retry_for:
            raise ServiceError(f"The embedded {service.name} does not start:\n{tail(service.log_path)}")
        time.sleep(0.2)


class _lock:  # noqa: N801 - used as a verb
    """An exclusive lock on a file, waited for; the kernel drops it however this process ends."""

    def __init__(self, path: Path, *, patience: float) -> None:
        self._path, self._patience = path, patience

    def __enter__(self) -> None:
        self._file = self._path.open("wb")
        deadline = time.monotonic() + self._patience
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{self._path} is held by another supervisor") from None
                time.sleep(0.02)
            else:
                return

    def __exit__(self, *_: object) -> None:
        self._file.close()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--unsafe-fast", action="store_true", help="no fsync: for tests, where a lost file is no loss")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    data = DataFolder(arguments.data)
    durable = not arguments.unsafe_fast
    servers: list[Service] = [Postgres(data, durable), Valkey(data, durable), S3(data)]
    try:
        Supervisor(data, {server.name: server for server in servers}).run()
    except OSError as error:
        log.error("%s", error)  # the process that waits for us shows this line to a person
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
