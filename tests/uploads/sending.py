"""A real server and clients of the upload protocol that can be cut off at any byte."""

from __future__ import annotations

import base64
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from mediaproc.datafolder import PROJECT_ROOT, DataFolder

PIECE = "application/offset+octet-stream"
TUS = {"Tus-Resumable": "1.0.0"}


def metadata(filename: str) -> str:
    return f"filename {base64.b64encode(filename.encode()).decode()}"


@dataclass
class Site:
    """`manage.py serve` over a data folder, on a port of the system's choice."""

    data: DataFolder
    environment: dict[str, str]
    key: str = ""
    process: subprocess.Popen[str] | None = None
    address: str = ""

    def start(self) -> None:
        log = self.data.root / "site.log"  # not a pipe, which stops the server when nobody reads it
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", "0"],
                cwd=PROJECT_ROOT,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("Site:"), log.read_text()
        self.address = line.split()[1].rstrip("/").replace("localhost", "127.0.0.1")
        with httpx.Client(transport=httpx.HTTPTransport(retries=5), timeout=30) as http:
            assert http.get(self.address + "/api/health").status_code == 200

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    def client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.address, headers={"X-API-Key": self.key}, timeout=60, transport=httpx.HTTPTransport(retries=5)
        )

    def begin(self, filename: str, length: int) -> str:
        """Begin an upload; its path."""
        with self.client() as http:
            answer = http.post(
                "/api/uploads", headers={**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata(filename)}
            )
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    def offset(self, path: str) -> int:
        with self.client() as http:
            answer = http.head(path, headers=TUS)
        assert answer.status_code == 200
        return int(answer.headers["Upload-Offset"])

    def patch(self, path: str, offset: int, content: Any) -> httpx.Response:
        with self.client() as http:
            return http.patch(
                path, headers={**TUS, "Content-Type": PIECE, "Upload-Offset": str(offset)}, content=content
            )

    def part(self, path: str) -> Path:
        return self.uploads / f"{path.rsplit('/', 1)[-1]}.part"

    @property
    def uploads(self) -> Path:
        return self.data.root / "uploads"

    def connect(self, request: str, headers: dict[str, str]) -> socket.socket:
        """A connection on which the head of a request (``POST /there``) has been sent, and nothing of its body."""
        place = urlsplit(self.address)
        assert place.port is not None
        connection = socket.create_connection((place.hostname, place.port), 30)
        lines = [
            f"{request} HTTP/1.1",
            f"Host: {place.netloc}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return connection

    def open_patch(self, path: str, offset: int, announced: int) -> socket.socket:
        """As ``connect``, for a piece of an upload."""
        sizes = {"Upload-Offset": str(offset), "Content-Length": str(announced)}
        return self.connect(f"PATCH {path}", {**TUS, **sizes, "X-API-Key": self.key, "Content-Type": PIECE})


def cut(connection: socket.socket) -> None:
    """Break a connection off as a machine that loses its network does when it comes back: with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
