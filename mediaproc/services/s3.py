"""An S3 server (SeaweedFS, from a wheel) on loopback: for trying out and testing a bucket without an account.

Nothing uses it unless asked to: files lie on the local disk by default.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from mediaproc.datafolder import DataFolder
from mediaproc.services.errors import ServiceError
from mediaproc.services.process import Account, spawn

ACCESS_KEY = "mediaproc"
_SERVERS = ("s3", "filer", "master", "volume", "admin")


@dataclass
class S3:
    """`weed mini` over `data/s3`, on ports that the system picks.

    Started again it has the same ones, as clients know its address, unless another process has taken one meanwhile.
    """

    data: DataFolder
    ports: dict[str, int] = field(default_factory=dict)

    name = "s3"
    stop_signal = signal.SIGTERM
    patience = 15.0

    @property
    def log_path(self) -> Path:
        return self.data.logs / "s3.log"

    def prepare(self) -> None:
        self.data.s3.mkdir(mode=0o700, exist_ok=True)
        identity = {
            "name": ACCESS_KEY,
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": self.data.secret("s3_secret")}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        config = self.data.run / "s3.json"
        config.touch(mode=0o600)
        config.write_text(json.dumps({"identities": [identity]}), encoding="utf-8")

    def start(self) -> subprocess.Popen[bytes]:
        if not self.ports or not all(map(_is_free, self.ports.values())):
            numbers = iter(_free_ports(2 * len(_SERVERS)))
            self.ports = {name: next(numbers) for server in _SERVERS for name in (server, f"{server}.grpc")}
        options = [
            f"-dir={self.data.s3}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            f"-s3.config={self.data.run / 's3.json'}",
            *(f"-{server}.port={self.ports[server]}" for server in _SERVERS),
            *(f"-{server}.port.grpc={self.ports[f'{server}.grpc']}" for server in _SERVERS),
            f"-s3.localSocket={self.data.sockets / 's3.sock'}",
            f"-filer.localSocket={self.data.sockets / 'filer.sock'}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-webdav=false",
            "-admin.ui=false",
            "-master.telemetry=false",
            "-volume.preStopSeconds=0",
        ]
        with self.log_path.open("ab") as log:
            return spawn(
                [_program(), "-logtostderr=true", "mini", *options],
                account=Account.current(),
                cwd=self.data.s3,
                log=log,
                on_parent_death=signal.SIGTERM,
            )

    def ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether it knows its keys and has somewhere to put an object."""
        try:
            self._get(f"{self.address()}/")
        except urllib.error.HTTPError as answer:
            if answer.code != 403:  # what a request without a key gets from a server that has read its keys
                return False
        except OSError:
            return False
        try:
            self._get(f"http://127.0.0.1:{self.ports['master']}/dir/assign")
        except OSError:
            return False
        return True

    def address(self) -> str:
        return f"http://127.0.0.1:{self.ports['s3']}"

    @staticmethod
    def _get(url: str) -> None:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - a loopback address of our own
            pass


def _free_ports(count: int) -> list[int]:
    """Ports free a moment ago; should another take one meanwhile, the server ends and is started with others."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for item in sockets:
            item.bind(("127.0.0.1", 0))
        return [item.getsockname()[1] for item in sockets]
    finally:
        for item in sockets:
            item.close()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of the server before are no hindrance
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _program() -> str:
    program = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    if program is None:
        raise ServiceError("The embedded S3 server is not installed: run `make setup`, or use a bucket of yours.")
    return program
